import { describe, expect, it } from 'vitest'
import type { Anomaly, Labels } from '../anomaly.ts'
import { HOUR, MINUTE } from '../duration.ts'
import type { Target } from '../sources/source.ts'
import type { Snapshot, StoredAnomaly } from '../stores/store.ts'
import { sampleAnomaly, sampleScores } from '../testing/store-laws.ts'
import { dropUnreportedPoints, explainMissing, missingCases, needsTarget, REASONS } from './missing-data.ts'
import type { MissingInput } from './missing-view.ts'
import type { Presence } from './presence.ts'

/** The newest row; those that are missing had their last row at 90. */
const NEWEST = 100
const at = (minute: number) => Date.UTC(2026, 0, 5) + minute * MINUTE
const minuteOf = (time: number) => (time - at(0)) / MINUTE
const pod = (name: string, app = 'shop'): Labels => ({ __name__: 'rps', pod: name, app })

const presence = (labels: Labels, last: number, first = 0): Presence => ({
  labels,
  detector: 'absence',
  first: at(first),
  last: at(last),
  tolerance: 4 * MINUTE,
})
const live = (...all: Labels[]) => all.map(labels => presence(labels, NEWEST))
const gone = (labels: Labels, last = 90, first = 0) => presence(labels, last, first)

const missing = (labels: Labels, more: Partial<Anomaly> = {}): Anomaly =>
  sampleAnomaly({
    labels,
    detector: 'absence',
    start: at(93),
    end: at(NEWEST + 1),
    current: NaN,
    expected: NaN,
    shape: 'silence',
    numbers: { missing: 1 },
    sentence: 'a sentence',
    wording: { name: 'web' },
    ...more,
  })
const storedAs = (anomaly: Anomaly, more: Partial<StoredAnomaly> = {}): StoredAnomaly => ({
  ...anomaly,
  id: '1',
  version: 1,
  flow: 'web',
  status: 'open',
  openedAt: 0,
  updatedAt: 0,
  annotations: {},
  ...more,
})

interface Scene {
  readonly presences: readonly Presence[]
  readonly anomalies: readonly Anomaly[]
  readonly stored?: readonly StoredAnomaly[]
  readonly targets?: readonly Target[]
  readonly watermark?: number
  readonly start?: number
  readonly forgotten?: MissingInput['findings']['forgotten']
}

function inputOf({ presences, anomalies, stored = [], watermark = NEWEST - 5, start = 50, forgotten = [] }: Scene): MissingInput {
  const snapshots = presences.map(
    ({ labels, detector }): Snapshot => ({ labels, detector, time: at(watermark), state: new Uint8Array() }),
  )
  return {
    config: { name: 'web', query: { source: 's', expr: 'x', step: MINUTE }, detect: [{ type: 'absence', name: 'absence' }] },
    kinds: new Map([['absence', { isMissing: Number.isNaN, grace: 10 * MINUTE }]]),
    stored,
    findings: {
      anomalies,
      presences,
      snapshots,
      points: [],
      forgotten,
      watermark: at(watermark),
      diagnostics: [],
      range: { start: at(start), end: at(NEWEST + 1) },
      series: 0,
      wanted: [],
      workloads: [],
    },
  }
}
function explain(scene: Scene) {
  const input = inputOf(scene)
  return explainMissing(input, missingCases(input), scene.targets ?? [])
}
/** Who is reported or why not, by pod; groups by their labels. */
const said = (scene: Scene) =>
  explain(scene).anomalies.map(({ labels, ignored = 'reported' }) => `${labels.pod ?? labels.app ?? 'flow'}: ${ignored}`)
const forgottenBy = (scene: Scene) => explain(scene).forgotten.map(({ labels }) => labels.pod)

describe('which anomalies are of missing data', () => {
  const [lost] = [pod('a')]
  const cases = (anomaly: Anomaly, more: Partial<Scene> = {}) =>
    missingCases(inputOf({ presences: [gone(lost!)], anomalies: [anomaly], ...more }))

  it('are those of a detector of it whose series is known, is missing, and that no refiner ignored', () => {
    expect(cases(missing(lost!))).toHaveLength(1)
    expect(cases(missing(lost!, { current: 5 }))).toEqual([])
    expect(cases(missing(lost!, { ignored: 'too short' }))).toEqual([])
    expect(cases(missing(lost!, { detector: 'ewma' }))).toEqual([])
    expect(cases(missing(pod('never there')))).toEqual([])
  })

  it('are missing now when they go on and the series is not live', () => {
    expect(cases(missing(lost!))).toMatchObject([{ now: true }])
    expect(cases(missing(lost!, { ongoing: false }))).toMatchObject([{ now: false }])
    expect(cases(missing(lost!), { presences: [gone(lost!, 98)] })).toMatchObject([{ now: false }])
    expect(cases(missing(lost!), { presences: [gone(lost!, 97)] })).toMatchObject([{ now: true }])
  })

  it('are known from an earlier run when that found one at the same time', () => {
    const idOf = (start: number, end: number, more: Partial<StoredAnomaly> = {}) =>
      cases(missing(lost!), { stored: [storedAs(missing(lost!, { start: at(start), end: at(end) }), more)] })[0]!.stored?.id
    expect(idOf(93, 95)).toBe('1')
    expect(idOf(80, 93)).toBe('1')
    expect(idOf(80, 92)).toBeUndefined()
    expect(idOf(100, 110)).toBe('1')
    expect(idOf(101, 110)).toBeUndefined()
    expect(idOf(93, 95, { labels: pod('b') })).toBeUndefined()
    expect(idOf(93, 95, { detector: 'other' })).toBeUndefined()
  })

  it('need their target unless they are over, or explained already', () => {
    const need = (more: Partial<Anomaly>, stored?: string) =>
      needsTarget(cases(missing(lost!, more), { stored: stored ? [storedAs(missing(lost!), { ignored: stored })] : [] })[0]!)
    expect(need({})).toBe(true)
    expect(need({}, REASONS.inFlow)).toBe(true)
    expect(need({ ongoing: false })).toBe(false)
    expect(need({}, REASONS.replaced)).toBe(false)
    expect(need({}, REASONS.undiscovered)).toBe(false)
  })
})

describe('one series', () => {
  const a = pod('a')
  const others = live(pod('x', 'x'), pod('y', 'y'))

  it('is reported with since when it is missing and how many others have data', () => {
    const [one] = explain({ presences: [gone(a), ...others], anomalies: [missing(a)] }).anomalies
    expect(one).toMatchObject({
      ongoing: true,
      numbers: { missing: 11 * MINUTE, since: at(90), siblings: 2, expected: 3 },
      wording: { name: 'web' },
    })
    expect(one).not.toHaveProperty('ignored')
    expect(one!.wording).not.toHaveProperty('note')
    expect(one!.sentence).toContain('2 of 3 series of the flow have data')
  })

  it('does not count others whose absence is explained among those that are expected', () => {
    const b = pod('b', 'other')
    const scene = {
      presences: [gone(a), gone(b), ...others],
      anomalies: [missing(a), missing(b)],
      stored: [storedAs(missing(b), { ignored: REASONS.undiscovered })],
    }
    expect(explain(scene).anomalies[0]!.numbers).toMatchObject({ siblings: 2, expected: 3 })
  })

  it('says nothing of others where none has data', () => {
    const [one] = explain({ presences: [gone(a)], anomalies: [missing(a)] }).anomalies
    expect(one!.numbers).toEqual({ missing: 11 * MINUTE, since: at(90) })
  })

  it.each([true, false])('says whether its target is up: %s', up => {
    const [one] = explain({ presences: [gone(a), ...others], anomalies: [missing(a)], targets: [{ labels: a, up }] }).anomalies
    expect(one!.wording!.note).toBe(up ? 'target up' : 'target down')
  })

  it('is explained when its target is no longer discovered while those of others are', () => {
    const scene = { presences: [gone(a), ...others], anomalies: [missing(a)], targets: [{ labels: pod('x', 'x'), up: true }] }
    const { anomalies, forgotten, snapshots } = explain(scene)
    expect(anomalies).toMatchObject([
      { ignored: REASONS.undiscovered, ongoing: false, numbers: { since: at(90) }, wording: { note: REASONS.undiscovered } },
    ])
    expect(forgotten).toEqual([{ labels: a, detector: 'absence' }])
    expect(snapshots.map(({ labels }) => labels.pod)).toEqual(['x', 'y'])
    const before = [a, pod('z')].map(labels => ({ labels, detector: 'absence' }))
    expect(explain({ ...scene, forgotten: before }).forgotten).toEqual([before[1], before[0]])
  })

  it('is forgotten only when no later run reads its last rows, or those of the anomaly, again', () => {
    const scene = (watermark: number, last = 90) => ({
      presences: [gone(a, last), ...others],
      anomalies: [missing(a)],
      targets: [{ labels: pod('x', 'x'), up: true }],
      watermark,
    })
    expect([93, 94].map(watermark => forgottenBy(scene(watermark)))).toEqual([[], ['a']])
    expect([95, 96].map(watermark => forgottenBy(scene(watermark, 95)))).toEqual([[], ['a']])
  })

  it.each([REASONS.replaced, REASONS.undiscovered])('stays explained when an earlier run said: %s', ignored => {
    const scene = { presences: [gone(a), ...others], anomalies: [missing(a)], stored: [storedAs(missing(a), { ignored })] }
    expect(said(scene)).toEqual([`a: ${ignored}`])
  })

  it('that an earlier run reported alone stays alone', () => {
    const b = pod('b', 'other')
    const scene = { presences: [gone(a), gone(b)], anomalies: [missing(a), missing(b)], stored: [storedAs(missing(a))] }
    expect(said(scene)).toEqual(['a: reported', 'b: reported'])
  })
})

describe('a series that is over', () => {
  const a = pod('a')
  const over = missing(a, { ongoing: false, start: at(93), end: at(96) })
  const presences = [presence(a, NEWEST), ...live(pod('b'))]

  it('keeps what was said of it', () => {
    const before = { ignored: REASONS.inFlow, wording: { name: 'web', note: 'target down' }, numbers: { since: at(88) } }
    expect(explain({ presences, anomalies: [over], stored: [storedAs(over, before)] }).anomalies).toMatchObject([
      { ignored: REASONS.inFlow, wording: { note: 'target down' }, numbers: { since: at(88), missing: 8 * MINUTE } },
      { labels: {} },
    ])
    const { wording: _, numbers: __, ...bare } = storedAs(over)
    expect(explain({ presences, anomalies: [over], stored: [bare] }).anomalies).toMatchObject([{ numbers: { missing: 1 } }])
    const [plain] = explain({ presences, anomalies: [over], stored: [storedAs(over)] }).anomalies
    expect(plain).toEqual(expect.objectContaining({ numbers: { missing: 1 } }))
    expect(plain).not.toHaveProperty('ignored')
    // What a refiner ignored before is judged anew.
    const [anew] = explain({ presences, anomalies: [over], stored: [storedAs(over, { ignored: 'too short' })] }).anomalies
    expect(anew).not.toHaveProperty('ignored')
  })

  it('that came and went between two runs is reported when it was away for long, or has nobody beside it', () => {
    const away = (minutes: number, beside = presences) =>
      said({ presences: beside, anomalies: [missing(a, { ongoing: false, start: at(60), end: at(60 + minutes) })] })
    expect(away(9)).toEqual([`a: ${REASONS.waiting}`])
    expect(away(10)).toEqual(['a: reported'])
    expect(away(9, [presence(a, NEWEST)])).toEqual(['a: reported'])
  })
})

describe('a series of a workload', () => {
  const [a, b, c] = [pod('a'), pod('b'), pod('c')]

  it('is replaced when as many live as did before it vanished', () => {
    const scene = { presences: [gone(a!), ...live(b!), presence(c!, NEWEST, 92)], anomalies: [missing(a!)] }
    expect(explain(scene).anomalies).toMatchObject([
      { ignored: REASONS.replaced, ongoing: false, wording: { note: REASONS.replaced } },
    ])
  })

  it('that did not live for long is not replaced by nobody', () => {
    expect(said({ presences: [gone(a!, 90, 60), ...live(pod('x', 'x'))], anomalies: [missing(a!)] })).toEqual(['a: reported'])
  })

  it('waits for another one to take its place, for as long as the grace', () => {
    const scene = (last: number) => ({ presences: [gone(a!, last), ...live(b!)], anomalies: [missing(a!)] })
    expect(said(scene(91))).toEqual([`a: ${REASONS.waiting}`])
    expect(said(scene(90))).toEqual([`a: ${REASONS.inWorkload}`, 'shop: reported'])
  })

  it('is reported for the workload, with how many of how many have data', () => {
    const presences = [gone(a!, 85), gone(b!), ...live(c!), ...live(pod('x', 'x'))]
    const anomalies = [missing(a!, { strength: 7 }), missing(b!, { start: at(95), strength: 3 })]
    const group = explain({ presences, anomalies }).anomalies.at(-1)!
    expect(group).toMatchObject({
      labels: { __name__: 'rps', app: 'shop' },
      start: at(93),
      end: at(NEWEST + 1),
      strength: 7,
      current: 1,
      expected: 3,
      lower: NaN,
      upper: NaN,
      direction: 'down',
      ongoing: true,
      numbers: { missing: 16 * MINUTE, since: at(85), live: 1, known: 3 },
    })
    expect(group.sentence).toContain('2 of 3 series')
    expect(group.sentence).toContain('had no data for 16m, since 01:25 UTC')
    expect(explain({ presences, anomalies: anomalies.toReversed() }).anomalies.at(-1)).toMatchObject({ strength: 7 })
    const plain = anomalies.map(anomaly => {
      const { sentence: _, ...rest } = anomaly
      return rest
    })
    expect(explain({ presences, anomalies: plain }).anomalies.at(-1)).not.toHaveProperty('sentence')
  })

  it('is replaced when fewer live because its workload was made smaller', () => {
    const presences = [gone(a!), gone(b!), ...live(c!), presence(pod('d'), NEWEST, 92)]
    // Two of three are left: b was taken away for good, d took the place of a.
    const scene = (targets: readonly Target[]) => ({ presences, anomalies: [missing(a!), missing(b!)], targets })
    const discovered = [a!, c!].map(labels => ({ labels, up: true }))
    expect(said(scene(discovered))).toEqual([`a: ${REASONS.replaced}`, `b: ${REASONS.undiscovered}`])
    const all = [...discovered, { labels: b!, up: true }]
    expect(said(scene(all)).slice(0, 2)).toEqual([`a: ${REASONS.inWorkload}`, `b: ${REASONS.inWorkload}`])
  })

  it('is counted apart from other workloads that lose one at the same time', () => {
    const other = ['x', 'y', 'z'].map(name => pod(name, 'till'))
    const presences = [gone(a!), presence(b!, NEWEST, 92), gone(other[0]!), ...live(other[1]!, other[2]!)]
    expect(said({ presences, anomalies: [missing(a!), missing(other[0]!)] })).toEqual([
      `a: ${REASONS.replaced}`,
      `x: ${REASONS.inWorkload}`,
      'till: reported',
    ])
  })

  it('is reported itself when it was the only one', () => {
    expect(said({ presences: [gone(a!), ...live(pod('x', 'x'))], anomalies: [missing(a!)] })).toEqual(['a: reported'])
  })

  it('says what all of them say of their targets, and nothing when they differ', () => {
    const note = (...ups: boolean[]) => {
      const presences = [gone(a!), gone(b!), ...live(pod('x', 'x'))]
      const targets = [a!, b!].map((labels, i) => ({ labels, up: ups[i]! }))
      return explain({ presences, anomalies: [missing(a!), missing(b!)], targets }).anomalies.at(-1)!.wording!.note
    }
    expect(note(false, false)).toBe('target down')
    expect(note(true, false)).toBeUndefined()
  })

  it('stays with its workload as long as an earlier run reported it there', () => {
    const stored = [storedAs(missing(a!), { ignored: REASONS.inWorkload })]
    expect(said({ presences: [gone(a!, 95), ...live(b!)], anomalies: [missing(a!)], stored })).toEqual([
      `a: ${REASONS.inWorkload}`,
      'shop: reported',
    ])
  })

  it('that was replaced counts for as many as live and for an hour, then it is forgotten', () => {
    const names = Array.from({ length: 5 }, (_, i) => `old-${i}`)
    const scene = (age: number): Scene => ({
      // Two at any time, each lives for two minutes.
      presences: [...names.map((name, i) => gone(pod(name), NEWEST - age - 2 * i, NEWEST - age - 2 * i - 4)), ...live(b!, c!)],
      anomalies: names.map((name, i) => missing(pod(name), { start: at(NEWEST - age - 2 * i + 3) })),
      start: -100,
    })
    expect(forgottenBy(scene(20))).toEqual(['old-2', 'old-3', 'old-4'])
    expect(forgottenBy(scene(60))).toEqual(['old-1', 'old-2', 'old-3', 'old-4'])
    expect(forgottenBy(scene(61))).toEqual(names)
    const { presences, anomalies, start } = scene(20)
    expect(forgottenBy({ presences, anomalies: anomalies.toReversed(), start: start! }).toSorted()).toEqual([
      'old-2',
      'old-3',
      'old-4',
    ])
  })

  it('that was replaced counts in its own workload', () => {
    const pairs = ['shop', 'till'].flatMap(app => [pod(`old-${app}`, app), pod(`new-${app}`, app)])
    const [oldShop, newShop, oldTill, newTill] = pairs
    expect(
      explain({
        presences: [gone(oldShop!), presence(newShop!, NEWEST, 92), gone(oldTill!), presence(newTill!, NEWEST, 92)],
        anomalies: [missing(oldShop!), missing(oldTill!)],
      }),
    ).toMatchObject({ forgotten: [], anomalies: [{ ignored: REASONS.replaced }, { ignored: REASONS.replaced }] })
  })
})

describe('many series', () => {
  const hosts = (count: number, from = 0) => Array.from({ length: count }, (_, i): Labels => ({ host: `h${from + i}` }))
  const scene = (lost: number, left: number, stored: readonly StoredAnomaly[] = []): Scene => ({
    presences: [...hosts(lost).map(labels => gone(labels)), ...live(...hosts(left, 100))],
    anomalies: hosts(lost).map(labels => missing(labels)),
    stored,
  })
  const reasons = (given: Scene) =>
    explain(given).anomalies.map(({ labels, ignored = 'reported' }) => (labels.host ? ignored : `flow ${ignored}`))

  it('that are all of the flow are reported once for it', () => {
    const group = explain(scene(3, 0)).anomalies.at(-1)!
    expect(reasons(scene(3, 0))).toEqual([REASONS.inFlow, REASONS.inFlow, REASONS.inFlow, 'flow reported'])
    expect(group).toMatchObject({ labels: {}, current: 0, expected: 3, wording: { name: 'web' }, ongoing: true })
    expect(group.sentence).toMatch(/^web: all 3 series have had no data for 11m/)
    expect(reasons(scene(1, 0))).toEqual(['reported'])
  })

  it('are reported alone up to ten, and once for the flow beyond', () => {
    expect(new Set(reasons(scene(10, 5)))).toEqual(new Set(['reported']))
    expect(new Set(reasons(scene(11, 5)))).toEqual(new Set([REASONS.inFlow, 'flow reported']))
  })

  it('count with those that are reported already, which stay', () => {
    const before = (count: number, more: Partial<StoredAnomaly> = {}) =>
      hosts(count).map((labels, i) => storedAs(missing(labels), { id: `${i}`, ...more }))
    expect(new Set(reasons(scene(10, 5, before(9))))).toEqual(new Set(['reported']))
    const beyond = reasons(scene(12, 5, before(10)))
    expect(beyond.filter(reason => reason === 'reported')).toHaveLength(10)
    expect(beyond.slice(10)).toEqual([REASONS.inFlow, REASONS.inFlow, 'flow reported'])
    // Those that were explained in another way are reported for the first time.
    expect(reasons(scene(11, 5, before(11, { ignored: REASONS.waiting }))).slice(-1)).toEqual(['flow reported'])
  })

  it('do not count while they wait or are explained, nor those that are reported for the first time twice', () => {
    const waiting = [pod('waits'), pod('lives')]
    const { presences, anomalies } = scene(10, 5)
    const beside = {
      presences: [...presences, gone(waiting[0]!, 95), ...live(waiting[1]!)],
      anomalies: [...anomalies, missing(waiting[0]!)],
    }
    expect(reasons(beside).slice(0, 10)).toEqual(Array(10).fill('reported'))
    expect(said(beside).slice(10)).toEqual([`waits: ${REASONS.waiting}`])
    const before = hosts(6).map((labels, i) => storedAs(missing(labels), { id: `${i}`, ignored: REASONS.waiting }))
    expect(reasons(scene(6, 5, before))).toEqual(Array(6).fill('reported'))
  })

  it('of few workloads are few messages', () => {
    const pods = Array.from({ length: 12 }, (_, i) => pod(`p${i}`, i < 6 ? 'shop' : 'till'))
    const told = said({
      presences: [...pods.map(one => gone(one)), ...live(pod('x', 'x'))],
      anomalies: pods.map(one => missing(one)),
    })
    expect(told.slice(12)).toEqual(['shop: reported', 'till: reported'])
  })

  it('go on as one when the flow was reported before, with its numbers when all are over', () => {
    const [a, b] = hosts(2)
    const group = missing({}, { numbers: { live: 0, known: 7 }, start: at(93) })
    const stored = [
      storedAs(group, { id: 'g' }),
      ...[a!, b!].map(labels => storedAs(missing(labels), { ignored: REASONS.inFlow })),
    ]
    const over = [a!, b!].map(labels => missing(labels, { ongoing: false, end: at(97) }))
    const back = explain({ presences: live(a!, b!), anomalies: over, stored }).anomalies.at(-1)!
    expect(back).toMatchObject({
      labels: {},
      current: 0,
      expected: 7,
      ongoing: false,
      end: at(97),
      numbers: { live: 0, known: 7, since: at(93) },
    })
    const still = explain({ presences: [gone(a!), ...live(b!)], anomalies: [missing(a!), over[1]!], stored }).anomalies.at(-1)!
    expect(still).toMatchObject({ current: 1, expected: 2, ongoing: true, numbers: { since: at(90) } })
  })

  it('end with their group when nothing is reported for it any more', () => {
    const group = (more: Partial<StoredAnomaly> = {}) =>
      storedAs(missing({}, { numbers: { live: 0, known: 2 }, end: at(97) }), { id: 'g', ...more })
    const ended = (one: StoredAnomaly, start = 50) =>
      explain({ presences: live(...hosts(2)), anomalies: [], stored: [one], start }).anomalies.map(({ ongoing, end }) => [
        ongoing,
        minuteOf(end),
      ])
    expect(ended(group())).toEqual([[false, 97]])
    expect(ended(group(), 97)).toEqual([])
    expect(ended(group(), 96)).toEqual([[false, 97]])
    expect(ended(group({ detector: 'ewma' }))).toEqual([])
    expect(ended(group({ numbers: { since: 1 } }))).toEqual([])
    const { numbers: _, ...bare } = group()
    expect(ended(bare)).toEqual([])
  })
})

it('detectors of missing data are looked at apart, and other anomalies stay as they are', () => {
  const a = pod('a')
  const other = sampleAnomaly({ labels: a, detector: 'ewma' })
  const input = inputOf({
    presences: [gone(a), { ...gone(a), detector: 'second' }, ...live(pod('b'))],
    anomalies: [missing(a), missing(a, { detector: 'second' }), other],
  })
  const kinds = new Map([...input.kinds, ['second', { isMissing: Number.isNaN, grace: HOUR }]])
  const both = { ...input, kinds }
  const { anomalies } = explainMissing(both, missingCases(both), [])
  expect(anomalies.map(({ detector, labels, ignored }) => [detector, labels.pod, ignored])).toEqual([
    ['absence', 'a', REASONS.inWorkload],
    ['second', 'a', undefined],
    ['ewma', 'a', undefined],
    ['absence', undefined, undefined],
  ])
  expect(anomalies[2]).toBe(other)
})

it('scores of a series are dropped where all that was found of it is missing data that nobody is notified of', () => {
  const [a, b] = [pod('a'), pod('b')]
  const scoresOf = (detector: string, labels: Labels) => ({ detector, scores: sampleScores([at(1)], labels) })
  const points = [scoresOf('absence', a), scoresOf('ewma', a), scoresOf('absence', b)]
  const kept = (...anomalies: Anomaly[]) =>
    dropUnreportedPoints({ ...inputOf({ presences: [], anomalies }).findings, points }).points.map(
      ({ detector, scores }) => `${detector} ${scores.labels.pod}`,
    )
  const all = ['absence a', 'ewma a', 'absence b']
  for (const ignored of [REASONS.replaced, REASONS.waiting, REASONS.undiscovered])
    expect(kept(missing(a, { ignored }), missing(b))).toEqual(all.slice(1))
  for (const ignored of [undefined, REASONS.inWorkload, REASONS.inFlow, 'a deploy'])
    expect(kept(missing(a, ignored === undefined ? {} : { ignored }), missing(b))).toEqual(all)
  expect(kept(missing(a, { ignored: REASONS.replaced }), missing(a, { end: at(94) }))).toEqual(all)
  expect(kept()).toEqual(all)
})
