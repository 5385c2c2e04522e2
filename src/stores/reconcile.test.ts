import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Anomaly } from '../anomaly.ts'
import { believed, horizonOf, type ReconcileOptions, reconcile } from './reconcile.ts'
import type { Change, StoredAnomaly, UnknownRows } from './store.ts'

const strange = (start: number, end: number, more: Partial<Anomaly> = {}): Anomaly => ({
  labels: { __name__: 'up', job: 'dns' },
  detector: 'seasonal',
  start,
  end,
  peak: start,
  score: 5,
  strength: 2,
  direction: 'up',
  current: 9,
  expected: 3,
  lower: 2,
  upper: 4,
  ongoing: false,
  ...more,
})

/** A store of one flow, as far as anomalies go. */
function world() {
  const all = new Map<string, StoredAnomaly>()
  let horizon = -Infinity
  let now = 1000
  return {
    all,
    look(start: number, end: number, found: Anomaly[], more: Partial<ReconcileOptions> = {}): readonly Change[] {
      const options = {
        flow: 'f',
        range: { start, end },
        mergeGap: 5,
        now: now++,
        annotations: { owner: 'dns' },
        horizon,
        ...more,
      }
      const changes = reconcile([...all.values()], found, { ...options, find: id => all.get(id) })
      for (const { anomaly } of changes) all.set(anomaly.id, anomaly)
      horizon = Math.max(horizon, horizonOf({ range: options.range, ...(more.unknown && { unknown: more.unknown }) }))
      return changes
    },
  }
}

const live = ({ all }: ReturnType<typeof world>) => [...all.values()].filter(one => one.status !== 'withdrawn')
const print = (changes: readonly Change[]) =>
  changes.map(({ kind, anomaly: { start, end, version } }) => `${kind} ${start}-${end} v${version}`)
/** The id that an anomaly of a fresh store has when it starts there. */
const idFrom = (start: number) => world().look(start - 1, start + 10, [strange(start, start + 1)])[0].anomaly.id

/** `detectors`: those that the flow has then; without it nothing is known of others. */
type Look = [
  start: number,
  end: number,
  found: Anomaly[],
  changes: string[],
  detectors?: string[] | undefined,
  unknown?: UnknownRows,
]
const open = { ongoing: true }
const ignored = { ignored: 'too short' }
/** Nothing is known from there on; of the series only outside the stretches. */
const unknown = (from: number, times: number[] = [], except: string[] = []): UnknownRows => ({
  from,
  except,
  stretches: [{ labels: { __name__: 'up', job: 'dns' }, detector: 'seasonal', times: Float64Array.from(times) }],
})
const table: [name: string, ...Look[]][] = [
  ['nothing stored, nothing found', [0, 50, [], []]],
  ['new and going on: opened', [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']]],
  ['new and already over: opened, then resolved', [0, 50, [strange(10, 20)], ['opened 10-20 v1', 'resolved 10-20 v2']]],
  ['the same twice: nothing', [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']], [0, 50, [strange(40, 50, open)], []]],
  [
    'longer: updated',
    [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']],
    [0, 60, [strange(40, 60, open)], ['updated 40-60 v2']],
  ],
  [
    'shorter and over: resolved',
    [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']],
    [0, 60, [strange(40, 46)], ['resolved 40-46 v2']],
  ],
  [
    'other numbers: updated',
    [0, 50, [strange(10, 20)], ['opened 10-20 v1', 'resolved 10-20 v2']],
    [0, 50, [strange(10, 20, { current: 8 })], ['updated 10-20 v3']],
  ],
  [
    'NaN stays NaN: nothing',
    [0, 50, [strange(40, 50, { ...open, lower: NaN, numbers: { a: NaN } })], ['opened 40-50 v1']],
    [0, 50, [strange(40, 50, { ...open, lower: NaN, numbers: { a: NaN } })], []],
  ],
  ['gone: withdrawn', [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']], [0, 60, [], ['withdrawn 40-50 v2']]],
  [
    'gone and found again: the same one opens again',
    [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']],
    [0, 60, [], ['withdrawn 40-50 v2']],
    [0, 60, [strange(40, 60, open)], ['opened 40-60 v3']],
  ],
  [
    'touches a stored one from before the range: goes on, keeps its start',
    [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']],
    [50, 60, [strange(50, 60, open)], ['updated 40-60 v2']],
  ],
  [
    'starts within the gap of one from before the range: goes on',
    [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']],
    [50, 60, [strange(54, 60, open)], ['updated 40-60 v2']],
  ],
  [
    'starts beyond the gap: the old one ends, a new one opens',
    [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']],
    [50, 60, [strange(56, 60, open)], ['resolved 40-50 v2', 'opened 56-60 v1']],
  ],
  [
    'began before the range, nothing found after its start: ends where the range starts',
    [0, 50, [strange(30, 50, open)], ['opened 30-50 v1']],
    [40, 60, [], ['resolved 30-40 v2']],
  ],
  [
    'open, and the range begins after its end: resolved',
    [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']],
    [100, 120, [], ['resolved 40-50 v2']],
  ],
  ['over and far away: nothing', [0, 50, [strange(10, 20)], ['opened 10-20 v1', 'resolved 10-20 v2']], [40, 60, [], []]],
  [
    'over, and goes on within the gap: the same one opens again',
    [0, 50, [strange(40, 48)], ['opened 40-48 v1', 'resolved 40-48 v2']],
    [50, 60, [strange(52, 60, open)], ['opened 40-60 v3']],
  ],
  [
    'over, and went on within the gap until it was over again: updated',
    [0, 50, [strange(40, 48)], ['opened 40-48 v1', 'resolved 40-48 v2']],
    [50, 60, [strange(52, 56)], ['updated 40-56 v3']],
  ],
  [
    'two stored become one: the older survives',
    [0, 50, [strange(10, 20), strange(30, 40)], ['opened 10-20 v1', 'resolved 10-20 v2', 'opened 30-40 v1', 'resolved 30-40 v2']],
    [0, 50, [strange(10, 40)], ['updated 10-40 v3', 'withdrawn 30-40 v3']],
  ],
  [
    'one splits in two: the first keeps the id',
    [0, 50, [strange(10, 40)], ['opened 10-40 v1', 'resolved 10-40 v2']],
    [0, 50, [strange(10, 20), strange(30, 40)], ['updated 10-20 v3', 'opened 30-40 v1', 'resolved 30-40 v2']],
  ],
  [
    'becomes ignored: updated',
    [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']],
    [0, 50, [strange(40, 50, { ...open, ...ignored })], ['updated 40-50 v2']],
  ],
  [
    'not ignored any more, going on: opened',
    [0, 50, [strange(40, 50, { ...open, ...ignored })], ['opened 40-50 v1']],
    [0, 60, [strange(40, 60, open)], ['opened 40-60 v2']],
  ],
  [
    'not ignored any more, over: opened, then resolved',
    [0, 50, [strange(10, 20, ignored)], ['opened 10-20 v1', 'resolved 10-20 v2']],
    [0, 50, [strange(10, 20)], ['opened 10-20 v3', 'resolved 10-20 v4']],
  ],
  [
    'of a detector that is gone, found by another one: goes on, with its start',
    [0, 50, [strange(40, 50, { ...open, detector: 'old' })], ['opened 40-50 v1']],
    [50, 60, [strange(52, 60, { ...open, detector: 'new' })], ['updated 40-60 v2'], ['new']],
    [60, 70, [strange(60, 70, { ...open, detector: 'new' })], ['updated 40-70 v3'], ['new']],
  ],
  [
    'of a detector that is gone, found over by another one: resolved',
    [0, 50, [strange(40, 50, { ...open, detector: 'old' })], ['opened 40-50 v1']],
    [40, 60, [strange(40, 54, { detector: 'new' })], ['resolved 40-54 v2'], ['new']],
  ],
  [
    'of a detector that is gone, the same in every number: updated once',
    [0, 50, [strange(40, 50, { ...open, detector: 'old' })], ['opened 40-50 v1']],
    [0, 50, [strange(40, 50, { ...open, detector: 'new' })], ['updated 40-50 v2'], ['new']],
    [0, 50, [strange(40, 50, { ...open, detector: 'new' })], [], ['new']],
  ],
  [
    'of a detector that is gone, found by none: withdrawn',
    [0, 50, [strange(40, 50, { ...open, detector: 'old' })], ['opened 40-50 v1']],
    [50, 60, [], ['withdrawn 40-50 v2'], ['new']],
  ],
  [
    'of a detector that is gone, found elsewhere: withdrawn, and a new one opened',
    [0, 50, [strange(20, 30, { ...open, detector: 'old' })], ['opened 20-30 v1']],
    [0, 60, [strange(50, 60, { ...open, detector: 'new' })], ['opened 50-60 v1', 'withdrawn 20-30 v2'], ['new']],
  ],
  [
    'of a detector that is gone, beside that of one that stays: each has its own end',
    [
      0,
      50,
      [strange(40, 50, { ...open, detector: 'a' }), strange(42, 50, { ...open, detector: 'b' })],
      ['opened 40-50 v1', 'opened 42-50 v1'],
    ],
    [50, 60, [strange(50, 60, { ...open, detector: 'b' })], ['updated 42-60 v2', 'withdrawn 40-50 v2'], ['b']],
  ],
  [
    'of a detector that is gone, over: stays as it was',
    [0, 50, [strange(10, 20, { detector: 'old' })], ['opened 10-20 v1', 'resolved 10-20 v2']],
    [0, 60, [strange(12, 18, { detector: 'new' })], ['opened 12-18 v1', 'resolved 12-18 v2'], ['new']],
  ],
  ['an empty range says nothing', [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']], [50, 50, [], []]],
  ['a look at the past leaves what came later', [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']], [0, 30, [], []]],
  [
    'a look at the past that ends inside a stored one: the part after it stays',
    [0, 50, [strange(20, 50, open)], ['opened 20-50 v1']],
    [0, 30, [strange(22, 30, open)], ['updated 22-50 v2']],
  ],
  [
    'a look at the past finds none of the middle: two remain',
    [0, 90, [strange(10, 80)], ['opened 10-80 v1', 'resolved 10-80 v2']],
    [30, 60, [], ['updated 10-30 v3', 'opened 60-80 v1', 'resolved 60-80 v2']],
  ],
  [
    'a look at the past joins what stands on both sides',
    [0, 90, [strange(10, 30), strange(60, 80)], ['opened 10-30 v1', 'resolved 10-30 v2', 'opened 60-80 v1', 'resolved 60-80 v2']],
    [30, 60, [strange(30, 60, open)], ['updated 10-80 v3', 'withdrawn 60-80 v3']],
  ],
  [
    'a look at the past cannot open what a later look saw ending',
    [0, 90, [strange(20, 30)], ['opened 20-30 v1', 'resolved 20-30 v2']],
    [0, 30, [strange(20, 30, open)], []],
  ],
  [
    'the last step reaches over the range: what is shorter now is shorter',
    [0, 50, [strange(40, 53, open)], ['opened 40-53 v1']],
    [0, 50, [strange(40, 48)], ['resolved 40-48 v2']],
  ],
  [
    'open, and nothing is known of the range: stays open',
    [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']],
    [40, 70, [], [], undefined, unknown(40)],
    [50, 70, [], [], undefined, unknown(50)],
    [40, 80, [], [], undefined, unknown(30)],
    [40, 80, [strange(40, 80, open)], ['updated 40-80 v2']],
  ],
  [
    'over, and nothing is known of the range: stays',
    [0, 50, [strange(20, 30)], ['opened 20-30 v1', 'resolved 20-30 v2']],
    [20, 70, [], [], undefined, unknown(20)],
  ],
  [
    'open, and less is known than before: what is calm up to there has ended no sooner',
    [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']],
    [40, 70, [strange(40, 50, open)], [], undefined, unknown(54)],
    [50, 70, [], [], undefined, unknown(54)],
    [50, 70, [], ['resolved 40-50 v2'], undefined, unknown(55)],
  ],
  [
    'found by a detector that looks for missing data: all of the range is known to it',
    [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']],
    [40, 70, [], ['withdrawn 40-50 v2'], undefined, unknown(40, [], ['seasonal'])],
  ],
  [
    'gone in rows of its series that are unknown now: stays, and ends after the gap',
    [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']],
    [40, 54, [], [], undefined, unknown(54, [40, 54])],
    [40, 55, [], ['resolved 40-50 v2'], undefined, unknown(55, [40, 55])],
    [40, 60, [strange(40, 60, open)], ['opened 40-60 v3']],
  ],
  [
    'gone in rows of its series of which some are unknown now: those stay',
    [0, 90, [strange(40, 60)], ['opened 40-60 v1', 'resolved 40-60 v2']],
    [30, 90, [], ['updated 40-45 v3', 'opened 55-60 v1', 'resolved 55-60 v2'], undefined, unknown(90, [20, 45, 55, 99])],
  ],
  [
    'gone in rows of another series that are unknown now: withdrawn',
    [0, 50, [strange(40, 50, { ...open, detector: 'ewma' })], ['opened 40-50 v1']],
    [40, 54, [], ['withdrawn 40-50 v2'], undefined, unknown(54, [40, 54])],
  ],
  [
    'open, and calm in the range for less than the gap: stays open',
    [0, 50, [strange(40, 50, open)], ['opened 40-50 v1']],
    [50, 54, [], []],
    [51, 55, [], ['resolved 40-50 v2']],
  ],
  [
    'a look at the past ends nothing that a later look saw going on',
    [0, 54, [strange(40, 50, open)], ['opened 40-50 v1']],
    [0, 52, [strange(40, 50, open)], []],
    [50, 52, [], []],
    [0, 52, [strange(40, 46, open)], ['resolved 40-46 v2']],
  ],
  ['found ones that overlap are one', [0, 50, [strange(10, 30), strange(20, 40)], ['opened 10-40 v1', 'resolved 10-40 v2']]],
]

describe('the decision table of reconcile', () => {
  for (const [name, ...looks] of table)
    it(name, () => {
      const store = world()
      for (const [start, end, found, expected, detectors, unknown] of looks) {
        const more = { ...(detectors && { detectors }), ...(unknown && { unknown }) }
        expect(print(store.look(start, end, found, more))).toEqual(expected)
        expect(print(store.look(start, end, found, more)), 'said twice').toEqual([])
      }
    })
})

describe('reconcile', () => {
  it('keeps the id of the first start through extension, end and re-opening', () => {
    const store = world()
    store.look(0, 50, [strange(40, 50, open)])
    store.look(50, 60, [strange(50, 55)])
    const [change] = store.look(60, 70, [strange(60, 70, open)])
    expect(change).toMatchObject({ kind: 'opened', anomaly: { id: idFrom(40), start: 40, end: 70, status: 'open', version: 3 } })
  })

  it('gives the same ids on a replay into an empty store, others to other series, detectors and flows', () => {
    const found = [
      strange(10, 20),
      strange(10, 20, { detector: 'ewma' }),
      strange(10, 20, { labels: { __name__: 'up', job: 'web' } }),
    ]
    const ids = (flow: string) => [
      ...new Set(
        world()
          .look(0, 50, found, { flow })
          .map(({ anomaly }) => anomaly.id),
      ),
    ]
    expect(ids('f')).toEqual(ids('f'))
    expect(new Set([...ids('f'), ...ids('g')]).size).toBe(6)
  })

  it('does not depend on the order of what it is given', () => {
    const found = [strange(10, 20), strange(30, 40), strange(12, 18, { detector: 'ewma' })]
    const first = world().look(0, 50, found)
    expect(world().look(0, 50, [...found].toReversed(), {})).toEqual(first)
  })

  it('finds another id when the old owner lives elsewhere', () => {
    const store = world()
    store.look(0, 90, [strange(10, 50)])
    const changes = store.look(0, 90, [strange(10, 12), strange(40, 50)])
    expect(changes.map(({ anomaly }) => anomaly.id)[0]).toBe(idFrom(10))
    store.look(0, 90, [strange(40, 50)])
    store.look(0, 90, [strange(10, 12), strange(40, 50)])
    expect(new Set(store.all.keys()).size).toBe(store.all.size)
    expect(
      live(store)
        .map(({ start }) => start)
        .sort(),
    ).toEqual([10, 40])
  })

  it('takes the numbers of the strangest part that is still valid', () => {
    const store = world()
    store.look(0, 50, [strange(30, 50, { ...open, peak: 32, strength: 9, current: 99 })])
    expect(store.look(50, 60, [strange(50, 60, { ...open, strength: 3, current: 33 })])[0].anomaly).toMatchObject({
      peak: 32,
      strength: 9,
      current: 99,
    })
    expect(store.look(60, 70, [strange(60, 70, { ...open, peak: 65, strength: 12, current: 120 })])[0].anomaly).toMatchObject({
      peak: 65,
      current: 120,
    })
    const [ended] = store.look(62, 80, [])
    expect(ended).toMatchObject({ kind: 'resolved', anomaly: { start: 30, end: 62, peak: 30, current: NaN, strength: 12 } })
    expect(ended.anomaly.sentence).toBeUndefined()
  })

  it('stays told when only the part that is looked at again is ignored, and is told when the new part is not ignored', () => {
    const store = world()
    store.look(0, 50, [strange(30, 50, open)])
    expect(store.look(45, 60, [strange(45, 60, { ...open, ignored: 'too short' })])[0].anomaly).not.toHaveProperty('ignored')
    const other = world()
    other.look(0, 50, [strange(48, 50, { ...open, ignored: 'too short' })])
    expect(print(other.look(50, 60, [strange(50, 60, open)]))).toEqual(['opened 48-60 v2'])
  })

  it('leaves other flows, series and detectors alone', () => {
    const store = world()
    store.look(0, 50, [strange(40, 50, open)])
    expect(store.look(0, 50, [], { flow: 'g' })).toEqual([])
    expect(print(store.look(0, 50, [strange(40, 50, open), strange(40, 50, { ...open, detector: 'ewma' })]))).toEqual([
      'opened 40-50 v1',
    ])
  })

  it('believes "ongoing" again after a clock that ran ahead', () => {
    const look = (horizon: number) =>
      world()
        .look(0, 50, [strange(40, 50, open)], { horizon })
        .at(-1)!.anomaly.status
    expect(look(believed(9000, 60))).toBe('open')
    expect(look(believed(55, 60))).toBe('resolved')
  })

  const runs = fc.array(
    fc.record({
      start: fc.integer({ min: 0, max: 60 }),
      length: fc.integer({ min: 1, max: 40 }),
      cuts: fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 6 }),
      ongoing: fc.boolean(),
      ignored: fc.boolean(),
      detector: fc.constantFrom('a', 'b'),
    }),
    { maxLength: 12 },
  )
  it('withdraws what is open and begins in the future: the clock was ahead when it was found', () => {
    const store = world()
    store.look(0, 5000, [strange(10, 20), strange(4000, 4500), strange(4900, 5000, open)], { now: 5000 })
    const changes = store.look(30, 100, [], { now: 100, horizon: believed(5000, 100) })
    expect(print(changes)).toEqual(['withdrawn 4900-5000 v2'])
    expect(changes[0].anomaly.withdrawnBecause).toBe('the clock was set back to before it began')
  })

  it('keeps the id when another detector goes on with it, and says why nobody does', () => {
    const store = world()
    const [{ anomaly }] = store.look(0, 50, [strange(40, 50, { ...open, detector: 'old' })])
    const [passed] = store.look(50, 60, [strange(50, 60, { ...open, detector: 'new' })], { detectors: ['new'] })
    expect(passed.anomaly).toMatchObject({ id: anomaly.id, detector: 'new', start: 40, openedAt: anomaly.openedAt })
    const [gone] = store.look(60, 70, [], { detectors: ['newest'] })
    expect(gone.anomaly).toMatchObject({
      id: anomaly.id,
      status: 'withdrawn',
      withdrawnBecause: 'detector new is not configured any more',
    })
    const [back] = store.look(40, 70, [strange(40, 70, { ...open, detector: 'old' })], { detectors: ['old'] })
    expect(back.anomaly.withdrawnBecause).toBeUndefined()
  })

  it('leaves anomalies of another series where they are when a detector goes', () => {
    const store = world()
    const b = { labels: { job: 'b' } }
    store.look(0, 50, [strange(40, 50, { ...open, detector: 'old' }), strange(40, 50, { ...open, ...b, detector: 'old' })])
    const changes = store.look(50, 60, [strange(50, 60, { ...open, ...b, detector: 'new' })], { detectors: ['new'] })
    expect(changes.map(({ kind, anomaly }) => [kind, anomaly.labels.job])).toEqual([
      ['updated', 'b'],
      ['withdrawn', 'dns'],
    ])
  })

  it('says the same in the same order, however the store lists what it has', () => {
    const store = world()
    store.look(0, 50, [strange(10, 12), strange(20, 22), strange(30, 32, { labels: { job: 'b' } }), strange(40, 42)])
    const look = (stored: readonly StoredAnomaly[]) =>
      reconcile(stored, [], {
        flow: 'f',
        range: { start: 0, end: 50 },
        mergeGap: 5,
        now: 2000,
        annotations: {},
        horizon: 50,
        find: id => store.all.get(id),
      })
    const stored = [...store.all.values()]
    expect(look(stored)).toHaveLength(4)
    expect(look(stored.toReversed())).toEqual(look(stored))
  })

  it('holds its invariants over any sequence of looks', () => {
    fc.assert(
      fc.property(runs, looks => {
        const store = world()
        for (const { start, length, cuts, ongoing, ignored: isIgnored, detector } of looks) {
          const end = start + length
          const edges = cuts.map(cut => start + Math.min(cut, length)).sort((a, b) => a - b)
          const found: Anomaly[] = []
          for (let i = 0; i + 1 < edges.length; i += 2)
            if (edges[i] < edges[i + 1])
              found.push(
                strange(edges[i], edges[i + 1], {
                  detector,
                  ongoing: ongoing && edges[i + 1] === end,
                  ...(isIgnored && ignored),
                }),
              )
          const versions = new Map([...store.all].map(([id, { version }]) => [id, version]))
          for (const { anomaly } of store.look(start, end, found)) {
            expect(anomaly.version).toBe((versions.get(anomaly.id) ?? 0) + 1)
            versions.set(anomaly.id, anomaly.version)
          }
          expect(print(store.look(start, end, found))).toEqual([])
          const all = live(store)
          for (const one of all) {
            expect(one.status).toBe(one.ongoing ? 'open' : 'resolved')
            expect(one.peak >= one.start && one.peak < one.end).toBe(true)
            for (const other of all)
              if (one !== other && one.detector === other.detector)
                expect(one.start < other.end && one.end > other.start).toBe(false)
          }
          for (const each of found)
            expect(all.some(one => one.detector === each.detector && one.start <= each.start && one.end >= each.end)).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })
})
