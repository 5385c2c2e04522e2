import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { type AnomalyWire, type ChartWire, readChart } from './api.ts'
import { formatClock, formatNumber, formatTime } from './format.ts'
import { now, picture } from './state.ts'

const POINTS = 900

/** Value, expectation and band around the anomaly; read when it comes near the view, and again when the anomaly changes. */
export function Chart({ anomaly }: { anomaly: AnomalyWire }) {
  const place = useRef<HTMLElement>(null)
  const near = useNear(place)
  const [chart, setChart] = useState<ChartWire | 'failed'>()

  // A chart that failed is read again with the next picture, for then the server answers.
  const retry = chart === 'failed' ? picture.value : undefined
  useEffect(() => {
    if (!near) return undefined
    let gone = false
    readChart(anomaly.id, POINTS).then(
      read => !gone && setChart(read),
      () => !gone && setChart(before => before ?? 'failed'),
    )
    return () => {
      gone = true
    }
  }, [near, anomaly.id, anomaly.version, anomaly.updatedAt, anomaly.end, retry])

  const plots = chart === undefined || chart === 'failed' ? [] : plotsOf(chart)
  return (
    <figure class="chart" ref={place}>
      {plots.length === 0 && (
        <div class="plot">
          {chart === 'failed' && <p>The chart could not be read.</p>}
          {chart !== undefined && chart !== 'failed' && <p>No points are kept for this time.</p>}
        </div>
      )}
      {plots.map((plot, i) => (
        <Plot key={plot.title} plot={plot} anomaly={anomaly} isLast={i === plots.length - 1} />
      ))}
    </figure>
  )
}

type Lines = Pick<ChartWire, 'times' | 'value' | 'expected' | 'lower' | 'upper'>
interface Drawn extends Lines {
  /** Of a column, with its share. */
  readonly title?: string
}

/** What is drawn: the series, or each column that the anomaly lies in. */
function plotsOf(chart: ChartWire): readonly Drawn[] {
  const columns = chart.columns.map(
    (column): Drawn => ({ ...column, title: `${column.name}, ${Math.round(column.share * 100)}% of the score` }),
  )
  return (columns.length > 0 ? columns : [chart as Drawn]).filter(({ times }) => times.length > 1)
}

function Plot({ plot, anomaly, isLast }: { plot: Drawn; anomaly: AnomalyWire; isLast: boolean }) {
  const place = useRef<HTMLDivElement>(null)
  const readout = useRef<HTMLParagraphElement>(null)
  const [look, setLook] = useState(0)
  useEffect(() => {
    const schemes = matchMedia('(prefers-color-scheme: dark)')
    const repaint = () => setLook(count => count + 1)
    schemes.addEventListener('change', repaint)
    return () => schemes.removeEventListener('change', repaint)
  }, [])
  useEffect(() => {
    if (!place.current) return undefined
    const drawing = draw(place.current, plot, anomaly, text => {
      if (readout.current) readout.current.textContent = text
    })
    const resize = new ResizeObserver(([entry]) =>
      drawing.setSize({ width: Math.floor(entry!.contentRect.width), height: drawing.height }),
    )
    resize.observe(place.current)
    return () => {
      resize.disconnect()
      drawing.destroy()
    }
  }, [plot.times, plot.value, look, anomaly.start, anomaly.end])
  return (
    <>
      {plot.title && <p class="column">{plot.title}</p>}
      <div class="plot" ref={place} role="img" aria-label={plot.title ? `Chart of ${plot.title}` : describe(anomaly)} />
      <figcaption class={isLast ? undefined : 'between'}>
        {isLast && (
          <>
            <span class="key value">value</span>
            <span class="key expected">expected</span>
            <span class="key band">band</span>
            <span class="key odd">odd</span>
          </>
        )}
        {dwarfs(plot) && <span title="So that the tide and its band stay visible beside the odd values">axis compressed</span>}
        <span class="readout" ref={readout} />
      </figcaption>
    </>
  )
}

function describe({ current, expected, lower, upper }: AnomalyWire): string {
  const band = lower === null || upper === null ? '' : `, band ${formatNumber(lower)} to ${formatNumber(upper)}`
  return `Chart of the series around the anomaly: peak ${formatNumber(current)}, expected ${formatNumber(expected)}${band}`
}

/** True from the moment when the element is about to be seen. */
function useNear(place: { current: Element | null }): boolean {
  const [near, setNear] = useState(false)
  useEffect(() => {
    if (!place.current) return undefined
    const watch = new IntersectionObserver(([entry]) => entry!.isIntersecting && setNear(true), { rootMargin: '400px' })
    watch.observe(place.current)
    return () => watch.disconnect()
  }, [])
  return near
}

/** Columns of the drawing: time (s), lower, upper, expected, value, and value where it is odd. */
function draw(place: HTMLElement, chart: Lines, { start, end }: AnomalyWire, say: (text: string) => void): uPlot {
  const style = getComputedStyle(place)
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim()
  const odd = chart.value.map((value, i) => (chart.times[i]! >= start && chart.times[i]! < end ? value : null))
  const data = [
    chart.times.map(time => time / 1000),
    chart.lower,
    chart.upper,
    chart.expected,
    chart.value,
    odd,
  ] as uPlot.AlignedData
  const axis = {
    stroke: colour('muted'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: colour('grid'), width: 1 },
    ticks: { show: false },
  }
  const tide = tideSize(chart)
  const compressed = dwarfs(chart)
  const drawing = new uPlot(
    {
      width: Math.max(200, Math.floor(place.clientWidth)),
      height: place.clientHeight,
      padding: [8, 4, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: {
        x: { range: [chart.times[0]! / 1000, chart.times.at(-1)! / 1000] },
        y: compressed
          ? { distr: 4, asinh: tide, range: (_, low, high) => [low < 0 ? low * 1.3 : 0, high * 1.3] }
          : { range: (_, low, high) => pad(low, high) },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 26,
          space: 70,
          values: (_, seconds) =>
            seconds.map(second =>
              formatClock(
                second * 1000,
                seconds.some(tick => tick % 60 !== 0),
              ),
            ),
        },
        {
          ...axis,
          size: 52,
          space: 28,
          values: (_, values) => values.map(formatNumber),
          ...(compressed
            ? {
                splits: (_: uPlot, __: number, low: number, high: number) => marks(tide, low, high),
                filter: (_: uPlot, splits: number[]) => splits,
              }
            : {}),
        },
      ],
      series: [
        {},
        { stroke: 'transparent', points: { show: false } },
        { stroke: 'transparent', points: { show: false } },
        { stroke: colour('expected'), width: 1.25, dash: [5, 4], points: { show: false } },
        { stroke: colour('value'), width: 1.75, points: { show: false } },
        { stroke: colour('odd'), width: 2.25, points: { show: false } },
      ],
      bands: [{ series: [2, 1], fill: colour('band') }],
      hooks: {
        drawClear: [plot => shade(plot, start / 1000, end / 1000, colour('odd-soft'))],
        setCursor: [
          plot => {
            const row = plot.cursor.idx
            if (typeof row !== 'number') return say('')
            const time = formatTime(chart.times[row]!, now.value)
            const band =
              chart.lower[row] === null ? '' : ` · band ${formatNumber(chart.lower[row])} … ${formatNumber(chart.upper[row])}`
            return say(`${time} · ${formatNumber(chart.value[row])} · expected ${formatNumber(chart.expected[row])}${band}`)
          },
        ],
      },
    },
    data,
    place,
  )
  return drawing
}

/** The size of what is usual: the largest edge of the band. */
function tideSize({ lower, upper, expected }: Lines): number {
  return [...lower, ...upper, ...expected].reduce<number>((most, value) => Math.max(most, Math.abs(value ?? 0)), 0)
}

/** On a straight axis the tide would be a flat line at the bottom: its band has less than a twelfth of the height. */
function dwarfs(chart: Lines): boolean {
  const tide = tideSize(chart)
  return tide > 0 && chart.value.some(value => Math.abs(value ?? 0) > 12 * tide)
}

/** Marks of a compressed axis: zero, the size of the tide, and tenfolds above it, rounded to one digit. */
function marks(tide: number, low: number, high: number): number[] {
  const first = 10 ** Math.ceil(Math.log10(tide))
  const up: number[] = []
  for (let mark = first; mark <= high; mark *= 10) up.push(mark)
  return [...(low < 0 ? up.filter(mark => mark <= -low).map(mark => -mark) : []).reverse(), 0, ...up]
}

/** Room above and below; what is never negative starts at zero unless it is far from it. */
function pad(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1]
  const room = (high - low) * 0.08 || Math.abs(high) * 0.1 || 1
  const bottom = low >= 0 && low - room < (high - low) * 0.5 ? 0 : low - room
  return [bottom, high + room]
}

function shade(plot: uPlot, start: number, end: number, fill: string): void {
  const { left, top, width, height } = plot.bbox
  const from = Math.max(left, plot.valToPos(start, 'x', true))
  const to = Math.min(left + width, plot.valToPos(end, 'x', true))
  plot.ctx.save()
  plot.ctx.fillStyle = fill
  plot.ctx.fillRect(from, top, Math.max(2, to - from), height)
  plot.ctx.restore()
}
