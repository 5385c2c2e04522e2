import { describe, expect, it } from 'vitest'
import type { Labels } from '../anomaly.ts'
import { HOUR, MINUTE } from '../duration.ts'
import { type Frame, fromValues } from '../frame/frame.ts'
import type { Snapshot, StoredModel } from '../stores/store.ts'
import { toyDetectors } from '../testing/toy-learner.ts'
import { at, POD, toyFlow, WORKLOAD } from '../testing/toy-watch.ts'
import { computeFlow, type FlowInput, joinFindings } from './compute-flow.ts'
import type { FlowConfig } from './configuration.ts'
import { configurationHash } from './configuration-hash.ts'
import { flowLookback, hasModels, mergeGap, missingDataOf } from './member.ts'
import { fits, streamState } from './remembered.ts'
import { decodeState, encodeState } from './state.ts'

const flow = toyFlow()
/** A model that knows 100: a value of 200 is anomalous. */
const model = (config: FlowConfig, more: Partial<StoredModel> = {}): StoredModel => ({
  flow: 'f',
  detector: 'toy',
  workload: WORKLOAD,
  reason: 'first',
  createdAt: at(0),
  range: { start: at(0), end: at(1) },
  rows: 1,
  validation: 0,
  seconds: 1,
  version: 3,
  status: 'in force',
  inForceSince: at(0),
  configuration: configurationHash(config, config.detect[0]!, toyDetectors),
  state: encodeState({ version: 1, mean: 100 }),
  tried: at(0),
  ...more,
})
/** Rows of a series from one to before another, 200 in the given rows, unknown where `has` says no. */
const rows = (from: number, to: number, high: readonly number[] = [], labels: Labels = POD, has = (_row: number) => true) =>
  fromValues(
    Float64Array.from({ length: to - from }, (_, i) => at(from + i)),
    Float64Array.from({ length: to - from }, (_, i) => (has(from + i) ? (high.includes(from + i) ? 200 : 100 + (i % 2)) : NaN)),
    labels,
  )
const between = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
const rowOf = (time: number) => (time - at(0)) / MINUTE

/** `none`: detectors fit as they go. */
type More = Omit<Partial<FlowInput>, 'models'> & { readonly models?: readonly StoredModel[] | 'none' }

function compute(config: FlowConfig, frames: readonly Frame<'value'>[], from: number, to: number, more: More = {}) {
  const { models = [model(config)], ...rest } = more
  const input = { frames, snapshots: [], range: { start: at(from), end: at(to) }, keepAll: true, ...rest }
  return computeFlow(config, models === 'none' ? input : { ...input, models }, toyDetectors)
}

describe('an anomaly that ended a while ago', () => {
  const ongoing = (config: FlowConfig, last: number) => {
    const [one, ...others] = compute(config, [rows(0, 60, between(20, last + 1))], 0, 60).anomalies
    expect(others).toEqual([])
    return one!.ongoing
  }

  it('is kept open until it has been calm for two steps', () => {
    expect([59, 58, 57, 56].map(last => ongoing(flow, last))).toEqual([true, true, false, false])
  })

  it('is kept open for the gap across which the flow merges', () => {
    const merging = (gap?: string) => toyFlow({}, { refine: [{ type: 'shape' }, { type: 'merge', ...(gap ? { gap } : {}) }] })
    expect(mergeGap(merging('10m'))).toBe(10 * MINUTE)
    expect([50, 49].map(last => ongoing(merging('10m'), last))).toEqual([true, false])
    expect(mergeGap(merging())).toBe(5 * MINUTE)
    expect([55, 54].map(last => ongoing(merging(), last))).toEqual([true, false])
  })

  it('is kept open for as long as its rows wait in a transform', () => {
    const resampled = toyFlow({}, { transform: [{ type: 'resample', step: '5m' }] })
    expect(mergeGap(resampled)).toBe(10 * MINUTE)
    const states = between(40, 60).map(last => ongoing(resampled, last))
    // Rows 40 to 44 become one, which is anomalous when three of them are: it may go on until two more are known to be calm.
    expect(states.indexOf(true)).toBe(2)
    expect(states.slice(2)).toEqual(Array(18).fill(true))
  })
})

describe('what a run reports', () => {
  it('is what reaches into its range', () => {
    const starts = (high: readonly number[]) =>
      compute(flow, [rows(0, 60, high)], 30, 60).anomalies.map(({ start, end }) => [rowOf(start), rowOf(end)])
    expect(starts(between(20, 30))).toEqual([])
    expect(starts(between(20, 31))).toEqual([[20, 31]])
    expect(starts([...between(10, 15), ...between(40, 45)])).toEqual([[40, 45]])
  })

  it('are the scores of all series, or only of those with an anomaly, for as long as they are kept', () => {
    const frames = [rows(0, 60, [55]), rows(0, 60, [], { ...POD, pod: 'b' })]
    const kept = (config: FlowConfig, keepAll: boolean) =>
      compute(config, frames, 30, 60, { keepAll, models: [model(config)] }).points.map(({ detector, scores }) => [
        detector,
        scores.labels.pod,
        rowOf(scores.times[0]!),
        rowOf(scores.times.at(-1)!),
      ])
    const short = toyFlow({}, { keep: 10 * MINUTE })
    expect(kept(short, true)).toEqual([
      ['toy', 'a', 50, 59],
      ['toy', 'b', 50, 59],
    ])
    expect(kept(short, false)).toEqual([['toy', 'a', 50, 59]])
    expect(kept(toyFlow({}, { keep: 0 }), true)).toEqual([])
  })

  it('counts the series that have data in the rows that are looked at again', () => {
    const frames = (last: number) => [rows(0, 60), rows(0, 60, [], { ...POD, pod: 'b' }, row => row <= last)]
    expect([54, 55].map(last => compute(flow, frames(last), 0, 60).series)).toEqual([1, 2])
    expect(compute(flow, [], 0, 60).series).toBe(0)
  })

  it('counts by what may be missing where a detector looks for missing data', () => {
    const config = toyFlow(
      {},
      { detect: [{ type: 'absence', name: 'gone', patience: '20m' }], rule: { type: 'threshold', limit: 1 } },
    )
    const frames = (last: number) => [rows(0, 99), rows(0, 99, [], { ...POD, pod: 'b' }, row => row <= last)]
    const live = (last: number) => compute(config, frames(last), 0, 99, { models: [] }).series
    expect([78, 79].map(live)).toEqual([1, 2])
  })
})

describe('up to where a run learns for good', () => {
  const watermark = (more: More = {}, frames: Frame<'value'>[] = [rows(0, 60)], config = flow) =>
    rowOf(compute(config, frames, 30, 60, more).watermark)

  it('is `reexamine` before the end, on the grid, and never before the range', () => {
    expect(watermark()).toBe(55)
    expect(watermark({}, undefined, toyFlow({}, { reexamine: 4.5 * MINUTE }))).toBe(55)
    expect(watermark({}, undefined, toyFlow({}, { reexamine: 40 * MINUTE }))).toBe(30)
  })

  it('is `reexamine` before the newest value of any part of the flow, and stays without one until `forget` is over', () => {
    const silent = [rows(0, 60, [], POD, row => row < 30)]
    expect(watermark({}, silent)).toBe(NaN)
    expect(watermark({}, [rows(0, 60, [], POD, row => row <= 50)])).toBe(46)
    expect(watermark({}, [rows(0, 60, [], POD, row => row <= 30)])).toBe(30)
    expect(watermark({ knownUntil: at(60) }, silent)).toBe(55)
    expect(watermark({ knownUntil: at(30) })).toBe(NaN)
    expect(watermark({}, silent, toyFlow({}, { forget: 30 * MINUTE }))).toBe(NaN)
    expect(watermark({}, silent, toyFlow({}, { forget: 29 * MINUTE }))).toBe(55)
  })
})

describe('the rows that are unknown', () => {
  const unknownOf = (frames: Frame<'value'>[], more: More = {}, config = flow) => {
    const { from, except, stretches } = compute(config, frames, 30, 60, more).unknown!
    return {
      from: rowOf(from),
      except,
      stretches: stretches.map(({ labels, times }) => [labels.pod, ...Array.from(times, rowOf)]),
    }
  }
  const other = { ...POD, pod: 'b' }

  it('are those behind the newest value of any series', () => {
    expect(unknownOf([rows(0, 60)])).toEqual({ from: 60, except: [], stretches: [] })
    expect(unknownOf([rows(0, 60, [], POD, row => row < 50)])).toEqual({ from: 50, except: [], stretches: [] })
    expect(unknownOf([rows(0, 60, [], POD, row => row < 50), rows(0, 60, [], other)]).from).toBe(60)
    expect(unknownOf([rows(0, 60, [], POD, row => row < 30)]).from).toBe(30)
    expect(unknownOf([]).from).toBe(30)
    expect(unknownOf([rows(0, 60)], { knownUntil: at(44) }).from).toBe(44)
  })

  it('are those of single series without a value, in the range', () => {
    const holes = rows(0, 60, [], POD, row => row > 32 && row !== 40 && row !== 41 && row < 58)
    expect(unknownOf([holes, rows(0, 60, [], other)]).stretches).toEqual([['a', 30, 33, 40, 42, 58, 60]])
  })

  it('are all of a series whose snapshot cannot be read', () => {
    const [snapshot] = compute(flow, [rows(0, 30)], 0, 30).snapshots
    const snapshots = [{ ...snapshot!, state: Uint8Array.of(1) }]
    expect(unknownOf([rows(0, 60)], { snapshots })).toEqual({ from: 60, except: [], stretches: [['a', 30, 60]] })
  })

  it('are all of a series that is away and waits', () => {
    const { snapshots } = compute(flow, [rows(0, 30)], 0, 30)
    const away = { snapshots, keepAll: false }
    expect(unknownOf([rows(25, 60, [], other)], away).stretches).toEqual([['a', 30, 60]])
  })

  it('are news to a detector of missing data', () => {
    const config = toyFlow(
      {},
      { detect: [...flow.detect, { type: 'absence', name: 'gone', rule: { type: 'threshold', limit: 1 } }] },
    )
    const { from, except } = unknownOf([rows(0, 60, [], POD, row => row < 50)], { models: [] }, config)
    expect([from, except]).toEqual([50, ['gone']])
  })

  it('keep an anomaly open: it is calm only in known rows', () => {
    const high = [49]
    const ongoing = (to: number, knownUntil?: number) =>
      compute(
        flow,
        [rows(0, to, high, POD, row => row < 51)],
        30,
        to,
        knownUntil ? { knownUntil: at(knownUntil) } : {},
      ).anomalies.map(one => one.ongoing)
    expect(ongoing(60)).toEqual([true])
    expect(ongoing(60, 51)).toEqual([true])
    expect(ongoing(60, 52)).toEqual([false])
  })

  it('are joined of all parts', () => {
    const parts = [POD, other].map(labels =>
      compute(flow, [rows(0, 60, [], labels, row => row !== 40)], 30, 60, { knownUntil: at(60) }),
    )
    const { from, stretches } = joinFindings(parts).unknown!
    expect([rowOf(from), stretches.map(({ labels }) => labels.pod)]).toEqual([60, ['a', 'b']])
  })
})

describe('the fits that a run wants', () => {
  const wanted = (frames: Frame<'value'>[], more: More = {}, from = 0) =>
    compute(flow, frames, from, 60, { models: [], ...more }).wanted.map(({ labels, reason, rows }) => [labels.pod, reason, rows])

  it('are made of the rows with a value that are learned for good, and wanted once for a workload', () => {
    expect(wanted([rows(0, 60)])).toEqual([['a', 'first', 55]])
    expect(wanted([rows(0, 60, [], POD, row => row % 2 === 0)])).toEqual([['a', 'first', 27]])
    expect(wanted([rows(0, 60, [], POD, row => row >= 50), rows(0, 60, [], { ...POD, pod: 'b' })])).toEqual([['b', 'first', 55]])
    expect(wanted([rows(0, 60, [], POD, row => row >= 40)])).toEqual([])
  })

  it('go on from what was learned before', () => {
    const first = compute(flow, [rows(0, 25)], 0, 25, { models: [] })
    expect(first.wanted).toMatchObject([{ rows: 20 }])
    expect(wanted([rows(20, 60)], { snapshots: first.snapshots }, 20)).toEqual([['a', 'first', 55]])
    // One that is silent now has nothing new to teach.
    expect(wanted([rows(20, 60, [], POD, () => false)], { snapshots: first.snapshots, knownUntil: at(60) }, 20)).toEqual([])
  })

  it('are none where detectors fit as they go', () => {
    expect(compute(flow, [rows(0, 60)], 0, 60, { models: 'none' }).wanted).toEqual([])
    expect(compute(flow, [rows(0, 60)], 0, 60, { models: 'none' }).workloads).toEqual([])
    expect(compute(flow, [rows(0, 60)], 0, 60).workloads).toEqual([{ detector: 'toy', workload: WORKLOAD }])
  })

  it('are those of series that wait, whose models are in use, and of no detector without models', () => {
    const both = toyFlow(
      {},
      {
        detect: [
          { type: 'toy-learner', name: 'toy' },
          { type: 'ewma', name: 'ewma' },
        ],
      },
    )
    const { snapshots } = compute(both, [rows(0, 60)], 0, 60)
    const waiting = compute(both, [], 55, 65, { snapshots, keepAll: false, knownUntil: at(65) })
    expect([waiting.snapshots, waiting.workloads]).toEqual([[], [{ detector: 'toy', workload: WORKLOAD }]])
  })
})

describe('what a run remembers', () => {
  const gone = toyFlow(
    {},
    {
      detect: [{ type: 'absence', name: 'gone', patience: '5m' }],
      rule: { type: 'threshold', limit: 1 },
      refine: [{ type: 'shape' }],
    },
  )
  const stateOf = ({ state }: Snapshot) => decodeState(state) as Record<string, unknown>

  it('is of all rows before the watermark, with when it was seen first and last', () => {
    const { snapshots } = compute(flow, [rows(0, 60, [], POD, row => row >= 10 && row !== 54)], 0, 60)
    expect(snapshots.map(({ labels, detector, time }) => [labels, detector, rowOf(time)])).toEqual([[POD, 'toy', 55]])
    const state = stateOf(snapshots[0]!)
    expect(state).toMatchObject({ version: 1, seen: at(53), since: at(10), rows: 44 })
    expect(Object.keys(state)).not.toContain('life')
    expect(Object.keys(state)).not.toContain('transform')
    const again = compute(flow, [rows(55, 70)], 55, 70, { snapshots }).snapshots
    expect(stateOf(again[0]!)).toMatchObject({ seen: at(64), since: at(10), rows: 54 })
  })

  it('stays as it is where nothing is known, so that a clock that is far ahead of its source makes nothing forgotten', () => {
    expect(compute(flow, [rows(0, 20)], 0, 60).snapshots).toHaveLength(1)
    expect(compute(flow, [rows(0, 20)], 30, 60)).toMatchObject({ snapshots: [], forgotten: [] })
  })

  it('is the life of a series that may go missing', () => {
    const { snapshots } = compute(gone, [rows(0, 60, [], POD, row => row >= 10)], 0, 60, { models: 'none' })
    expect(stateOf(snapshots[0]!)).toMatchObject({ life: { first: at(10), last: at(54) } })
    expect(Object.keys(stateOf(snapshots[0]!))).not.toContain('rows')
    const presences = (remembered: readonly Snapshot[]) =>
      compute(gone, [rows(55, 60)], 55, 60, { models: 'none', snapshots: remembered }).presences
    expect(presences(snapshots)).toMatchObject([{ detector: 'gone', labels: POD, first: at(10), last: at(59) }])
    // Earlier versions remembered only when it was seen last.
    const { life: _, ...older } = stateOf(snapshots[0]!)
    expect(presences([{ ...snapshots[0]!, state: encodeState(older as never) }])).toMatchObject([
      { first: -Infinity, last: at(59) },
    ])
  })

  it('says nothing of a series that was never there', () => {
    const { presences } = compute(gone, [rows(0, 60, [], POD, () => false)], 0, 60, { models: 'none', knownUntil: at(60) })
    expect(presences).toEqual([])
  })

  it('is forgotten after `forget` where data may be missing, which ends the anomaly and says why', () => {
    const config = { ...gone, forget: 3 * HOUR }
    const { snapshots } = compute(config, [rows(0, 60)], 0, 60, { models: 'none' })
    const later = (to: number) => compute(config, [], 55, to, { models: 'none', snapshots, knownUntil: at(to) })
    expect(later(234)).toMatchObject({ forgotten: [], anomalies: [{ detector: 'gone', ongoing: true }] })
    expect(later(240)).toMatchObject({
      forgotten: [{ labels: POD, detector: 'gone' }],
      snapshots: [],
      anomalies: [{ ongoing: false, wording: { note: 'forgotten after 3h without data' } }],
    })
  })

  it('is of no use when it cannot be read: that series is left out and named, the others go on', () => {
    const frames = [rows(0, 60), rows(0, 60, [], { ...POD, pod: 'b' })]
    const { snapshots } = compute(flow, frames, 0, 60)
    const torn = snapshots.map(one => (one.labels.pod === 'a' ? { ...one, state: one.state.slice(0, -1) } : one))
    const {
      damaged,
      diagnostics,
      snapshots: next,
    } = compute(flow, [rows(55, 70), rows(55, 70, [], { ...POD, pod: 'b' })], 55, 70, { snapshots: torn })
    expect(damaged).toMatchObject([{ labels: POD, detector: 'toy', reason: expect.stringContaining('checksum') }])
    expect(diagnostics).toEqual([
      {
        level: 'warning',
        message: expect.stringMatching(
          /^what toy remembers of rps\{.*pod="a".*\} cannot be read \(.*checksum.*\): it learns anew/,
        ),
      },
    ])
    expect(next.map(({ labels }) => labels.pod)).toEqual(['b'])
  })

  it('of another configuration is as if it were not there', () => {
    const { snapshots } = compute(toyFlow({ refit: 99 }), [rows(0, 60)], 0, 60)
    const [again] = compute(flow, [rows(55, 70)], 55, 70, { snapshots }).snapshots
    expect(stateOf(again!)).toMatchObject({ since: at(55), rows: 10 })
  })

  it('is of use only to the same configuration', () => {
    const other = toyFlow({ refit: 99 })
    const { snapshots } = compute(flow, [rows(0, 60)], 0, 60)
    expect(fits(snapshots, flow, toyDetectors)).toBe(true)
    expect(fits([], other, toyDetectors)).toBe(true)
    expect(fits(snapshots, other, toyDetectors)).toBe(false)
    expect(streamState(snapshots[0]!.state, flow, flow.detect[0]!, toyDetectors)).toMatchObject({ version: 1, fresh: 55 })
    expect(streamState(snapshots[0]!.state, other, other.detect[0]!, toyDetectors)).toBeUndefined()
    expect(streamState(Uint8Array.of(1), flow, flow.detect[0]!, toyDetectors)).toBeUndefined()
    // One that is torn says nothing of the others.
    const torn = { ...snapshots[0]!, state: Uint8Array.of(1) }
    expect(fits([torn, ...snapshots], flow, toyDetectors)).toBe(true)
    expect(fits([torn, ...snapshots], other, toyDetectors)).toBe(false)
  })
})

describe('what a flow is made of', () => {
  const both = toyFlow(
    {},
    {
      detect: [
        { type: 'toy-learner', name: 'toy' },
        { type: 'absence', name: 'gone' },
      ],
    },
  )

  it('says how much history its detectors want, through its transforms', () => {
    expect(flowLookback(flow, toyDetectors)).toBe(0)
    expect(flowLookback(both, toyDetectors)).toBe(6 * HOUR)
    const difference = [{ type: 'difference', lag: '8h' }]
    expect(flowLookback({ ...both, transform: difference }, toyDetectors)).toBe(8 * HOUR)
    const resample = [{ type: 'resample', step: '1h' }]
    const resampled = flowLookback({ ...flow, transform: resample }, toyDetectors)
    expect(resampled).toBeGreaterThan(0)
    expect(flowLookback({ ...flow, transform: [...difference, ...resample] }, toyDetectors)).toBe(8 * HOUR + resampled)
  })

  it('says which of its detectors look for missing data, and whether any has models', () => {
    expect([...missingDataOf(both, toyDetectors).keys()]).toEqual(['gone'])
    expect(hasModels(both, toyDetectors)).toBe(true)
    expect(hasModels(toyFlow({}, { detect: [{ type: 'ewma', name: 'ewma' }] }), toyDetectors)).toBe(false)
  })
})

describe('parts of a flow that were computed apart', () => {
  it('are joined, each thing in order', () => {
    const pods = ['a', 'b'].map(pod => compute(flow, [rows(0, 60, [50], { ...POD, pod })], 0, 60, { models: [] }))
    const joined = joinFindings(pods)
    for (const key of ['anomalies', 'points', 'snapshots', 'forgotten', 'diagnostics', 'presences', 'workloads'] as const)
      expect(joined[key]).toEqual(pods.flatMap(part => part[key] as unknown[]))
    expect(joined).toMatchObject({ watermark: at(55), range: pods[0]!.range, series: 2, damaged: [] })
    expect(joined.wanted).toMatchObject([{ labels: { pod: 'a' } }])
  })

  it('are as far as the one that is furthest behind, and nowhere when nothing has data', () => {
    const part = compute(flow, [], 0, 60)
    const join = (...watermarks: number[]) => joinFindings(watermarks.map(watermark => ({ ...part, watermark }))).watermark
    expect(join(at(9), at(3), NaN)).toBe(at(3))
    expect(join(NaN)).toBeNaN()
  })
})
