import { Registry } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'
import { HOUR, MINUTE, SECOND } from '../../duration.ts'
import { StoreError } from '../../errors.ts'
import type { Configuration } from '../../pipeline/configuration.ts'
import { fromMemory } from '../../stores/memory.ts'
import type { Store } from '../../stores/store.ts'
import { calmWorld, fakeFlow } from '../../testing/fake-server-parts.ts'
import { describeMetrics } from '../metrics.ts'
import type { SourceHealth } from '../source-checks.ts'
import { openWatch, type Watch } from './open-watch.ts'
import { openProblemLog } from './problem-log.ts'

const configuration: Configuration = {
  ...calmWorld().configuration,
  flows: ['a', 'b'].map(name => fakeFlow(name, 'up')),
}
let now: number
let store: Store
let sources: SourceHealth[]
let lines: string[]
let ready: () => Promise<void>
let registry: Registry
let watch: Watch
beforeEach(async () => {
  now = 1000 * HOUR
  lines = []
  sources = []
  registry = new Registry()
  ready = async () => {}
  store = fromMemory()
  await store.schedule(configuration.flows.map(({ name }) => ({ flow: name, at: now })))
  watch = await openWatch({
    store: { ...store, probe: () => store.probe(), flows: () => store.flows(), stats: () => store.stats() },
    metrics: describeMetrics(registry, { version: '' }),
    problemLog: openProblemLog({ now: () => now, log: (level, line) => void lines.push(`${level} ${line}`) }),
    now: () => now,
    configuration: () => configuration,
    sources: () => sources,
    pool: { load: () => ({ size: 1, busy: 0, queued: 0 }), ready: () => ready() },
  })
})
const look = async (ms = 5 * SECOND) => {
  now += ms
  await watch.look()
}

describe('the rows of the store', () => {
  it('are counted once a minute, also when the clock is set back', async () => {
    let asked = 0
    const { stats } = store
    store = { ...store, stats: () => (asked++, stats()) }
    const counted = async (ms: number) => {
      await look(ms)
      return asked
    }
    expect([await counted(0), await counted(30 * SECOND), await counted(MINUTE / 2 - 1), await counted(1)]).toEqual([1, 1, 1, 2])
    expect([await counted(-30 * SECOND), await counted(-HOUR)]).toEqual([2, 3])
  })
})

describe('readiness', () => {
  it('ends while the store cannot be written, and the log says so once', async () => {
    await look()
    expect(watch.reasons()).toEqual([])
    store = { ...store, probe: () => Promise.reject(new StoreError('tidewatch.db must have room to grow, got a full disk')) }
    await look()
    await look()
    expect(watch.reasons()).toEqual(['the store cannot be written: tidewatch.db must have room to grow, got a full disk'])
    expect(watch.problems()).toMatchObject([{ component: 'store', since: now - 5 * SECOND }])
    store = { ...store, probe: async () => {} }
    await look()
    expect(watch.reasons()).toEqual([])
    expect(lines).toEqual([
      'error store fails: tidewatch.db must have room to grow, got a full disk',
      'info store works again after 2 failures in 10s',
    ])
  })

  it('ends when the file is found damaged, until it is found whole', async () => {
    watch.inspected(new StoreError('tidewatch.db must be whole, got a page that is used twice'))
    await look()
    expect(watch.reasons()).toEqual([
      'the structure of the store is damaged: tidewatch.db must be whole, got a page that is used twice',
    ])
    expect(watch.problems()).toMatchObject([{ component: 'store', name: 'structure of the store' }])
    watch.inspected()
    await look()
    expect(watch.reasons()).toEqual([])
  })

  it('ends while runs cannot be written, though a trial write still finds room', async () => {
    const full = new StoreError('tidewatch.db must have room to grow, got a full disk')
    watch.wrote('a', full)
    watch.wrote('b', full)
    await look()
    expect(watch.reasons()).toEqual(['the store cannot be written: tidewatch.db must have room to grow, got a full disk'])
    expect(watch.problems()).toMatchObject([{ component: 'store' }])
    expect(await registry.metrics()).toMatch(/^tidewatch_store_up 0$/m)
    expect(await registry.metrics()).toMatch(/^tidewatch_store_errors_total 2$/m)
    watch.wrote('a')
    await look()
    expect(watch.reasons()).toHaveLength(1)
    watch.wrote('b', new Error('prometheus must answer'))
    await look()
    expect(watch.reasons()).toEqual([])
  })

  it('begins again when a flow that runs rarely could not write for once', async () => {
    for (const name of ['a', 'b']) await store.release(name, now + HOUR)
    watch.wrote('a', new StoreError('must have room'))
    await look()
    expect(watch.reasons()).toHaveLength(1)
    await look(5 * MINUTE)
    expect(watch.reasons()).toEqual([])
  })

  it('ends while the store cannot be read, with what was read before', async () => {
    await look()
    store = { ...store, flows: () => Promise.reject(new StoreError('must answer, got a damaged file')) }
    await look()
    expect(watch.reasons()).toEqual(['the store cannot be written: must answer, got a damaged file'])
    expect(await registry.metrics()).toMatch(/^tidewatch_store_errors_total 1$/m)
  })

  it('ends while no thread starts, and is not held up by one that is busy', async () => {
    for (const name of ['a', 'b']) await store.release(name, now + HOUR)
    ready = () => Promise.reject(new Error('worker threads must start, got ENOMEM'))
    await look()
    expect(watch.reasons()).toEqual([])
    await look(MINUTE)
    expect(watch.reasons()).toEqual(['no thread computes: worker threads must start, got ENOMEM'])
    ready = async () => {}
    await look(MINUTE)
    expect(watch.reasons()).toEqual([])
    ready = () => new Promise(() => {})
    await look(MINUTE)
    expect(watch.reasons()).toEqual([])
  })

  it('ends when all flows are late, not when one is', async () => {
    await look(2 * MINUTE)
    await store.release('a', now + HOUR)
    await look(2 * MINUTE)
    expect(watch.problems()).toMatchObject([{ component: 'flow', name: 'b' }])
    expect(watch.reasons()).toEqual([])
    await look(2 * HOUR)
    expect(watch.reasons()).toEqual(['no flow runs in time: all of them are late'])
  })
})

it('nothing is said of the whole before all sources were asked', async () => {
  await look()
  expect(watch.whyNotWorking()).toBeUndefined()
  sources = [{ name: 'prometheus', type: 'prometheus', ok: false, error: 'no', checkedAt: now, okAt: NaN, took: 1 }]
  await look()
  expect(watch.whyNotWorking()).toEqual(['no source answers'])
})
