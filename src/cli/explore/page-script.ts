/** Reads the cell of the map under the pointer. The page says everything else without it. */
export const PAGE_SCRIPT = `
const data = document.getElementById('cells')
if (data) {
  const { names, step, r, lags } = JSON.parse(data.textContent)
  const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer
  const rs = new Int8Array(bytes(r)), delays = new Int16Array(bytes(lags))
  const map = document.getElementById('heat'), out = document.getElementById('reading'), box = map.viewBox.baseVal
  const length = s => s >= 3600 ? +(s / 3600).toFixed(2) + 'h' : s >= 60 ? +(s / 60).toFixed(2) + 'm' : s + 's'
  const read = event => {
    const at = map.getBoundingClientRect(), scale = box.width / at.width
    const place = value => Math.floor(value * names.length / ${640})
    const x = place((event.clientX - at.left) * scale), y = place((event.clientY - at.top) * scale - ${130})
    if (x < 0 || y < 0 || x >= names.length || y >= names.length) return
    const [i, j] = x > y ? [x, y] : [y, x], cell = i * (i + 1) / 2 + j
    let lag = delays[cell] * step
    let [first, second] = [names[j], names[i]]
    if (lag < 0) [first, second, lag] = [second, first, -lag]
    const value = (rs[cell] / 100).toFixed(2).replace('-', '\\u2212')
    out.textContent = i === j ? first : value + '  ' + (lag > 0 ? second + ' follows ' + first + ' by ' + length(lag) : first + ' and ' + second)
  }
  map.addEventListener('pointermove', read)
  map.addEventListener('pointerdown', read)
}
`
