import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE, SECOND } from '../../duration.ts'
import { type Configuration, SELF_WATCH } from '../../pipeline/configuration.ts'
import { fromMemory } from '../../stores/memory.ts'
import type { Store } from '../../stores/store.ts'
import { calmWorld } from '../../testing/fake-server-parts.ts'
import { flowRange, runFlow } from '../run-flow.ts'
import type { Problem } from './problems.ts'
import { problemAnomaly, recoveryOf, rememberedProblem, selfWatchFlow, selfWatchPipeline } from './self-watch.ts'
import { type Tracked, track } from './track.ts'

const START = 1000 * HOUR
const down: Problem = { component: 'source', name: 'prom', reason: 'does not answer: got 502' }
const silent: Problem = { component: 'channel', name: 'chat', reason: 'does not deliver: got 401' }
const configuration: Configuration = { ...calmWorld().configuration, watch: { after: 5 * MINUTE, severity: 'critical' } }

/** A service in a nutshell: it looks every 15 s and then runs the flow of the watch. */
function open(store: Store, time = { now: START }) {
  const config = selfWatchFlow(configuration)
  const { after } = configuration.watch!
  let tracked: readonly Tracked[] = []
  const pipeline = selfWatchPipeline({ after, notify: config.notify, tracked: () => tracked })
  const reader = { read: () => Promise.reject(new Error('the watch must ask nobody')) }
  return {
    async remember() {
      const open = await store.anomalies({ flow: SELF_WATCH, status: 'open' })
      tracked = open.map(anomaly => rememberedProblem(anomaly, time.now))
    },
    async live(ms: number, problems: readonly Problem[], unknown: readonly string[] = []) {
      for (const end = time.now + ms; time.now < end; ) {
        time.now += 15 * SECOND
        tracked = track(tracked, problems, { now: time.now, after, recovery: recoveryOf(after), unknown: new Set(unknown) })
        const range = flowRange(config, (await store.flow(SELF_WATCH))?.watermark ?? NaN, time.now)
        await runFlow({ config, pipeline, reader, store, now: () => time.now }, range, new AbortController().signal)
      }
    },
    time,
  }
}

const messages = async (store: Store, channel: string) =>
  (await store.outbox(channel, Infinity)).map(({ kind, anomaly }) => `${kind} ${anomaly.labels.component} ${anomaly.sentence}`)
/** All that was written for a channel, oldest first; what is read is accepted. */
async function drain(store: Store, channel: string): Promise<string[]> {
  const all: string[] = []
  for (let due = await store.outbox(channel, Infinity); due.length > 0; due = await store.outbox(channel, Infinity))
    for (const { id, kind, anomaly } of due) {
      all.push(`${kind}: ${anomaly.sentence}`)
      await store.delivered(id, START)
    }
  return all
}

describe('a part of the watch that fails', () => {
  it('is reported once, to all channels, when it has failed for long enough, and when it is over', async () => {
    const store = fromMemory()
    const watch = open(store)
    await watch.live(MINUTE, [])
    await watch.live(4.5 * MINUTE, [down])
    expect(await messages(store, 'oncall')).toEqual([])
    await watch.live(2 * HOUR, [down])
    await watch.live(10 * MINUTE, [])
    for (const channel of ['oncall', 'chat'])
      expect(await drain(store, channel)).toEqual([
        'opened: Source prom does not answer: got 502 (since 16:01 UTC)',
        'resolved: Source prom works again after 2h4m15s; it was: does not answer: got 502',
      ])
    const [anomaly] = await store.anomalies({ flow: SELF_WATCH })
    expect(anomaly).toMatchObject({
      labels: { component: 'source', name: 'prom' },
      status: 'resolved',
      annotations: { severity: 'critical' },
    })
    expect(anomaly!.end - anomaly!.start).toBeGreaterThan(2 * HOUR)
  })

  it('is not reported when it works again in time', async () => {
    const store = fromMemory()
    const watch = open(store)
    for (let i = 0; i < 5; i++) {
      await watch.live(3 * MINUTE, [down])
      await watch.live(2 * MINUTE, [])
    }
    expect(await store.anomalies({ flow: SELF_WATCH })).toEqual([])
  })

  it('is not reported because the clock was set forward', async () => {
    const store = fromMemory()
    const watch = open(store)
    await watch.live(MINUTE, [down])
    watch.time.now += 2 * HOUR
    await watch.live(3 * MINUTE, [down])
    await watch.live(10 * MINUTE, [])
    expect(await store.anomalies({ flow: SELF_WATCH })).toEqual([])
  })

  it('is reported when it has failed for long enough, though it began at a time that is the future now', async () => {
    const store = fromMemory()
    const watch = open(store)
    await watch.live(MINUTE, [down])
    watch.time.now -= 2 * HOUR
    await watch.live(3 * MINUTE, [down])
    expect(await messages(store, 'oncall')).toEqual([])
    await watch.live(3 * MINUTE, [down])
    expect(await messages(store, 'oncall')).toEqual(['opened source Source prom does not answer: got 502 (since 14:00 UTC)'])
  })

  it('that was reported is still open after the clock was set back', async () => {
    const store = fromMemory()
    const watch = open(store)
    await watch.live(10 * MINUTE, [down])
    watch.time.now -= 2 * HOUR
    await watch.live(MINUTE, [down])
    expect(await store.anomalies({ flow: SELF_WATCH, status: 'open' })).toHaveLength(1)
    await watch.live(2 * MINUTE, [])
    expect(await store.anomalies({ flow: SELF_WATCH, status: 'open' })).toEqual([])
  })

  it('is one problem when it works for a moment now and then', async () => {
    const store = fromMemory()
    const watch = open(store)
    for (let i = 0; i < 20; i++) {
      await watch.live(MINUTE, [{ ...down, reason: `does not answer: got ${500 + i}` }])
      await watch.live(45 * SECOND, [])
    }
    expect(await messages(store, 'oncall')).toHaveLength(1)
  })

  it('is not reported through itself when it is a channel', async () => {
    const store = fromMemory()
    const watch = open(store)
    await watch.live(6 * MINUTE, [silent])
    await watch.live(2 * MINUTE, [])
    expect(await drain(store, 'chat')).toEqual([])
    expect(await drain(store, 'oncall')).toEqual([
      'opened: Channel chat does not deliver: got 401 (since 16:00 UTC)',
      'resolved: Channel chat works again after 5m45s; it was: does not deliver: got 401',
    ])
  })

  it('is not reported again after a restart, and its end is', async () => {
    const store = fromMemory()
    const before = open(store)
    await before.live(6 * MINUTE, [down])
    before.time.now += 10 * MINUTE
    const after = open(store, before.time)
    await after.remember()
    await after.live(10 * MINUTE, [down])
    expect(await messages(store, 'oncall')).toHaveLength(1)
    await after.live(2 * MINUTE, [])
    expect(await drain(store, 'oncall')).toEqual([
      'opened: Source prom does not answer: got 502 (since 16:00 UTC)',
      'resolved: Source prom works again after 25m45s; it was: does not answer: got 502',
    ])
  })

  it('goes on while nothing is known of it, when it was reported; else it is forgotten', async () => {
    const store = fromMemory()
    const watch = open(store)
    await watch.live(6 * MINUTE, [down])
    await watch.live(2 * MINUTE, [down, silent])
    await watch.live(HOUR, [], ['source prom', 'channel chat'])
    expect(await drain(store, 'oncall')).toEqual(['opened: Source prom does not answer: got 502 (since 16:00 UTC)'])
    await watch.live(2 * MINUTE, [silent])
    expect((await drain(store, 'oncall')).map(text => text.split(':')[0])).toEqual(['resolved'])
  })

  it('ends when it worked again while the process did not run', async () => {
    const store = fromMemory()
    const before = open(store)
    await before.live(6 * MINUTE, [down])
    before.time.now += HOUR
    const after = open(store, before.time)
    await after.remember()
    await after.live(2 * MINUTE, [])
    expect((await drain(store, 'oncall')).map(text => text.split(':')[0])).toEqual(['opened', 'resolved'])
  })
})

it('several problems go on side by side', async () => {
  const store = fromMemory()
  const watch = open(store)
  await watch.live(3 * MINUTE, [down])
  await watch.live(3 * MINUTE, [down, silent])
  await watch.live(3 * MINUTE, [silent])
  expect(await drain(store, 'oncall')).toEqual([
    'opened: Source prom does not answer: got 502 (since 16:00 UTC)',
    'opened: Channel chat does not deliver: got 401 (since 16:03 UTC)',
    'resolved: Source prom works again after 5m45s; it was: does not answer: got 502',
  ])
})

describe('the watch as a flow', () => {
  const flow = (after: number, more: object = {}) =>
    selfWatchFlow({ ...configuration, watch: { after, severity: 'info', ...more } })

  it('runs four times while a part may fail, but not more often than each second nor more rarely than every 15 s', () => {
    expect([1, 5, 20, 60, 61, 3600].map(seconds => flow(seconds * SECOND).every / SECOND)).toEqual([1, 1.25, 5, 15, 15, 15])
  })

  it('asks no source, finds as it is told, and notifies all channels unless told which', () => {
    expect(flow(MINUTE)).toMatchObject({
      name: SELF_WATCH,
      query: { source: '', expr: '', step: SECOND },
      detect: [{ type: 'watch', name: 'watch' }],
      rule: { type: 'threshold', limit: 1 },
      refine: [],
      notify: ['oncall', 'chat'],
      severity: 'info',
      delay: 0,
      reexamine: 0,
      keep: 0,
    })
    expect(flow(MINUTE, { notify: ['chat'] }).notify).toEqual(['chat'])
    const { watch: _, ...silent } = configuration
    expect(selfWatchFlow(silent)).toMatchObject({ severity: 'critical', every: 15 * SECOND })
  })
})

it.each<Problem>([down, silent, { component: 'store', name: 'store', reason: 'cannot be written (since 10:00 UTC) any more' }])(
  'a problem of a %s is remembered as it was',
  problem => {
    const one: Tracked = { ...problem, since: START, seenAt: START + MINUTE }
    const known = problemAnomaly(one, START + MINUTE, ['chat'])
    expect(rememberedProblem(known, START + HOUR)).toEqual({ ...one, seenAt: START + HOUR })
    const { sentence: _, ...without } = known
    expect(rememberedProblem(without, START + HOUR).reason).toBe('')
  },
)
