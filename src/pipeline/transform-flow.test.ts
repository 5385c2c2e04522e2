import { describe, expect, it } from 'vitest'
import { MINUTE } from '../duration.ts'
import { type Frame, fromValues, slice } from '../frame/frame.ts'
import { computeFlow } from './compute-flow.ts'
import type { FlowConfig, Part } from './configuration.ts'
import { flowPipeline } from './flow.ts'
import { flowLookback, mergeGap } from './member.ts'
import type { Findings, Reader } from './pipeline.ts'

const START = Date.UTC(2026, 0, 5)
const ROWS = 1500
const flow = (more: Partial<FlowConfig> = {}): FlowConfig => ({
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
  keep: 9999 * MINUTE,
  deadline: 10_000,
  forget: 900 * MINUTE,
  ...more,
})

/** A counter that makes about 600 a minute, with a reset at row 500 and a rush from 900 to 920; rows 1200 to 1203 are missing. */
function counter(): Frame<'value'> {
  let total = 0
  const values = Float64Array.from({ length: ROWS }, (_, i) => {
    total = (i === 500 ? 0 : total) + 600 + ((i * 7919) % 13) + (i >= 900 && i < 920 ? 6000 : 0)
    return i >= 1200 && i < 1204 ? NaN : total
  })
  return series(values)
}
const series = (values: ArrayLike<number>, labels = { n: 'a' }) =>
  fromValues(
    Float64Array.from(values, (_, i) => START + i * MINUTE),
    values,
    labels,
  )
const at = (row: number) => START + row * MINUTE
const rowOf = (time: number) => (time - START) / MINUTE

function runOnce(config: FlowConfig, frame: Frame<'value'>, end = at(ROWS)): Findings {
  return computeFlow(config, {
    frames: [slice(frame, { start: 0, end })],
    snapshots: [],
    range: { start: START, end },
    keepAll: true,
  })
}

/** Scores of all runs, the last word of each row. */
function runInPieces(config: FlowConfig, frame: Frame<'value'>, piece: number) {
  let snapshots: Findings['snapshots'] = []
  const scores = new Map<string, number>()
  for (let row = 100; row <= ROWS; row += piece) {
    const start = snapshots[0]?.time ?? START
    const end = at(row)
    const part = computeFlow(config, { frames: [slice(frame, { start, end })], snapshots, range: { start, end }, keepAll: true })
    snapshots = part.snapshots
    for (const { detector, scores: said } of part.points)
      said.times.forEach((time, i) => scores.set(`${detector} ${rowOf(time)}`, said.columns.score[i]))
  }
  return scores
}

describe('a flow with transforms', () => {
  const chains: Record<string, Part[]> = {
    rate: [{ type: 'rate', window: '5m' }],
    'rate, fill, resample': [
      { type: 'rate', window: '2m' },
      { type: 'fill', gaps: 'interpolate', limit: '10m' },
      { type: 'resample', step: '5m' },
    ],
    'rate, smooth, log, difference': [
      { type: 'rate', window: '5m' },
      { type: 'smooth' },
      { type: 'log' },
      { type: 'difference', lag: '30m' },
    ],
  }
  for (const [name, transform] of Object.entries(chains))
    it.each([20, 70, 350])(`says after ${name} in runs of %d rows what it says in one`, piece => {
      const config = flow({ transform })
      const whole = runOnce(config, counter())
      const scores = runInPieces(config, counter(), piece)
      let compared = 0
      for (const { detector, scores: said } of whole.points)
        said.times.forEach((time, i) => {
          if (!scores.has(`${detector} ${rowOf(time)}`)) expect(rowOf(time)).toBeGreaterThan(ROWS - piece - 20)
          else expect(scores.get(`${detector} ${rowOf(time)}`), `${detector} at row ${rowOf(time)}`).toBe(said.columns.score[i])
          compared++
        })
      expect(compared).toBeGreaterThan(1700)
    })

  it('finds a rush in a raw counter and no reset', () => {
    const { anomalies } = runOnce(flow({ transform: [{ type: 'rate', window: '2m' }] }), counter())
    expect(anomalies.map(one => [one.detector, rowOf(one.start)])).toEqual([
      ['ewma', 900],
      ['absence', 1202],
    ])
    expect(anomalies[0].current).toBeGreaterThan(50)
  })

  it('shows absence the rows as they came', () => {
    const silent = series(counter().columns.value.map((value, i) => (i >= 1300 && i < 1400 ? NaN : value)))
    const { anomalies } = runOnce(
      flow({
        transform: [
          { type: 'fill', limit: '3h' },
          { type: 'rate', window: '2m' },
        ],
      }),
      silent,
    )
    const silence = anomalies.find(one => one.detector === 'absence' && rowOf(one.start) > 1210)!
    expect(rowOf(silence.start)).toBeGreaterThanOrEqual(1300)
    expect(rowOf(silence.end)).toBeLessThan(1405)
  })

  it('knows the step and the history that its rows need', () => {
    const resampled = flow({ transform: [{ type: 'resample', step: '10m' }] })
    expect(mergeGap(resampled)).toBe(50 * MINUTE)
    expect(flowLookback(flow({ transform: [{ type: 'difference', lag: '1w' }] })) - flowLookback(flow())).toBeGreaterThan(0)
    const { anomalies } = runOnce(
      flow({
        transform: [
          { type: 'rate', window: '2m' },
          { type: 'resample', step: '10m' },
        ],
      }),
      counter(),
    )
    expect(anomalies[0].end - anomalies[0].start).toBe(30 * MINUTE)
  })

  it('begins anew from history when its transforms change', async () => {
    const before = runOnce(flow(), counter(), at(1000))
    const config = flow({ transform: [{ type: 'rate', window: '2m' }] })
    const asked: { start: number; end: number }[] = []
    const reader: Reader = {
      read: (async (query: { kind: string; range: { start: number; end: number } }) => {
        if (query.kind === 'snapshots') return before.snapshots
        asked.push(query.range)
        return { frames: [slice(counter(), query.range)], diagnostics: [] }
      }) as Reader['read'],
    }
    const inline = async (...[given, input]: [FlowConfig, Parameters<typeof computeFlow>[1], AbortSignal]) =>
      computeFlow(given, input)
    const run = (given: FlowConfig) =>
      flowPipeline(given, 600 * MINUTE, inline).run({
        range: { start: before.watermark, end: at(1100) },
        reader,
        signal: new AbortController().signal,
        now: () => at(1100),
      })
    const after = await run(config)
    expect(rowOf(asked[0].start)).toBe(500)
    expect(after.range.start).toBe(before.watermark)
    // The rush at 900 is history, and was told.
    expect(after.anomalies).toEqual([])
    const scores = after.points.find(({ detector }) => detector === 'ewma')!.scores
    expect(Number.isFinite(scores.columns.score.at(-1))).toBe(true)
    await run(flow())
    expect(rowOf(asked[1].start)).toBe(990)
    // So it does when what it asks or how it detects changes, but not when the verdict does, or who is told.
    const [ewma, ...others] = flow().detect
    const starts: number[] = []
    for (const changed of [
      { ...flow(), query: { ...flow().query, expr: 'other' } },
      { ...flow(), detect: [{ ...ewma, alpha: 0.1 }, ...others] },
      { ...flow(), rule: { type: 'threshold', limit: 99 }, notify: ['hook'], every: 3 * MINUTE },
    ]) {
      await run(changed)
      starts.push(rowOf(asked.at(-1)!.start))
    }
    expect(starts).toEqual([500, 500, 990])
  })
})

describe('a flow with a calendar', () => {
  /** Around 100; a deploy from row 700 to 760 brings 900, a fault from 1000 to 1010 too. */
  const values = Float64Array.from({ length: ROWS }, (_, i) =>
    (i >= 700 && i < 760) || (i >= 1000 && i < 1010) ? 900 : 100 + ((i * 7919) % 13),
  )
  const time = (row: number) => new Date(at(row)).toISOString().slice(0, 16) + 'Z'
  const deploy = (more: object = {}): Part => ({ type: 'once', name: 'deploy 7', start: time(695), end: time(765), ...more })
  const ewma = (findings: Findings) => findings.anomalies.filter(one => one.detector === 'ewma')

  it('marks what is inside an event as ignored, and says so', () => {
    const [inside, after, ...others] = ewma(runOnce(flow({ calendar: [deploy()] }), series(values)))
    expect(others).toEqual([])
    expect([rowOf(inside.start), inside.ignored]).toEqual([700, 'during deploy 7'])
    expect(inside.sentence).toMatch(/, during deploy 7$/)
    expect([rowOf(after.start), after.ignored]).toEqual([1000, undefined])
    expect(after.sentence).not.toContain('during')
  })

  it('tells people of it when they want to hear, and learns it in neither case', () => {
    const told = ewma(runOnce(flow({ calendar: [deploy({ during: 'learn-not' })] }), series(values)))
    expect(told[0].ignored).toBeUndefined()
    expect(told[0].sentence).toMatch(/, during deploy 7$/)
    const expected = (config: FlowConfig) => {
      const { scores } = runOnce(config, series(values)).points.find(({ detector }) => detector === 'ewma')!
      return scores.columns.expected[770]
    }
    expect(Math.abs(expected(flow({ calendar: [deploy()] })) - 106)).toBeLessThan(3)
    expect(Math.abs(expected(flow({ calendar: [deploy({ during: 'learn-not' })] })) - 106)).toBeLessThan(3)
    expect(expected(flow())).toBeGreaterThan(125)
  })

  it('tells of what outlasts the event', () => {
    const [anomaly] = ewma(runOnce(flow({ calendar: [deploy({ end: time(730) })] }), series(values)))
    expect(anomaly.ignored).toBeUndefined()
  })

  it('does not let the scores of an event raise the limit of the rule', () => {
    const budget = (more: Partial<FlowConfig>) => flow({ rule: { type: 'budget' }, ...more })
    const rough = series(values.map((value, i) => (i > 200 && i < 690 && i % 5 === 0 ? 400 : value)))
    const calendar: Part[] = [{ type: 'once', name: 'load test', start: time(200), end: time(690) }]
    const strength = (config: FlowConfig) =>
      Math.max(
        0,
        ...ewma(runOnce(config, rough))
          .filter(one => rowOf(one.start) === 1000)
          .map(one => one.strength),
      )
    expect(strength(budget({ calendar }))).toBeGreaterThan(strength(budget({})))
  })

  it('says in many runs what it says in one', () => {
    const config = flow({ calendar: [deploy(), { type: 'weekly', name: 'night', from: '20:00', to: '22:00' }] })
    const scores = runInPieces(config, series(values), 50)
    for (const { detector, scores: said } of runOnce(config, series(values)).points)
      said.times.forEach((when, i) =>
        expect(scores.get(`${detector} ${rowOf(when)}`), `row ${rowOf(when)}`).toBe(said.columns.score[i]),
      )
  })

  it('leaves absence its eyes', () => {
    const silent = series(values.map((value, i) => (i >= 710 && i < 740 ? NaN : value)))
    const said = (config: FlowConfig) => runOnce(config, silent).anomalies.filter(one => one.detector === 'absence')
    expect(said(flow({ calendar: [deploy()] })).map(({ start, ignored }) => [rowOf(start), ignored])).toEqual(
      said(flow()).map(({ start }) => [rowOf(start), 'during deploy 7']),
    )
    expect(said(flow())).toHaveLength(1)
  })

  it('takes the clock of the place', () => {
    const nights: Part = { type: 'weekly', name: 'night', from: '12:40', to: '13:46', timezone: 'Europe/Berlin' }
    const [inside] = ewma(runOnce(flow({ calendar: [nights] }), series(values)))
    expect(inside.ignored).toBe('during night')
  })
})
