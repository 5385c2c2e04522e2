import { describe, expect, it } from 'vitest'
import { MINUTE } from '../duration.ts'
import { type WatchedSeries, watch, watchedFlow } from '../testing/watched-flow.ts'
import type { FlowConfig } from './configuration.ts'
import { readState } from './state.ts'

/** 0 … 1, another for each name and minute. */
const noise = (name: string, minute: number) => {
  let hash = 2166136261
  for (const letter of `${name} ${minute}`) hash = Math.imul(hash ^ letter.charCodeAt(0), 16777619)
  return ((Math.imul(hash ^ (hash >>> 15), 2246822519) >>> 8) & 0xffff) / 0x10000
}
/** What all replicas have in common: a tide, and a little of their own. */
const share = (name: string, minute: number) => 100 + 40 * Math.sin(minute / 25) + 4 * noise(name, minute)
const pod = (name: string, value: (minute: number) => number | undefined = minute => share(name, minute)): WatchedSeries => ({
  labels: { __name__: 'rps', app: 'web', pod: name },
  value,
})
const replicas: FlowConfig = {
  ...watchedFlow,
  query: { ...watchedFlow.query, columns: ['pod'] },
  detect: [{ type: 'peer-group', name: 'peer-group' }],
  keep: 60 * MINUTE,
}
const openedOf = ({ messages }: ReturnType<typeof watch>) => messages.filter(message => message.startsWith('opened'))

describe('replicas as the columns of one frame', () => {
  it('are held to each other: the one that drifts is named, and what all do together is nothing', async () => {
    const drift = (minute: number) => share('b', minute) + (minute >= 300 && minute < 360 ? 60 : 0)
    const surge = (minute: number) => (minute >= 200 && minute < 230 ? 300 : 0)
    const all = ['a', 'b', 'c', 'd'].map(name =>
      pod(name, minute => (name === 'b' ? drift(minute) : share(name, minute)) + surge(minute)),
    )
    const watched = watch({ series: all }, replicas)
    await watched.until(330)
    expect(openedOf(watched)).toEqual([expect.stringMatching(/^opened pod=b of rps\{app=web\} is \d+, /)])
    const [anomaly] = await watched.store.anomalies({ status: 'open' })
    expect(anomaly.labels).toEqual({ __name__: 'rps', app: 'web' })
    expect(anomaly.columns![0]).toMatchObject({ name: 'pod=b', value: anomaly.current, expected: anomaly.expected })
    expect(anomaly.columns![0].share).toBeGreaterThan(0.5)
    await watched.until(400)
    expect(watched.messages.filter(message => message.startsWith('resolved'))).toHaveLength(1)
  })

  it('keep their places when one is replaced by another, also over a restart', async () => {
    const old = pod('c', minute => (minute < 250 ? share('c', minute) : undefined))
    const next = pod('c2', minute => (minute >= 258 ? share('c2', minute) : undefined))
    const watched = watch({ series: [pod('a'), pod('b'), pod('d'), old, next] }, replicas)
    await watched.until(240)
    watched.restart()
    await watched.until(330)
    expect(watched.messages).toEqual([])
    const [snapshot] = await watched.store.snapshots('web')
    expect(readState(snapshot.state).state!.columns).toEqual(['pod=a', 'pod=b', 'pod=c2', 'pod=d'])
  })

  it('are one more when one is added, and the others go on', async () => {
    const late = pod('e', minute => (minute >= 250 ? share('e', minute) : undefined))
    const drift = pod('b', minute => share('b', minute) + (minute >= 262 ? 60 : 0))
    const watched = watch({ series: [pod('a'), drift, pod('c'), late] }, replicas)
    await watched.until(275)
    expect(openedOf(watched)).toEqual([expect.stringContaining('pod=b of rps')])
    const [snapshot] = await watched.store.snapshots('web')
    expect(readState(snapshot.state).state!.columns).toEqual(['pod=a', 'pod=b', 'pod=c', 'pod=e'])
  })

  it('make a detector that cannot take one more begin anew, and the run says so', async () => {
    const late = pod('e', minute => (minute >= 250 ? share('e', minute) : undefined))
    const detect = [{ type: 'principal-components', name: 'pca' }]
    const watched = watch({ series: [pod('a'), pod('b'), pod('c'), late] }, { ...replicas, detect })
    const said: string[] = []
    for (let minute = 245; minute <= 260; minute++) {
      await watched.until(minute)
      const { lastRun } = (await watched.store.flow('web'))!
      said.push(...lastRun!.diagnostics.map(({ message }) => message))
    }
    expect(said).toContain('pca learns rps{app="web"} anew: pod=e came')
    expect(said.filter(message => message.includes('anew'))).toHaveLength(1)
    const [snapshot] = await watched.store.snapshots('web')
    expect(readState(snapshot.state).state!.columns).toEqual(['pod=a', 'pod=b', 'pod=c', 'pod=e'])
    expect(watched.messages).toEqual([])
  })

  it('are judged one by one by a detector of one column, and the strangest is named', async () => {
    const drift = pod('b', minute => share('b', minute) + (minute >= 400 ? 400 : 0))
    const detect = [{ type: 'ewma', name: 'ewma' }]
    const watched = watch({ series: [pod('a'), drift, pod('c')] }, { ...replicas, detect })
    await watched.until(406)
    expect(openedOf(watched)).toEqual([expect.stringContaining('pod=b of rps{app=web} is')])
  })
})

describe('several questions as the columns of one frame', () => {
  const related: FlowConfig = {
    ...watchedFlow,
    query: { source: 'world', step: MINUTE, queries: { qps: 'q', errors: 'e', latency: 'l' }, by: ['instance'] },
    detect: [{ type: 'vector-autoregressive', name: 'together' }],
    rule: { type: 'budget' },
  }
  const answer = (expr: string, value: WatchedSeries['value'], instance = 'a'): WatchedSeries => ({
    expr,
    labels: { instance, job: expr },
    value,
  })
  const load = (minute: number) => 500 + 200 * Math.sin(minute / 40) + 60 * noise('load', minute)

  it('find what parts them, each within its range, and name it', async () => {
    // Errors follow the load, as they always do; from minute 900 on they do not, and are no more than they were at times.
    const errors = (minute: number) => (minute >= 900 ? 7 : load(minute) / 100) + 0.1 * noise('e', minute)
    const series = [
      answer('q', minute => load(minute)),
      answer('e', errors),
      answer('l', minute => 20 + load(minute) / 50 + 0.2 * noise('l', minute)),
    ]
    const watched = watch({ series }, related)
    await watched.until(960)
    const [anomaly] = await watched.store.anomalies({ flow: 'web' })
    expect(anomaly.labels).toEqual({ instance: 'a' })
    expect(anomaly.start).toBeGreaterThanOrEqual(Date.UTC(2026, 0, 5) + 900 * MINUTE)
    expect(anomaly.columns!.map(({ name }) => name)).toContain('errors')
    expect(anomaly.sentence).toContain('errors')
  })

  it.each([Infinity, 1e120])('find %d in one of them, of which nothing can be calculated', async huge => {
    const errors = (minute: number) => (minute >= 500 && minute < 510 ? huge : load(minute) / 100)
    const series = [answer('q', load), answer('e', errors), answer('l', minute => 20 + load(minute) / 50)]
    for (const type of ['vector-autoregressive', 'boosted-trees', 'isolation-forest', 'default']) {
      const watched = watch({ series }, { ...related, detect: [{ type, name: type }] })
      watched.skipTo(495)
      await watched.until(503)
      const found = await watched.store.anomalies({ flow: 'web', status: 'open' })
      expect(
        found.map(({ current, columns }) => [current, columns![0].name]),
        type,
      ).toEqual([[huge, 'errors']])
    }
  })

  it('are one frame for each entity, and one that has no answer is unknown', async () => {
    const series = ['a', 'b'].flatMap(instance => [
      answer('q', load, instance),
      answer('l', minute => 20 + load(minute) / 50, instance),
    ])
    const watched = watch({ series }, related)
    await watched.until(120)
    const snapshots = await watched.store.snapshots('web')
    expect(snapshots.map(({ labels }) => labels)).toEqual([{ instance: 'a' }, { instance: 'b' }])
    expect(readState(snapshots[0].state).state!.columns).toEqual(['qps', 'errors', 'latency'])
    expect((await watched.store.flow('web'))!.lastRun!.series).toBe(2)
  })

  it('say that the entity has no data when none of them has', async () => {
    const gone = (minute: number) => (minute < 100 ? load(minute) : undefined)
    const series = ['a', 'b'].flatMap(instance =>
      ['q', 'e', 'l'].map(expr => answer(expr, instance === 'a' ? gone : load, instance)),
    )
    const watched = watch({ series }, { ...related, detect: watchedFlow.detect })
    await watched.until(120)
    expect(watched.messages).toEqual([expect.stringMatching(/^opened web\{instance=a\} has had no data/)])
  })

  it('fail the run, with what to do, when one has two answers for an entity', async () => {
    const series = [answer('q', load), { ...answer('q', load), labels: { instance: 'a', zone: 'x' } }, answer('e', load)]
    await expect(watch({ series }, related).until(60)).rejects.toThrow('query qps must have one series for {instance="a"}, got 2')
  })
})
