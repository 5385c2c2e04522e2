/** Power of the known values at `frequency` (cycles per place): the squared length of their mean on that circle. Values should be centred. */
export function powerAt(values: ArrayLike<number>, frequency: number): number {
  const turn = 2 * Math.PI * frequency
  const [cosine, sine] = [Math.cos(turn), Math.sin(turn)]
  let [x, y] = [1, 0]
  let [re, im, known] = [0, 0, 0]
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (!Number.isNaN(value)) {
      re += value * x
      im += value * y
      known++
    }
    // Rotating step by step drifts; every so often the place on the circle is calculated anew.
    if (i % 512 === 511) {
      x = Math.cos(turn * (i + 1))
      y = Math.sin(turn * (i + 1))
    } else [x, y] = [x * cosine - y * sine, x * sine + y * cosine]
  }
  return known > 0 ? (re * re + im * im) / (known * known) : NaN
}
