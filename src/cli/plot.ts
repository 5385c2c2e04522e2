import { seriesId } from '../anomaly.ts'
import type { TimeRange } from '../frame/frame.ts'
import type { Examination } from '../pipeline/examine.ts'

/** One panel: a series under one detector. */
export interface Panel {
  readonly title: string
  readonly examination: Examination
  /** Stretches to point out with a bar above the line, such as those known to be wrong. */
  readonly marks?: readonly TimeRange[]
}

const WIDTH = 960
const PANEL = 220
const LEFT = 64
const RIGHT = 16
const TOP = 30
const BOTTOM = 26
/** More points than this on a line are not seen; each bin keeps its lowest and highest. */
const BINS = 800

const STYLE = `
  svg { font: 12px ui-sans-serif, system-ui, sans-serif; background: #fff; color: #1b2733 }
  text { fill: currentColor } .dim { fill: #5b6b7a } .grid { stroke: #e3e9ee } .band { fill: #3a7ca5; fill-opacity: .16 }
  .expected { stroke: #3a7ca5; stroke-dasharray: 4 3; stroke-opacity: .8 } .value { stroke: #12344d } .odd { fill: #d1495b; fill-opacity: .2 }
  .peak { fill: #d1495b } .mark { fill: #b7791f } path.value, path.expected { fill: none; stroke-width: 1.3; stroke-linejoin: round }
  @media (prefers-color-scheme: dark) {
    svg { background: #0f1720; color: #dfe7ee } .dim { fill: #93a4b3 } .grid { stroke: #24313d } .value { stroke: #cfe3f1 }
    .band { fill: #6cb2dd; fill-opacity: .2 } .expected { stroke: #6cb2dd } .odd { fill: #ff7b89; fill-opacity: .26 } .peak { fill: #ff7b89 } .mark { fill: #e3b341 }
  }`

/** A picture (SVG, light and dark) of each series: value, what was expected, the band, and anomalies shaded with their sentences as tool tips. */
export function plotSvg(panels: readonly Panel[]): string {
  const height = Math.max(1, panels.length) * PANEL
  const body =
    panels.length > 0 ? panels.map((panel, i) => drawPanel(panel, i * PANEL)).join('') : `<text x="24" y="40">No series</text>`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img"><title>Tidewatch</title><style>${STYLE}</style>${body}</svg>\n`
}

function drawPanel({ title, examination, marks = [] }: Panel, y: number): string {
  const { scores, anomalies } = examination
  const { times, columns } = scores
  const { value, expected, lower, upper } = columns
  const [low, high] = extent(value, expected, lower, upper)
  const first = times[0] ?? 0
  const last = times.at(-1) ?? 1
  const bottom = PANEL - BOTTOM
  const atX = (time: number) => LEFT + ((time - first) / (last - first || 1)) * (WIDTH - LEFT - RIGHT)
  const atY = (level: number) => bottom - ((Math.min(high, Math.max(low, level)) - low) / (high - low || 1)) * (bottom - TOP)

  const grid = ticks(low, high).map(
    level =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${n(atY(level))}" y2="${n(atY(level))}"/><text class="dim" x="${LEFT - 6}" y="${n(atY(level) + 4)}" text-anchor="end">${formatTick(level)}</text>`,
  )
  const odd = anomalies.map(({ start, end, peak, current, sentence = '' }) => {
    const from = atX(start)
    const width = Math.max(2, atX(Math.min(end, last)) - from)
    const dot = Number.isFinite(current) ? `<circle class="peak" cx="${n(atX(peak))}" cy="${n(atY(current))}" r="3"/>` : ''
    return `<g><title>${escape(sentence)}</title><rect class="odd" x="${n(from)}" y="${TOP}" width="${n(width)}" height="${bottom - TOP}"/>${dot}</g>`
  })
  const bars = marks.map(({ start, end }) => {
    const from = atX(Math.max(start, first))
    const width = Math.max(2, atX(Math.min(end, last)) - from)
    return `<rect class="mark" x="${n(from)}" y="${TOP - 5}" width="${n(width)}" height="4"/>`
  })
  const stamps = [0, 0.25, 0.5, 0.75, 1].map((share, i) => {
    const time = first + share * (last - first)
    return `<text class="dim" x="${n(atX(time))}" y="${PANEL - 8}" text-anchor="${i === 0 ? 'start' : i === 4 ? 'end' : 'middle'}">${formatTime(time, last - first)}</text>`
  })
  const count = anomalies.length === 0 ? 'nothing odd' : anomalies.length === 1 ? '1 anomaly' : `${anomalies.length} anomalies`
  const band = drawBand(times, lower, upper, atX, atY)
  return `<g transform="translate(0 ${y})"><text x="${LEFT}" y="19" font-weight="600">${escape(title)}</text><text class="dim" x="${WIDTH - RIGHT}" y="19" text-anchor="end">${escape(examination.detector)} · ${count}</text>${grid.join('')}${bars.join('')}<path class="band" d="${band}"/><path class="expected" d="${drawLine(times, expected, atX, atY)}"/>${odd.join('')}<path class="value" d="${drawLine(times, value, atX, atY)}"/>${stamps.join('')}</g>`
}

/** The series as people know it, for the title of its panel. */
export function panelTitle(labels: Readonly<Record<string, string>>, fallback: string): string {
  const { column, signal, ...rest } = labels
  const name = column ?? signal
  if (name !== undefined && Object.keys(rest).length === 0) return name
  return Object.keys(labels).length === 0
    ? fallback
    : seriesId(name === undefined ? labels : { ...rest, __name__: rest.__name__ ?? name })
}

type At = (value: number) => number

/** The lowest and highest of each bin, in their order of time; NaN lifts the pen. */
function drawLine(times: Float64Array, values: Float64Array, atX: At, atY: At): string {
  let path = ''
  let pen = false
  for (const rows of bins(times.length)) {
    const kept = new Set<number>()
    let gap = false
    let low = -1
    let high = -1
    for (let i = rows.from; i < rows.to; i++) {
      if (Number.isNaN(values[i])) gap = true
      else {
        if (low < 0 || values[i] < values[low]) low = i
        if (high < 0 || values[i] > values[high]) high = i
      }
    }
    if (low >= 0) for (const i of [low, high].toSorted((a, b) => a - b)) kept.add(i)
    for (const i of kept) {
      path += `${pen ? 'L' : 'M'}${n(atX(times[i]))} ${n(atY(values[i]))}`
      pen = true
    }
    if (gap) pen = false
  }
  return path
}

function drawBand(times: Float64Array, lower: Float64Array, upper: Float64Array, atX: At, atY: At): string {
  let path = ''
  let above: string[] = []
  let below: string[] = []
  const close = () => {
    if (above.length > 1) path += `M${above.join('L')}L${below.toReversed().join('L')}Z`
    above = []
    below = []
  }
  for (const { from, to } of bins(times.length)) {
    let low = Infinity
    let high = -Infinity
    for (let i = from; i < to; i++) {
      if (lower[i] < low) low = lower[i]
      if (upper[i] > high) high = upper[i]
    }
    if (low > high || !Number.isFinite(low) || !Number.isFinite(high)) close()
    else {
      const x = n(atX(times[from]))
      above.push(`${x} ${n(atY(high))}`)
      below.push(`${x} ${n(atY(low))}`)
    }
  }
  close()
  return path
}

function bins(rows: number): readonly { readonly from: number; readonly to: number }[] {
  const count = Math.min(rows, BINS)
  return Array.from({ length: count }, (_, i) => ({
    from: Math.floor((i * rows) / count),
    to: Math.floor(((i + 1) * rows) / count),
  }))
}

/** All values, and the band as far as it goes not far beyond them: a wide early band must not flatten the picture. */
function extent(value: Float64Array, ...others: readonly Float64Array[]): readonly [number, number] {
  let low = Infinity
  let high = -Infinity
  for (const level of value) {
    if (!Number.isFinite(level)) continue
    if (level < low) low = level
    if (level > high) high = level
  }
  if (low > high) return [0, 1]
  const room = (high - low) * 0.35 || Math.abs(high) * 0.1 || 1
  let [bottom, top] = [low, high]
  for (const column of others)
    for (const level of column) {
      if (level < bottom) bottom = Math.max(level, low - room)
      if (level > top) top = Math.min(level, high + room)
    }
  return bottom === top ? [bottom - room, top + room] : [bottom, top]
}

/** Two to six round levels. */
function ticks(low: number, high: number): readonly number[] {
  const rough = (high - low) / 6
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5].find(factor => factor * power >= rough) ?? 10)
  const first = Math.ceil(low / step)
  return Array.from({ length: Math.max(0, Math.floor(high / step) - first + 1) }, (_, i) => (first + i) * step)
}

function formatTick(level: number): string {
  const size = Math.abs(level)
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) return level.toExponential(1).replace('e+', 'e')
  return String(Number(level.toPrecision(6)))
}

function formatTime(time: number, range: number): string {
  const text = new Date(time).toISOString()
  if (range > 3 * 86_400_000) return text.slice(0, 10)
  return range > 30 * 60_000 ? text.slice(5, 16).replace('T', ' ') : text.slice(11, 19)
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10)
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}
