import { describe, expect, it } from 'vitest'
import type { State } from '../detectors/detector.ts'
import { MINUTE } from '../duration.ts'
import { type Frame, fromValues, slice } from '../frame/frame.ts'
import { computeFlow, joinFindings } from './compute-flow.ts'
import type { FlowConfig } from './configuration.ts'
import { lastValue } from './history.ts'
import { flowLookback } from './member.ts'
import { decodeState, encodeState } from './state.ts'

const START = Date.UTC(2026, 0, 5)
const config: FlowConfig = {
  name: 'test',
  every: MINUTE,
  query: { source: 's', expr: 'x', step: MINUTE },
  detect: [
    { type: 'ewma', name: 'ewma' },
    { type: 'absence', name: 'absence', rule: { type: 'threshold', limit: 1 } },
  ],
  rule: { type: 'threshold', limit: 8 },
  refine: [{ type: 'merge' }, { type: 'shape' }],
  notify: [],
  labels: {},
  severity: 'warning',
  delay: 0,
  reexamine: 10 * MINUTE,
  keep: 1440 * MINUTE,
  deadline: 10_000,
  forget: 500 * MINUTE,
}

/** Calm around 100 with a spike at row 700 and silence from row 900 to 960. */
function series(n: string, rows = 1200): Frame<'value'> {
  const times = Float64Array.from({ length: rows }, (_, i) => START + i * MINUTE)
  const values = times.map((_, i) => (i >= 900 && i < 960 ? NaN : i >= 700 && i < 705 ? 900 : 100 + ((i * 7919) % 13)))
  return fromValues(times, values, { n })
}
const until = (frame: Frame<'value'>, row: number) => slice(frame, { start: 0, end: START + row * MINUTE })

describe('a flow computed', () => {
  it('finds a spike and a silence, each with a sentence', () => {
    const frame = series('a')
    const { anomalies } = computeFlow(config, {
      frames: [frame],
      snapshots: [],
      range: { start: START, end: START + 1200 * MINUTE },
      keepAll: true,
    })
    const spike = anomalies.find(one => one.detector === 'ewma' && one.current > 800)!
    expect(spike.start).toBe(START + 700 * MINUTE)
    expect(spike.sentence).toContain('900')
    const silence = anomalies.find(one => one.detector === 'absence')!
    expect(silence.shape).toBe('silence')
    expect(silence.start).toBeGreaterThanOrEqual(START + 900 * MINUTE)
    expect(silence.end).toBeLessThanOrEqual(START + 962 * MINUTE)
  })

  it('knows missing data by what the detector does, not by its name', () => {
    const ofKind = (name: string) => {
      const detect = [{ type: 'absence', name, rule: { type: 'threshold', limit: 1 }, down: 900, flat: '1d' }]
      const range = { start: START, end: START + 1200 * MINUTE }
      return computeFlow({ ...config, detect }, { frames: [series('a')], snapshots: [], range, keepAll: true }).anomalies
    }
    expect(ofKind('gone').map(({ shape, current }) => [shape, current])).toEqual([
      ['silence', 900],
      ['silence', NaN],
    ])
    const detect = [{ type: 'ewma', name: 'absence-of-sense' }]
    const range = { start: START, end: START + 800 * MINUTE }
    const { anomalies } = computeFlow({ ...config, detect }, { frames: [series('a')], snapshots: [], range, keepAll: true })
    expect(anomalies.map(({ shape }) => shape)).toEqual(['spike'])
  })

  it.each([
    [Infinity, 'up', /is \+Inf \(no bound\), above the usual 10\d/],
    [-Infinity, 'down', /is -Inf \(no bound\), below the usual 10\d/],
    [1e120, 'up', /is 1e120, [\d.e]+× the usual 10\d/],
  ])('puts %d beyond every band, and learns nothing of it', (infinite, direction, sentence) => {
    const whole = series('a', 680)
    const values = whole.columns.value.map((value, i) => (i >= 650 && i < 660 ? infinite : value))
    const found = (of: Float64Array, transform: FlowConfig['transform'], rows: number) =>
      computeFlow(
        { ...config, detect: [{ type: 'ewma', name: 'ewma' }], rule: { type: 'budget' }, ...(transform && { transform }) },
        {
          frames: [slice({ ...whole, columns: { value: of } }, { start: 0, end: START + rows * MINUTE })],
          snapshots: [],
          range: { start: START, end: START + rows * MINUTE },
          keepAll: true,
        },
      )
    for (const transform of [undefined, [{ type: 'smooth', by: 'median', window: '5m' }]]) {
      const [anomaly, ...others] = found(values, transform, 655).anomalies
      expect(others).toEqual([])
      expect(anomaly).toMatchObject({ current: infinite, direction, start: START + 650 * MINUTE, ongoing: true })
      expect(anomaly!.strength).toBe(1e6)
      expect(anomaly!.sentence).toMatch(sentence)
    }
    const unknown = values.map(value => (Math.abs(value) < 1e100 ? value : NaN))
    const scoresOf = (of: Float64Array) => found(of, undefined, 680).points[0]!.scores.columns.score
    expect(scoresOf(values)).toEqual(scoresOf(unknown))
  })

  it('in many runs that go on from snapshots says the same as in one', () => {
    const frame = series('a')
    const whole = computeFlow(config, {
      frames: [frame],
      snapshots: [],
      range: { start: START, end: START + 1200 * MINUTE },
      keepAll: true,
    })
    let snapshots: ReturnType<typeof computeFlow>['snapshots'] = []
    const scores = new Map<string, number>()
    for (let row = 100; row <= 1200; row += 50) {
      const start = snapshots[0]?.time ?? START
      const end = START + row * MINUTE
      const part = computeFlow(config, {
        frames: [slice(frame, { start, end })],
        snapshots,
        range: { start, end },
        keepAll: true,
      })
      snapshots = part.snapshots
      const known = lastValue(slice(frame, { start, end })) + MINUTE
      expect(part.watermark).toBe(Math.max(start, known - config.reexamine))
      for (const { detector, scores: said } of part.points)
        said.times.forEach((time, i) => scores.set(`${detector} ${time}`, said.columns.score[i]))
    }
    for (const { detector, scores: said } of whole.points)
      said.times.forEach((time, i) =>
        expect(scores.get(`${detector} ${time}`), `${detector} at row ${(time - START) / MINUTE}`).toBe(said.columns.score[i]),
      )
    expect(scores.size).toBe(2400)
  })

  it('computes nothing of a series that is away until it comes back, and then says what it would have said', () => {
    const calendar = [{ type: 'once', name: 'work', start: '2026-01-05T15:10:00Z', end: '2026-01-05T15:20:00Z' }]
    const { times } = series('b')
    const other = fromValues(
      times,
      times.map((_, i) => 100 + ((i * 7919) % 13)),
      { n: 'b' },
    )
    const through = (keepAll: boolean) => {
      const known = new Map<string, ReturnType<typeof computeFlow>['snapshots'][number]>()
      const scores: [string, number, number][] = []
      const written: number[] = []
      let back: Uint8Array | undefined
      const steps = { ...config, calendar } as FlowConfig
      let start = START
      for (let row = 800; row <= 1200; row += 5) {
        const range = { start, end: START + row * MINUTE }
        // Silent from row 900 to 960 and later on for two hours.
        const away = slice(series('a', 1000), range)
        const frames = [slice(other, range), ...(away.times.length > 0 ? [away] : [])]
        const part = computeFlow(steps, { frames, snapshots: [...known.values()], range, keepAll })
        for (const one of part.snapshots) known.set(`${one.labels.n} ${one.detector}`, one)
        for (const { labels, detector } of part.forgotten) known.delete(`${labels.n} ${detector}`)
        if (part.snapshots.some(({ labels, detector }) => labels.n === 'a' && detector === 'ewma')) written.push(row)
        for (const one of part.anomalies) scores.push([`${one.labels.n} ${one.detector}`, one.start, one.score])
        if (row === 1000) back = known.get('a ewma')!.state
        start = part.watermark
      }
      return { scores, written, back }
    }
    const [always, seldom] = [through(true), through(false)]
    expect(always.scores.some(([series]) => series === 'a absence')).toBe(true)
    expect(seldom.scores).toEqual(always.scores)
    expect(seldom.back).toEqual(always.back)
    // It is forgotten by none within this time, since it lived for longer.
    expect(always.written).toHaveLength(81)
    // Nothing from the row at which its last value is learned for good until it has another, and then once an hour.
    expect(seldom.written.filter(row => row > 910 && row <= 960)).toEqual([])
    expect(seldom.written.filter(row => row > 1010)).toEqual([1070, 1130, 1190])
  })

  it('feeds silence to a series that is missing from the answer', () => {
    const frame = until(series('a'), 600)
    const first = computeFlow(config, {
      frames: [frame],
      snapshots: [],
      range: { start: START, end: START + 600 * MINUTE },
      keepAll: true,
    })
    const start = first.watermark
    const end = START + 660 * MINUTE
    const other = slice(series('b'), { start, end })
    const second = computeFlow(config, { frames: [other], snapshots: first.snapshots, range: { start, end }, keepAll: true })
    expect(second.anomalies.map(({ labels, shape, ongoing }) => ({ labels, shape, ongoing }))).toContainEqual({
      labels: { n: 'a' },
      shape: 'silence',
      ongoing: true,
    })
  })

  it('keeps the watermark while nothing has data, so that late data is not lost', () => {
    const first = computeFlow(config, {
      frames: [until(series('a'), 600)],
      snapshots: [],
      range: { start: START, end: START + 600 * MINUTE },
      keepAll: true,
    })
    const range = { start: first.watermark, end: START + 700 * MINUTE }
    expect(computeFlow(config, { frames: [], snapshots: first.snapshots, range, keepAll: true }).watermark).toBeNaN()
  })

  it('forgets a series that is silent for longer than `forget`', () => {
    const first = computeFlow(config, {
      frames: [until(series('a'), 600)],
      snapshots: [],
      range: { start: START, end: START + 600 * MINUTE },
      keepAll: true,
    })
    const range = { start: first.watermark, end: START + 1150 * MINUTE }
    const later = computeFlow(config, { frames: [slice(series('b'), range)], snapshots: first.snapshots, range, keepAll: true })
    expect(later.forgotten).toEqual([
      { labels: { n: 'a' }, detector: 'ewma' },
      { labels: { n: 'a' }, detector: 'absence' },
    ])
    expect(later.snapshots.map(({ labels }) => labels.n)).toEqual(['b', 'b'])
  })

  it('forgets what it learned of a series that was away for as long as it lived, and for sixty steps', () => {
    const live = (rows: number, away: number, change = (state: State) => state) => {
      const first = computeFlow(config, {
        frames: [until(series('a'), rows)],
        snapshots: [],
        range: { start: START, end: START + rows * MINUTE },
        keepAll: true,
      })
      const range = { start: first.watermark, end: START + (rows + away) * MINUTE }
      const snapshots = first.snapshots.map(one => ({ ...one, state: encodeState(change(decodeState(one.state))) }))
      const later = computeFlow(config, { frames: [slice(series('b'), range)], snapshots, range, keepAll: true })
      return later.forgotten.map(({ detector }) => detector)
    }
    // The ten newest rows are not learned yet.
    expect(live(20, 48)).toEqual([])
    expect(live(20, 52)).toEqual(['ewma'])
    expect(live(300, 275)).toEqual([])
    expect(live(300, 282)).toEqual(['ewma'])
    // An earlier version did not remember since when a series lives.
    const older = (state: State) => {
      const { since: _, ...rest } = state as State & { readonly since?: number }
      return rest as State
    }
    expect(live(20, 400, older)).toEqual([])
    expect(live(20, 500, older)).toContain('ewma')
  })

  it('takes the longest lookback of its detectors unless told', () => {
    expect(flowLookback({ ...config, lookback: 5 })).toBe(5)
    expect(flowLookback(config)).toBeGreaterThan(0)
  })

  it('joins parts computed apart', () => {
    const range = { start: START, end: START + 300 * MINUTE }
    const one = (n: string) => computeFlow(config, { frames: [until(series(n), 300)], snapshots: [], range, keepAll: true })
    const joined = joinFindings([one('a'), one('b')])
    expect(joined.series).toBe(2)
    expect(joined.snapshots).toHaveLength(4)
    expect(joined.watermark).toBe(range.end - config.reexamine)
  })
})
