import { describe, expect, it } from 'vitest'
import type { Anomaly } from '../anomaly.ts'
import { writeSentence } from '../refiners/sentence.ts'
import { believed, byStart, isTouched, type ReconcileOptions, reconcile, touchedSpan, withdrawn } from './reconcile.ts'
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
  const options = { flow: 'f', range: { start, end }, mergeGap: 5, now: 2000, annotations: { owner: 'web' }, ...more }
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
  expect(withdrawn(before, 3000)).toEqual({ kind: 'withdrawn', anomaly: after })
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
    expect(ids([stored(20, 30)], [found(35, 40)])).toMatchObject({ '35-40': 'updated from 20' })
    expect(ids([stored(20, 30)], [found(36, 40)])).toMatchObject({ '20-30': 'withdrawn from 20' })
    expect(ids([stored(45, 50)], [found(36, 40)])).toMatchObject({ '36-40': 'updated from 45' })
    expect(ids([stored(46, 50)], [found(36, 40)])).toMatchObject({ '46-50': 'withdrawn from 46' })
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
    expect(owner([by('a', 52)], stored(45, 50, { ...open, detector: 'a' }))).toEqual(['updated a 45', 'withdrawn old 40'])
  })
})

describe('the id of a new anomaly', () => {
  const first = look([], [0, 60], [found(40, 50)])[0].anomaly.id

  it('is another one when its own is taken, by one of the look or elsewhere in the store', () => {
    const before = stored(40, 58, { id: first })
    const ids = look([before], [0, 60], [found(20, 30), found(40, 45, { current: 8 })]).map(({ anomaly }) => anomaly.id)
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
})
