import { describe, expect, it } from 'vitest'
import type { Anomaly } from '../anomaly.ts'
import { writeSentence } from '../refiners/sentence.ts'
import { believed, byStart, horizonOf, isTouched, type ReconcileOptions, reconcile, touchedSpan, withdrawn } from './reconcile.ts'
import type { Change, StoredAnomaly } from './store.ts'

const found = (start: number, end: number, more: Partial<Anomaly> = {}): Anomaly => ({
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
const stored = (start: number, end: number, more: Partial<StoredAnomaly> = {}): StoredAnomaly => {
  const ongoing = more.status === 'open'
  return {
    ...found(start, end, { ongoing }),
    id: `from ${start}`,
    flow: 'f',
    version: 1,
    status: 'resolved',
    openedAt: 1000,
    updatedAt: 1000,
    annotations: { owner: 'dns' },
    ...more,
  }
}
const open = { status: 'open' } as const
function look(
  before: readonly StoredAnomaly[],
  range: [number, number],
  now: readonly Anomaly[],
  more: Partial<ReconcileOptions> = {},
) {
  const [start, end] = range
  const options = {
    flow: 'f',
    range: { start, end },
    mergeGap: 5,
    now: 2000,
    annotations: { owner: 'web' },
    horizon: -Infinity,
    find: (id: string) => before.find(one => one.id === id),
    ...more,
  }
  return reconcile(before, now, options)
}
const print = (changes: readonly Change[]) =>
  changes.map(({ kind, anomaly: { id, start, end } }) => `${kind} ${id}: ${start}-${end}`)

describe('the span that a look touches', () => {
  it('is the range and what was found, and the gap around them', () => {
    const options = { range: { start: 20, end: 60 }, mergeGap: 5 }
    expect(touchedSpan([], options)).toEqual({ start: 15, end: 65 })
    expect(touchedSpan([found(30, 40)], options)).toEqual({ start: 15, end: 65 })
    expect(touchedSpan([found(10, 30), found(50, 80)], options)).toEqual({ start: 5, end: 85 })
  })

  it('holds what reaches into it, and what is open before it', () => {
    const span = { start: 20, end: 60 }
    const is = (start: number, end: number, more?: Partial<StoredAnomaly>) => isTouched(stored(start, end, more), span)
    expect([is(60, 70), is(61, 70), is(61, 70, open)]).toEqual([true, false, false])
    expect([is(10, 20), is(10, 19), is(10, 19, open)]).toEqual([true, false, true])
    expect(is(30, 40, { status: 'withdrawn' })).toBe(false)
  })
})

it('the order of anomalies is by start, then by id', () => {
  const [a, b, c] = [stored(10, 20, { id: 'b' }), stored(10, 20, { id: 'c' }), stored(5, 90, { id: 'd' })]
  expect([b, c, a].toSorted(byStart)).toEqual([c, a, b])
  expect([a, b, c].toSorted(byStart)).toEqual([c, a, b])
})

it('a horizon is believed up to now', () => {
  expect([believed(99, 100), believed(100, 100), believed(101, 100)]).toEqual([99, 100, -Infinity])
})

it('a withdrawn anomaly is over, with its reason or none', () => {
  const before = stored(10, 20, { ...open, withdrawnBecause: 'an earlier reason' })
  const { withdrawnBecause: _, ...rest } = before
  const after = { ...rest, status: 'withdrawn', ongoing: false, version: 2, updatedAt: 3000 }
  expect(withdrawn(before, 3000)).toStrictEqual({ kind: 'withdrawn', anomaly: after })
  expect(withdrawn(before, 3000, 'it left').anomaly).toEqual({ ...after, withdrawnBecause: 'it left' })
})

describe('annotations', () => {
  it('are those of the flow now when the anomaly was found again, and as they were when it was not', () => {
    expect(look([stored(40, 50, open)], [0, 60], [found(40, 50, { ongoing: true })])).toMatchObject([
      { kind: 'updated', anomaly: { annotations: { owner: 'web' }, openedAt: 1000, updatedAt: 2000 } },
    ])
    expect(look([stored(40, 50, open)], [50, 60], [])).toMatchObject([
      { kind: 'resolved', anomaly: { annotations: { owner: 'dns' }, openedAt: 1000, updatedAt: 2000 } },
    ])
    expect(look([stored(10, 90)], [30, 60], [], { horizon: 90 })[1]).toMatchObject({
      kind: 'opened',
      anomaly: { annotations: { owner: 'dns' } },
    })
  })
})

it('a new anomaly has what was found, and no name of what it has not', () => {
  const [{ anomaly }] = look([], [0, 60], [found(40, 50)])
  expect(anomaly).toStrictEqual({
    ...found(40, 50),
    id: anomaly.id,
    flow: 'f',
    annotations: { owner: 'web' },
    openedAt: 2000,
    updatedAt: 2000,
    version: 1,
    status: 'open',
  })
})

describe('what an anomaly has besides its numbers', () => {
  const changed = (before: Partial<StoredAnomaly>, now: Partial<Anomaly>) =>
    look([stored(40, 50, { annotations: {}, ...before })], [0, 60], [found(40, 50, now)], { annotations: {} })

  it.each([
    ['shape', 'spike', 'dip'],
    ['numbers', { height: 1 }, { height: 2 }],
    ['numbers', { height: 1 }, { depth: 1 }],
    ['numbers', { height: 1 }, { height: 1, depth: 2 }],
    ['ignored', 'too short', 'during a deploy'],
    ['sentence', 'it is high', 'it is low'],
    ['notify', ['log'], ['hook']],
    ['wording', { unit: 's' }, { unit: 'bytes' }],
  ])('is changed when %s is', (name, a, b) => {
    expect(changed({ [name]: a }, { [name]: a })).toEqual([])
    expect(changed({ [name]: a }, { [name]: b })).toMatchObject([{ kind: 'updated', anomaly: { [name]: b } }])
    expect(changed({}, { [name]: b })).toMatchObject([{ anomaly: { [name]: b } }])
  })

  it.each([
    ['shape', 'spike'],
    ['numbers', { height: 1 }],
    ['sentence', 'it is high'],
  ])('is changed when %s goes', (name, a) => {
    const [{ kind, anomaly }] = changed({ [name]: a }, {})
    expect(kind).toBe('updated')
    expect(anomaly).not.toHaveProperty(name)
  })

  it('is not changed by what does not tell: null and an object are two things', () => {
    expect(changed({ labels: { job: 'dns' } }, { labels: { job: 'dns' } })).toEqual([])
    expect(changed({ numbers: { a: NaN } }, { numbers: { a: 0 } })).toHaveLength(1)
    expect(changed({ numbers: null as never }, { numbers: {} })).toHaveLength(1)
    expect(changed({ numbers: {} }, { numbers: null as never })).toHaveLength(1)
  })
})

describe('the sentence', () => {
  const wording = { name: 'requests' }
  const worded = (start: number, end: number, more: Partial<Anomaly> = {}) =>
    found(start, end, { wording, sentence: 'as found', ...more })

  it('stays as it was found while the anomaly is what was found', () => {
    expect(look([], [0, 60], [worded(40, 50, { ongoing: true })])[0].anomaly.sentence).toBe('as found')
  })

  it('is written anew when the anomaly goes on longer, or has ended since', () => {
    const before = stored(40, 50, { ...open, wording, sentence: 'as found', labels: {} })
    const [longer] = look([before], [50, 60], [worded(50, 60, { ongoing: true, strength: 1, labels: {} })])
    expect(longer.anomaly.sentence).toBe(writeSentence(longer.anomaly, { ...wording, now: 60 }))
    expect(longer.anomaly.sentence).not.toBe('as found')
    const [stronger] = look([before], [50, 60], [worded(50, 60, { ongoing: true, strength: 3, labels: {} })])
    expect(stronger.anomaly.sentence).toBe(writeSentence(stronger.anomaly, { ...wording, now: 60 }))
    const [ended] = look([before], [50, 60], [])
    expect(ended.anomaly.sentence).toBe(writeSentence(ended.anomaly, { ...wording, now: 50 }))
    expect(look([stored(40, 50, { ...open, sentence: 'as found' })], [50, 60], [])[0].anomaly.sentence).toBe('as found')
    expect(look([stored(40, 50, { ...open, wording })], [50, 60], [])[0].anomaly).not.toHaveProperty('sentence')
  })

  it('of missing data says for how long in all', () => {
    const missing = { shape: 'silence' as const, numbers: { missing: 12, other: 1 } }
    const before = stored(40, 50, { ...open, ...missing, wording, sentence: 'as found' })
    const [longer] = look([before], [50, 70], [worded(50, 70, { ...missing, ongoing: true, strength: 1 })])
    expect(longer.anomaly.numbers).toEqual({ missing: 30, other: 1 })
    const far = { ...missing, numbers: { missing: 500 } }
    const [kept] = look([stored(40, 50, { ...before, ...far })], [50, 70], [worded(50, 70, { ...far, ongoing: true })])
    expect(kept.anomaly.numbers).toEqual({ missing: 500 })
    const other = { numbers: { height: 1 }, strength: 1, ongoing: true }
    const [present] = look([{ ...before, ...other }], [50, 70], [worded(50, 70, other)])
    expect(present.anomaly.numbers).toStrictEqual({ height: 1 })
  })
})

describe('what stays of an anomaly', () => {
  const past = { horizon: 90 }

  it('that begins after the range is all of it', () => {
    expect(look([stored(40, 50)], [0, 38], [], past)).toEqual([])
    expect(look([stored(40, 50)], [0, 40], [], past)).toEqual([])
  })

  it('before and after a short look is one when what is between is within the gap', () => {
    expect(look([stored(10, 80)], [30, 35], [], past)).toEqual([])
    expect(print(look([stored(10, 80)], [30, 36], [], past))).toHaveLength(3)
  })

  it('has its numbers only where its peak is', () => {
    const currents = (peak: number) => look([stored(10, 80, { peak })], [30, 60], [], past).map(({ anomaly }) => anomaly.current)
    expect(currents(29)).toEqual([9, NaN, NaN])
    expect(currents(30)).toEqual([NaN, NaN, NaN])
    expect(currents(59)).toEqual([NaN, NaN, NaN])
    expect(currents(60)).toEqual([NaN, 9, 9])
  })

  it('is not what reaches beyond the newest look', () => {
    expect(print(look([stored(40, 53, open)], [0, 50], [], { horizon: 50 }))).toEqual(['withdrawn from 40: 40-53'])
  })

  it('is not joined with another one that was stored, only with what was found', () => {
    const two = [stored(10, 12), stored(14, 20)]
    expect(look(two, [0, 5], [], { ...past, mergeGap: 15 })).toEqual([])
  })
})

describe('stretches that are one', () => {
  it('are those found that overlap, not those that touch', () => {
    expect(look([], [0, 60], [found(10, 20), found(20, 30)]).map(({ kind }) => kind)).toEqual([
      'opened',
      'resolved',
      'opened',
      'resolved',
    ])
  })

  it('are the same in every order', () => {
    const now = [found(10, 30, { current: 1 }), found(10, 20, { current: 2 }), found(15, 40, { current: 3 })]
    const expected = look([], [0, 60], now)
    expect(expected[0].anomaly).toMatchObject({ start: 10, end: 40, current: 2 })
    expect(look([], [0, 60], now.toReversed())).toEqual(expected)
    expect(look([], [0, 60], [now[2], now[0], now[1]])).toEqual(expected)
  })

  it('are a stored one and what follows it, also when it was found again in whole or in part', () => {
    for (const again of [found(10, 30), found(15, 20)])
      expect(print(look([stored(10, 30)], [30, 60], [again, found(33, 40)]))).toEqual(['updated from 10: 10-40'])
  })

  it('go on when the one that ends last does', () => {
    const isOngoing = (...now: Anomaly[]) => look([], [0, 60], now).at(-1)!.anomaly.ongoing
    expect(isOngoing(found(10, 40, { ongoing: true }), found(20, 30))).toBe(true)
    expect(isOngoing(found(10, 40), found(20, 30, { ongoing: true }))).toBe(false)
    expect(isOngoing(found(10, 40), found(20, 40, { ongoing: true }))).toBe(true)
  })

  it('have the numbers of the strongest, of what was found among equals, and of one whose strength is known', () => {
    const current = (before: StoredAnomaly[], now: Anomaly[]) =>
      look(before, [50, 60], now, { horizon: 90 }).at(-1)!.anomaly.current
    expect(current([stored(40, 50)], [found(50, 60, { current: 7 })])).toBe(7)
    expect(current([stored(60, 70)], [found(50, 60, { current: 7 })])).toBe(7)
    expect(current([stored(40, 50)], [found(50, 60, { current: 7, strength: 1.9 })])).toBe(9)
    expect(current([], [found(50, 58, { strength: NaN, current: 7 }), found(55, 60)])).toBe(9)
  })

  it('have the reason of what was found when all are ignored', () => {
    const reason = (before: StoredAnomaly) =>
      look([{ ...before, ignored: 'too short' }], [50, 60], [found(50, 60, { ignored: 'a deploy' })], { horizon: 90 }).at(-1)!
        .anomaly.ignored
    expect([reason(stored(40, 50)), reason(stored(60, 70))]).toEqual(['a deploy', 'a deploy'])
  })
})

describe('one of several', () => {
  it('that became one is the one that people know, then the oldest, then the first', () => {
    const survivor = (...before: StoredAnomaly[]) =>
      look(before, [0, 60], [found(10, 40)]).find(({ kind }) => kind !== 'withdrawn')!.anomaly.id
    const first = stored(10, 20)
    const second = stored(30, 38)
    expect(survivor(first, second)).toBe('from 10')
    expect(survivor({ ...first, ignored: 'too short' }, second)).toBe('from 30')
    expect(survivor({ ...first, openedAt: 1001 }, second)).toBe('from 30')
    expect(survivor(first, { ...second, ignored: 'too short', openedAt: 999 })).toBe('from 10')
    expect(survivor({ ...first, start: 30, end: 38, id: 'z' }, { ...second, id: 'y' })).toBe('y')
    expect(survivor({ ...first, start: 30, end: 38, id: 'x' }, { ...second, id: 'y' })).toBe('x')
  })

  it('is the very same stretch before one that overlaps, and that before one that is near', () => {
    const ids = (before: StoredAnomaly[], now: Anomaly[]) =>
      Object.fromEntries(
        look(before, [0, 90], now).map(({ kind, anomaly }) => [`${anomaly.start}-${anomaly.end}`, `${kind} ${anomaly.id}`]),
      )
    const moved = { current: 8 }
    expect(ids([stored(10, 30, { openedAt: 1 }), stored(40, 50)], [found(40, 50, moved), found(28, 35, moved)])).toEqual({
      '28-35': 'updated from 10',
      '40-50': 'updated from 40',
    })
    expect(ids([stored(20, 30, { openedAt: 1 }), stored(33, 40)], [found(32, 38, moved)])).toEqual({
      '32-38': 'updated from 33',
      '20-30': 'withdrawn from 20',
    })
    // What only touches does not overlap.
    const older = { openedAt: 1 }
    expect(ids([stored(10, 20, older), stored(25, 30)], [found(20, 28)])).toMatchObject({ '20-28': 'updated from 25' })
    expect(ids([stored(10, 15), stored(28, 35, older)], [found(12, 28)])).toMatchObject({ '12-28': 'updated from 10' })
    expect(ids([stored(20, 30)], [found(35, 40)])).toMatchObject({ '35-40': 'updated from 20' })
    expect(ids([stored(20, 30)], [found(36, 40)])).toMatchObject({ '20-30': 'withdrawn from 20' })
    expect(ids([stored(45, 50)], [found(36, 40)])).toMatchObject({ '36-40': 'updated from 45' })
    expect(ids([stored(46, 50)], [found(36, 40)])).toMatchObject({ '46-50': 'withdrawn from 46' })
  })

  it('is the very same stretch, also where one of a detector that is gone overlaps it', () => {
    const gone = stored(0, 50, { ...open, detector: 'old', openedAt: 1 })
    const own = stored(10, 20, { detector: 'a' })
    const now = [found(10, 20, { detector: 'a' }), found(48, 60, { detector: 'a', ongoing: true })]
    const changes = look([gone, own], [0, 60], now, { detectors: ['a'], annotations: { owner: 'dns' } })
    expect(print(changes)).toEqual(['updated from 0: 48-60'])
  })

  it('of two detectors that found what a third one left is the one whose name comes first, near enough and without its own', () => {
    const gone = stored(40, 50, { ...open, detector: 'old' })
    const owner = (now: Anomaly[], ...own: StoredAnomaly[]) =>
      look([gone, ...own], [50, 60], now, { detectors: ['a', 'b'] }).map(
        ({ kind, anomaly }) => `${kind} ${anomaly.detector} ${anomaly.start}`,
      )
    const by = (detector: string, start: number) => found(start, 60, { detector, ongoing: true })
    expect(owner([by('b', 52), by('a', 52)])).toEqual(['updated a 40', 'opened b 52'])
    expect(owner([by('a', 52), by('b', 52)])).toEqual(['updated a 40', 'opened b 52'])
    expect(owner([by('a', 55)])).toEqual(['updated a 40'])
    expect(owner([by('a', 56)])).toEqual(['opened a 56', 'withdrawn old 40'])
    const before = (end: number) => look([gone], [20, 60], [found(25, end, { detector: 'a' })], { detectors: ['a'] })
    expect(print(before(35))).toEqual(['resolved from 40: 25-35'])
    expect(before(34).at(-1)).toMatchObject({ kind: 'withdrawn', anomaly: { id: 'from 40' } })
    expect(owner([by('a', 52)], stored(45, 50, { ...open, detector: 'a' }))).toEqual(['updated a 45', 'withdrawn old 40'])
  })
})

describe('the id of a new anomaly', () => {
  const first = look([], [0, 60], [found(40, 50)])[0].anomaly.id

  it('is another one when its own is taken, by one of the look or elsewhere in the store', () => {
    const before = stored(40, 58, { id: first })
    const grown = { ...before, start: 20 }
    const ids = look([grown], [0, 60], [found(20, 30), found(40, 45)]).map(({ anomaly }) => anomaly.id)
    expect(ids[0]).toBe(first)
    expect(new Set(ids).size).toBe(2)
    const elsewhere = look([], [0, 60], [found(40, 50)], { find: id => (id === first ? before : undefined) })
    expect(elsewhere[0].anomaly.id).not.toBe(first)
    expect(elsewhere[0].anomaly.version).toBe(1)
  })

  it('brings back one that was withdrawn, with its first time and its next version', () => {
    const before = stored(40, 58, { id: first, status: 'withdrawn', version: 7, openedAt: 500 })
    const [back] = look([], [0, 60], [found(40, 50, { ongoing: true })], { find: id => (id === first ? before : undefined) })
    expect(back).toMatchObject({ kind: 'opened', anomaly: { id: first, version: 8, openedAt: 500, updatedAt: 2000 } })
  })
})

it('an open anomaly that begins in the future by more than the gap is withdrawn', () => {
  const ahead = (start: number) => print(look([stored(start, start + 10, { ...open, id: 'x' })], [0, 60], [], { now: 100 }))
  expect(ahead(105)).toEqual([])
  expect(ahead(106)).toEqual(['withdrawn x: 106-116'])
  expect(look([stored(106, 116, { ...open, flow: 'other' })], [0, 60], [], { now: 100 })).toEqual([])
})

it('the horizon of a run is the end of the rows that it knew', () => {
  const range = { start: 20, end: 60 }
  const horizon = (from: number) => horizonOf({ range, unknown: { from, except: ['absence'], stretches: [] } })
  expect(horizonOf({ range })).toBe(60)
  expect([21, 40, 60, 61].map(horizon)).toEqual([21, 40, 60, 60])
  expect([19, 20].map(horizon)).toEqual([-Infinity, -Infinity])
})
