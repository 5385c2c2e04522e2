import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { notifiers } from '../notifiers/index.ts'
import type { Notifier } from '../notifiers/notifier.ts'
import type { Configuration, FlowConfig } from '../pipeline/configuration.ts'
import { fromMemory } from '../stores/memory.ts'
import type { Store } from '../stores/store.ts'
import { sampleAnomaly, sampleRun } from '../testing/store-laws.ts'
import { toyFlow } from '../testing/toy-watch.ts'
import { removeChannels, withdrawRemovedFlows } from './retire.ts'
import { type Service, startService } from './service.ts'

const { webhook: family } = notifiers
const webhook = (name: string) => ({ type: 'webhook', config: family!.config.parse({ url: `http://${name}.test/` }) })
const flow = (name: string): FlowConfig => toyFlow({}, { name, detect: [{ type: 'ewma', name: 'seasonal' }], notify: ['hook'] })
const configuration = (flows: readonly string[], channels: readonly string[]): Configuration => ({
  file: 'test',
  sources: { s: { type: 'memory', config: { series: [] } } },
  notifiers: Object.fromEntries(channels.map(name => [name, webhook(name)])),
  store: { type: 'memory', config: {} },
  server: { host: '127.0.0.1', port: 0, externalUrl: '' },
  workers: 1,
  training: { threads: 1, deadline: 1000 },
  flows: flows.map(flow),
})

const running: Service[] = []
afterEach(async () => {
  for (const service of running.splice(0)) await service.close()
})

/** A service whose receivers are looked into; `refuse`: those that answer 503. */
async function serve(first: Configuration, store: Store, refuse: readonly string[] = []) {
  const received: string[] = []
  const log: string[] = []
  const service = await startService(first, store, '/', {
    now: Date.now,
    random: () => 0,
    fetch: (async (url: string, init: { body: string }) => {
      const { hostname } = new URL(url)
      if (refuse.some(name => hostname === `${name}.test`)) return new Response('busy', { status: 503 })
      const { kind, anomaly } = JSON.parse(init.body)
      received.push(`${hostname} ${kind} ${anomaly.flow} ${anomaly.withdrawnBecause}`)
      return new Response('ok')
    }) as unknown as typeof fetch,
    sleep: async (ms, signal) => void (await wait(ms, undefined, { signal })),
    log: (level, message) => log.push(`${level} ${message}`),
  })
  running.push(service)
  return { service, received, log }
}

/** A store in which each flow has an open anomaly that each channel was notified of. */
async function storeWith(flows: readonly string[], channels: readonly string[]): Promise<Store> {
  const store = fromMemory()
  for (const name of flows) await store.commit(sampleRun({ flow: name, channels, anomalies: [sampleAnomaly()], watermark: 50 }))
  for (const channel of channels) for (const { id } of await store.outbox(channel, 1e6)) await store.delivered(id, 1001)
  return store
}
const stateOf = async (store: Store, name: string) => (await store.channels()).find(({ channel }) => channel === name)

describe('a flow that is not configured any more', () => {
  const because = 'flow gone is not configured any more'

  it('has its open anomalies withdrawn by a reload, and whoever was notified hears it', async () => {
    const store = await storeWith(['gone', 'kept'], ['hook'])
    const { service, received } = await serve(configuration(['gone', 'kept'], ['hook']), store)
    await service.reconfigure(configuration(['kept', 'new'], ['hook']))
    await expect.poll(() => received).toContain(`hook.test withdrawn gone ${because}`)
    expect(await store.anomalies({ flow: 'gone', status: 'open' })).toEqual([])
    expect(await store.anomalies({ flow: 'gone', status: 'withdrawn' })).toMatchObject([{ withdrawnBecause: because }])
    expect(received.filter(line => line.includes(' kept flow'))).toEqual([])
  })

  it('is not the watch on itself', async () => {
    const store = await storeWith(['tidewatch', 'gone'], ['hook'])
    await withdrawRemovedFlows(store, configuration([], ['hook']), 2000)
    expect(await store.anomalies({ status: 'open' })).toMatchObject([{ flow: 'tidewatch' }])
  })

  it('has them withdrawn at the next start too', async () => {
    const store = await storeWith(['gone'], ['hook'])
    const { received } = await serve(configuration([], ['hook']), store)
    expect(await store.anomalies({ status: 'withdrawn' })).toMatchObject([{ withdrawnBecause: because }])
    await expect.poll(() => received).toEqual([`hook.test withdrawn gone ${because}`])
  })

  it('is heard of through a channel that goes with it', async () => {
    const store = await storeWith(['gone'], ['hook'])
    const { service, received } = await serve(configuration(['gone'], ['hook']), store)
    await service.reconfigure(configuration([], []))
    await expect.poll(() => received).toEqual([`hook.test withdrawn gone ${because}`])
  })
})

describe('a channel that is not configured any more', () => {
  const because = 'channel hook is not configured any more'

  it('hears that what it was notified of is withdrawn, while the anomaly goes on for others', async () => {
    const store = await storeWith(['kept'], ['hook', 'other'])
    const { service, received } = await serve(configuration([], ['hook', 'other']), await withoutRuns(store))
    await service.reconfigure(configuration([], ['other']))
    await expect.poll(() => received).toContain(`hook.test withdrawn kept ${because}`)
    expect(received.filter(line => line.startsWith('other'))).toEqual([])
    expect(await store.anomalies({ status: 'open' })).toHaveLength(1)
  })

  it('leaves nothing that waits, counted and said in the log, when it does not answer', async () => {
    const store = await storeWith(['kept'], ['hook'])
    const { service, log } = await serve(configuration([], ['hook']), await withoutRuns(store), ['hook'])
    await service.reconfigure(configuration([], []))
    await expect.poll(() => stateOf(store, 'hook')).toMatchObject({ pending: 0, abandoned: 1 })
    expect((await stateOf(store, 'hook'))!.lastError).toBe(because)
    expect(log).toContain(`warning ${because}: 1 of its messages were never accepted`)
  })

  it('is given only so much time', async () => {
    const store = await storeWith(['kept'], ['hook'])
    const hanging: Notifier = { send: () => new Promise(() => {}) }
    const parts = { store, now: () => 2000, random: () => 0, log: () => {}, signal: new AbortController().signal, within: 20 }
    await removeChannels(parts, configuration([], []), { hook: hanging })
    expect(await stateOf(store, 'hook')).toMatchObject({ pending: 0, abandoned: 1 })
  })

  it('leaves nothing that waits when it was removed while nothing ran', async () => {
    const store = fromMemory()
    await store.commit(sampleRun({ channels: ['hook'], anomalies: [sampleAnomaly()] }))
    await serve(configuration(['f'], ['other']), store)
    await expect.poll(() => stateOf(store, 'hook')).toMatchObject({ pending: 0, abandoned: 1, lastError: because })
  })

  /** As if its flows were configured: nothing is withdrawn at the start. */
  async function withoutRuns(store: Store): Promise<Store> {
    return { ...store, withdraw: async () => [] }
  }
})

it('puts configurations in force one after the other', async () => {
  const { service } = await serve(configuration([], []), fromMemory())
  const names = [['a'], ['a', 'b'], ['b']]
  await Promise.all(names.map(flows => service.reconfigure(configuration(flows, ['hook']))))
  expect(service.configuration().flows.map(({ name }) => name)).toEqual(['b'])
})
