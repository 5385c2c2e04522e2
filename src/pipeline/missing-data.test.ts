import { describe, expect, it } from 'vitest'
import { SourceError } from '../errors.ts'
import { type WatchedSeries, watch, watchedFlow } from '../testing/watched-flow.ts'

const lively = (minute: number) => 100 + ((minute * 7919) % 13)
/** A series that lives from one minute to before another. */
const series = (labels: Record<string, string>, from = 0, to = Infinity): WatchedSeries => ({
  labels: { __name__: 'rps', ...labels },
  value: minute => (minute >= from && minute < to ? lively(minute) : undefined),
})
const hole = (labels: Record<string, string>, from: number, to: number): WatchedSeries => ({
  labels: { __name__: 'rps', ...labels },
  value: minute => (minute >= from && minute < to ? undefined : lively(minute)),
})
const ignored = async ({ store }: ReturnType<typeof watch>) => {
  const all = await store.anomalies({ includeIgnored: true, limit: 1000 })
  return all.map(({ labels, ignored, ongoing }) => ({ ...labels, ignored, ongoing }))
}

describe('one series that vanishes while others live', () => {
  it('is reported once, with the time since when and what its siblings do, and resolved when it is back', async () => {
    const watched = watch({ series: [hole({ code: '500' }, 100, 130), series({ code: '200' }), series({ code: '404' })] })
    await watched.until(125)
    expect(watched.messages).toEqual([
      'opened rps{code=500} has had no data for 4m, since 01:39 UTC; 2 of 3 series of the flow have data; a sample normally arrives every 1m',
    ])
    await watched.until(160)
    expect(watched.messages).toHaveLength(2)
    expect(watched.messages[1]).toMatch(/^resolved rps\{code=500\} had no data for 3\dm, from 01:39 UTC/)
  })

  it('is reported the second time as the first', async () => {
    const outages = [100, 300, 500]
    const value = (minute: number) => (outages.some(from => minute >= from && minute < from + 30) ? undefined : lively(minute))
    const watched = watch({ series: [{ labels: { code: '500' }, value }, series({ code: '200' })] })
    await watched.until(560)
    const opened = watched.changes.filter(({ kind }) => kind === 'opened')
    const waits = opened.map(({ anomaly }, i) => (anomaly.start % 86_400_000) / 60_000 - outages[i]!)
    expect(waits).toEqual([2, 2, 2])
  })

  it('goes on being one anomaly over a restart in the middle of it', async () => {
    const watched = watch({ series: [hole({ code: '500' }, 100, 130), series({ code: '200' })] })
    await watched.until(110)
    watched.restart()
    await watched.until(160)
    expect(watched.messages.map(message => message.split(' ')[0])).toEqual(['opened', 'resolved'])
  })

  it('is forgotten after `forget`, which ends the anomaly and says so', async () => {
    const watched = watch(
      { series: [series({ code: '500' }, 0, 100), series({ code: '200' })] },
      { ...watchedFlow, forget: 60 * 60_000 },
    )
    await watched.until(200)
    expect(watched.messages).toHaveLength(2)
    expect(watched.messages[1]).toMatch(/^resolved .*forgotten after 1h without data/)
  })

  it('is reported when it was ignored as too short first, and ends between two runs', async () => {
    const refine = [{ type: 'merge' }, { type: 'minimum-duration', duration: '5m' }, { type: 'shape' }]
    const watched = watch(
      { series: [hole({ code: '500' }, 100, 112), series({ code: '200' })] },
      { ...watchedFlow, reexamine: 30 * 60_000, refine },
    )
    await watched.until(104)
    expect(watched.messages).toEqual([])
    watched.skipTo(125)
    await watched.until(126)
    expect(watched.messages.map(message => message.split(' ')[0])).toEqual(['opened', 'resolved'])
  })

  it('notifies nobody of one missed scrape', async () => {
    const watched = watch({ series: [hole({ code: '500' }, 100, 101), series({ code: '200' })] })
    await watched.until(120)
    expect(watched.messages).toEqual([])
    expect(watched.changes).toEqual([])
  })
})

describe('a series with a scrape target', () => {
  const target = (instance: string, up = true) => ({ labels: { __name__: 'up', job: 'web', instance }, up })
  const at = (instance: string) => ({ job: 'web', instance })

  it('says that the target is down', async () => {
    const watched = watch({
      series: [hole(at('a'), 100, 130), series(at('b'))],
      targets: () => [target('a', false), target('b')],
    })
    await watched.until(99)
    expect(watched.asked.count).toBe(0)
    await watched.until(120)
    expect(watched.messages).toHaveLength(1)
    expect(watched.messages[0]).toContain('target down; 1 of 2 series of the flow have data')
    expect(watched.asked.count).toBeGreaterThan(0)
  })

  it('is no outage when the target is no longer discovered: ignored, over by itself, forgotten', async () => {
    const watched = watch({
      series: [series(at('a'), 0, 100), series(at('b'))],
      targets: minute => (minute < 100 ? [target('a'), target('b')] : [target('b')]),
    })
    await watched.until(130)
    expect(watched.messages).toEqual([])
    expect(await ignored(watched)).toEqual([
      { __name__: 'rps', ...at('a'), ignored: 'its target is no longer discovered', ongoing: false },
    ])
    expect((await watched.store.snapshots('web')).map(({ labels }) => labels.instance)).toEqual(['b'])
  })

  it('is judged without its target when the source cannot say, with a warning', async () => {
    const watched = watch({
      series: [series(at('a'), 0, 100), series(at('b'))],
      targets: () => {
        throw new SourceError('must answer, got 503', { retryable: true })
      },
    })
    await watched.until(120)
    expect(watched.messages).toHaveLength(1)
    const { lastRun } = (await watched.store.flow('web'))!
    expect(lastRun!.diagnostics).toContainEqual({
      level: 'warning',
      message: 'the targets of missing series are not known: must answer, got 503',
    })
  })

  it('is an outage when the source knows no targets of this flow at all', async () => {
    const unknown = watch({ series: [series(at('a'), 0, 100), series(at('b'))], targets: () => [] })
    await unknown.until(120)
    expect(unknown.messages).toHaveLength(1)
    expect(unknown.messages[0]).not.toContain('target')
  })
})

describe('the pods of a workload', () => {
  const pod = (name: string, from = 0, to = Infinity) => series({ pod: name, app: 'shop' }, from, to)

  it('are replaced by a rollout without a message', async () => {
    const pods = ['a', 'b', 'c'].flatMap((name, i) => [pod(name, 0, 100 + 2 * i), pod(`${name}2`, 99 + 2 * i)])
    const watched = watch({ series: pods })
    await watched.until(180)
    expect(watched.messages).toEqual([])
    expect(new Set((await ignored(watched)).map(one => one.ignored))).toEqual(
      new Set(['another series of its workload took its place']),
    )
    expect((await watched.store.snapshots('web')).map(({ labels }) => labels.pod).toSorted()).toEqual(['a2', 'b2', 'c2'])
  })

  it('are replaced by a slow rollout that runs extra pods meanwhile', async () => {
    const old = Array.from({ length: 6 }, (_, i) => pod(`old-${i}`, 0, 100 + 5 * i))
    const next = Array.from({ length: 6 }, (_, i) => pod(`new-${i}`, 90 + 5 * i))
    const watched = watch({ series: [...old, ...next] })
    await watched.until(200)
    expect(watched.messages).toEqual([])
  })

  it('that come and go all the time are not remembered without end', async () => {
    // Ten pods at any time, each of which lives for ten minutes.
    const churn = Array.from({ length: 300 }, (_, i) => pod(`${i}`, i, i + 10))
    const watched = watch({ series: [...churn, series({ app: 'other' })] })
    watched.skipTo(100)
    await watched.until(250)
    expect(watched.messages).toEqual([])
    const remembered = await watched.store.snapshots('web')
    expect(remembered.length).toBeLessThanOrEqual(10 + 10 + 10 + 1)
  })

  it('are scaled down without a message when their targets are no longer discovered', async () => {
    const labels = (name: string) => ({ pod: name, app: 'shop', job: 'shop', instance: `${name}:80` })
    const all = ['a', 'b', 'c', 'd']
    const watched = watch({
      series: all.map((name, i) => series(labels(name), 0, i < 2 ? 100 : Infinity)),
      targets: minute => all.slice(minute < 100 ? 0 : 2).map(name => ({ labels: labels(name), up: true })),
    })
    await watched.until(160)
    expect(watched.messages).toEqual([])
    expect((await watched.store.snapshots('web')).map(snapshot => snapshot.labels.pod).toSorted()).toEqual(['c', 'd'])
  })

  it('that are fewer for longer than the grace are reported once for the workload', async () => {
    const watched = watch({ series: [pod('a', 0, 100), pod('b'), pod('c'), series({ app: 'other', pod: 'x' })] })
    await watched.until(103)
    expect(watched.messages).toEqual([])
    await watched.until(125)
    expect(watched.messages).toEqual(['opened rps{app=shop}: 1 of 3 series have had no data for 6m, since 01:39 UTC'])
  })

  it('that come back within the grace are not reported at all', async () => {
    const watched = watch({ series: [{ ...hole({ pod: 'a', app: 'shop' }, 100, 104) }, pod('b'), pod('c')] })
    await watched.until(130)
    expect(watched.messages).toEqual([])
  })

  it('restart all 300 at once with no more than one message, and it is resolved', async () => {
    const pods = Array.from({ length: 300 }, (_, i) => [pod(`old-${i}`, 0, 100), pod(`new-${i}`, 110)]).flat()
    const watched = watch({ series: pods })
    watched.skipTo(95)
    await watched.until(125)
    expect(watched.messages.map(message => message.split(' for ')[0])).toEqual([
      'opened web: all 300 series have had no data',
      'resolved web: all 300 series had no data',
    ])
  })

  it('restart all 300 between two runs without a message for each', async () => {
    const pods = Array.from({ length: 300 }, (_, i) => hole({ code: `${i}` }, 100, 108))
    const watched = watch({ series: pods }, { ...watchedFlow, reexamine: 20 * 60_000 })
    watched.skipTo(98)
    await watched.until(99)
    watched.skipTo(109)
    await watched.until(120)
    expect(watched.messages.length).toBeLessThanOrEqual(2)
  })
})

describe('everything that vanishes at once', () => {
  it('is one message for the flow and none for its series, until all are back', async () => {
    const codes = ['200', '404', '500']
    const watched = watch({ series: codes.map((code, i) => hole({ code }, 100, 130 + 10 * i)) })
    await watched.until(125)
    expect(watched.messages).toEqual(['opened web: all 3 series have had no data for 4m, since 01:39 UTC'])
    await watched.until(180)
    expect(watched.messages).toHaveLength(2)
    expect(watched.messages[1]).toMatch(/^resolved web: /)
  })

  it('is one message when each target is scraped at a moment of its own, so that some are missing a little later', async () => {
    const watched = watch({ series: [0, 0, 1, 1, 1].map((after, i) => hole({ code: `${i}` }, 100 + after, 130)) })
    await watched.until(125)
    expect(watched.messages).toEqual([expect.stringMatching(/^opened web: all 5 series have had no data/)])
    await watched.until(160)
    expect(watched.messages).toHaveLength(2)
  })

  it('is the last series itself when the others were reported before', async () => {
    const watched = watch({ series: [100, 120, 140].map((from, i) => hole({ code: `${i}` }, from, 300)) })
    await watched.until(160)
    expect(watched.messages.map(message => message.slice(0, 18))).toEqual([0, 1, 2].map(i => `opened rps{code=${i}}`))
  })

  it('is said of many series that vanish one by one while others live', async () => {
    const racks = Array.from({ length: 30 }, (_, i) => (i < 20 ? series({ host: `${i}` }, 0, 100) : series({ host: `${i}` })))
    const watched = watch({ series: racks })
    await watched.until(125)
    expect(watched.messages.map(message => message.split(' for ')[0])).toEqual(['opened web: 20 of 30 series have had no data'])
  })

  it('is said once of those that come after ten, where they vanish little by little', async () => {
    const racks = Array.from({ length: 40 }, (_, i) => series({ host: `${i}` }, 0, i < 30 ? 100 + Math.floor(i / 3) : Infinity))
    const watched = watch({ series: racks })
    watched.skipTo(95)
    await watched.until(130)
    expect(watched.messages.filter(message => message.startsWith('opened web: '))).toHaveLength(1)
    expect(watched.messages).toHaveLength(10)
  })

  it('is the series itself when the flow has only one', async () => {
    const watched = watch({ series: [hole({}, 100, 130)] })
    await watched.until(125)
    expect(watched.messages).toEqual(['opened rps has had no data for 4m, since 01:39 UTC; a sample normally arrives every 1m'])
  })
})

describe('the state of the flow', () => {
  const seen = async (watched: ReturnType<typeof watch>) => (await watched.store.flow('web'))!.lastRun!.series
  it('counts the series that have data: none when the query never matched or all are gone', async () => {
    const nothing = watch({ series: [] })
    await nothing.until(62)
    expect(await seen(nothing)).toBe(0)
    const watched = watch({ series: [hole({ code: '200' }, 100, 130), hole({ code: '500' }, 100, 130)] })
    await watched.until(99)
    expect(await seen(watched)).toBe(2)
    await watched.until(110)
    expect(await seen(watched)).toBe(0)
    await watched.until(140)
    expect(await seen(watched)).toBe(2)
  })
})

describe('NaN that the source sends', () => {
  it('is said to be not a number', async () => {
    const value = (minute: number) => (minute >= 100 ? NaN : lively(minute))
    const watched = watch({ series: [{ labels: { __name__: 'ratio' }, value }, series({ code: '200' })] })
    await watched.until(110)
    expect(watched.messages).toHaveLength(1)
    expect(watched.messages[0]).toMatch(/^opened ratio is not a number for 4m, since 01:39 UTC/)
  })
})

describe('data that comes late', () => {
  const warnings = async ({ store }: ReturnType<typeof watch>) =>
    (await store.flow('web'))!.lastRun!.diagnostics.filter(({ level }) => level === 'warning').map(({ message }) => message)

  it('is not missing, from the first run on, and the run proposes the right delay', async () => {
    const watched = watch({ series: [series({ code: '200' }), series({ code: '500' })], late: minute => 5 + (minute % 3) })
    await watched.until(63)
    watched.restart()
    await watched.until(160)
    expect(watched.changes).toEqual([])
    expect(await warnings(watched)).toEqual([
      expect.stringMatching(/samples are [56]m later than expected; delay must be at least [56]m, got 0s/),
    ])
  })

  it('is missing when it stops, late or not', async () => {
    const watched = watch({ series: [hole({ code: '200' }, 100, 140), hole({ code: '500' }, 100, 140)], late: () => 4 })
    await watched.until(112)
    expect(watched.messages).toEqual([expect.stringMatching(/^opened web: all 2 series/)])
  })

  it('says nothing when it is on time, or when an outage is filled later once', async () => {
    const watched = watch({
      series: [series({ code: '200' }), series({ code: '500' })],
      late: minute => (minute >= 100 && minute < 120 ? 120 - minute : 0),
    })
    await watched.until(119)
    expect(watched.messages).toHaveLength(1)
    await watched.until(150)
    expect(await warnings(watched)).toEqual([])
  })
})

describe('data that is sparse', () => {
  it('does not flap when it comes every five minutes on a step of one', async () => {
    const value = (minute: number) => (minute % 5 === 0 ? lively(minute) : undefined)
    const watched = watch({ series: [{ labels: { code: '200' }, value }, series({ code: '500' })] })
    await watched.until(200)
    expect(watched.changes).toEqual([])
  })

  it('of a batch job is quiet once its gaps have come three times', async () => {
    const value = (minute: number) => (minute % 120 < 10 ? lively(minute) : undefined)
    const watched = watch({ series: [{ labels: { job: 'batch' }, value }, series({ code: '500' })] })
    await watched.until(1200)
    const opened = watched.changes.filter(({ kind }) => kind === 'opened')
    expect(opened.length).toBeLessThanOrEqual(3)
  })
})
