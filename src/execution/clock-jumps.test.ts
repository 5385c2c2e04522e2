import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { DAY, formatDuration, HOUR, MINUTE } from '../duration.ts'
import { fromValues } from '../frame/frame.ts'
import { computeFlow } from '../pipeline/compute-flow.ts'
import type { FlowConfig } from '../pipeline/configuration.ts'
import { flowPipeline } from '../pipeline/flow.ts'
import type { Source } from '../sources/source.ts'
import { fromMemory } from '../stores/memory.ts'
import { openSqlite } from '../stores/sqlite.ts'
import type { Store } from '../stores/store.ts'
import { toyFlow } from '../testing/toy-watch.ts'
import type { Dispatcher } from './dispatcher.ts'
import { runFlow } from './run-flow.ts'
import { openScheduler } from './scheduler.ts'
import { openReader } from './store-reader.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidewatch-clock-'))
afterAll(() => rmSync(folder, { recursive: true }))

const BEGIN = Date.UTC(2026, 2, 10, 12)
const LOOKBACK = 3 * HOUR
const flow: FlowConfig = toyFlow(
  {},
  {
    detect: [{ type: 'ewma', name: 'ewma' }],
    rule: { type: 'threshold', limit: 8 },
    refine: [{ type: 'merge', gap: '2m' }],
    reexamine: 2 * MINUTE,
    lookback: LOOKBACK,
  },
)

interface Subject {
  readonly name: string
  open(): Store
  /** What a process that starts anew finds. */
  reopen(store: Store, now: () => number): Promise<Store>
}
let files = 0
const subjects: readonly Subject[] = [
  { name: 'memory', open: () => fromMemory(), reopen: async store => store },
  {
    name: 'sqlite',
    open: () => openSqlite(join(folder, `${++files}.db`), { now: () => BEGIN }),
    async reopen(store, now) {
      await store.close()
      return openSqlite(join(folder, `${files}.db`), { now })
    },
  },
]

/** A watch over a metric that is near 100, but 900 in its spikes, by a clock that is set by hand. */
async function watch(subject: Subject) {
  let time = BEGIN
  /** By how much the clock of the source is behind. */
  let ahead = 0
  const now = () => time
  const spikes: { readonly start: number; readonly end: number }[] = []
  const valueAt = (at: number) =>
    spikes.some(({ start, end }) => at >= start && at < end) ? 900 : 100 + (((at / MINUTE) * 7919) % 13)
  const source = {
    async read({ range, step }: { range: { start: number; end: number }; step: number }) {
      const count = Math.max(0, Math.ceil((Math.min(range.end, time - ahead + 1) - range.start) / step))
      // What no server answers with.
      if (count > 11_000) throw new Error(`must ask for at most 11,000 rows, got ${count}`)
      const times = Float64Array.from({ length: count }, (_, i) => range.start + i * step)
      return { frames: [fromValues(times, times.map(valueAt), { job: 'dns' })], warnings: [], requests: [] }
    },
  } as unknown as Source
  const pipeline = flowPipeline(flow, LOOKBACK, async (config, input) => computeFlow(config, input))
  const errors: unknown[] = []
  let store = subject.open()
  let runs: Promise<void>[] = []
  const start = async () => {
    const reader = openReader({ s: source }, store)
    const dispatcher: Dispatcher = {
      dispatch: ({ range }, signal) => runFlow({ config: flow, pipeline, reader, store, now }, range, signal).then(() => {}),
      cancel: async () => {},
      close: async () => {},
    }
    const given = { ...dispatcher, dispatch: track(dispatcher.dispatch) }
    const scheduler = openScheduler({
      store,
      dispatcher: given,
      now,
      onDone: () => {},
      onError: (_, error) => errors.push(error),
    })
    await scheduler.schedule([flow])
    return scheduler
  }
  /** Remembers what is dispatched, so that it can be waited for. */
  function track(dispatch: Dispatcher['dispatch']): Dispatcher['dispatch'] {
    return (job, signal) => {
      const done = dispatch(job, signal)
      runs.push(done)
      return done
    }
  }
  let scheduler = await start()
  const { signal } = new AbortController()
  const world = {
    now,
    errors,
    store: () => store,
    addSpike: (at: number, length = 2 * MINUTE) => void spikes.push({ start: at, end: at + length }),
    jump: (ms: number) => void (time += ms),
    leaveSourceBehind: (ms: number) => void (ahead = ms),
    async restart() {
      store = await subject.reopen(store, now)
      scheduler = await start()
    },
    /** Lets so much time pass, with a tick each quarter of a minute. */
    async pass(ms: number) {
      for (const end = time + ms; time < end; ) {
        time += MINUTE / 4
        await scheduler.tick(signal)
        await Promise.allSettled(runs)
        runs = []
        // The release after a run.
        await new Promise(setImmediate)
      }
    },
    async lastRunAt() {
      return (await store.flow('f'))!.lastRun!.startedAt
    },
    /** When the anomaly at a time was first stored; undefined when there is none. */
    async openedAt(at: number) {
      const found = await store.anomalies({ range: { start: at, end: at + MINUTE } })
      return found[0]?.openedAt
    },
    async close() {
      await store.close()
      expect(errors).toEqual([])
    },
  }
  await world.pass(20 * MINUTE)
  return world
}

for (const subject of subjects)
  describe(`a clock that jumps, with the ${subject.name} store`, () => {
    for (const isRunning of [true, false])
      for (const by of [DAY, -DAY, HOUR, -HOUR, -10 * MINUTE, -MINUTE])
        it(`by ${by < 0 ? '−' : '+'}${formatDuration(Math.abs(by))} while ${isRunning ? 'it runs' : 'nothing runs'} blinds no flow`, async () => {
          const world = await watch(subject)
          world.jump(by)
          if (!isRunning) await world.restart()
          const jumpedAt = world.now()
          await world.pass(MINUTE)
          expect(await world.lastRunAt()).toBeGreaterThan(jumpedAt)
          const spike = Math.ceil(world.now() / MINUTE) * MINUTE + 4 * MINUTE
          world.addSpike(spike)
          await world.pass(10 * MINUTE)
          expect(await world.lastRunAt()).toBeGreaterThanOrEqual(world.now() - MINUTE)
          expect(await world.openedAt(spike)).toBeGreaterThanOrEqual(spike)
          expect(await world.openedAt(spike)).toBeLessThanOrEqual(spike + 2 * MINUTE)
          await world.close()
        })

    it('finds what happened in the time that it jumped over', async () => {
      const world = await watch(subject)
      const spike = Math.ceil(world.now() / MINUTE) * MINUTE + 12 * HOUR
      world.addSpike(spike)
      world.jump(DAY)
      await world.pass(MINUTE)
      expect(await world.openedAt(spike)).toBeDefined()
      await world.close()
    })

    it('from 1970 to now, as on a machine that starts without a clock, does not ask for all the time between', async () => {
      const world = await watch(subject)
      world.jump(-BEGIN + DAY)
      await world.pass(20 * MINUTE)
      world.jump(BEGIN)
      await world.pass(2 * MINUTE)
      const spike = Math.ceil(world.now() / MINUTE) * MINUTE + 4 * MINUTE
      world.addSpike(spike)
      await world.pass(10 * MINUTE)
      expect(await world.openedAt(spike)).toBeGreaterThanOrEqual(spike)
      await world.close()
    })

    it('forward and, corrected, back again blinds no flow either', async () => {
      const world = await watch(subject)
      world.jump(DAY)
      await world.pass(5 * MINUTE)
      world.jump(-DAY)
      const spike = Math.ceil(world.now() / MINUTE) * MINUTE + 3 * MINUTE
      world.addSpike(spike)
      await world.pass(10 * MINUTE)
      expect(await world.openedAt(spike)).toBeLessThanOrEqual(spike + 2 * MINUTE)
      await world.close()
    })

    for (const by of [DAY, 10 * MINUTE, -10 * MINUTE, -DAY])
      it(`by ${by < 0 ? '−' : '+'}${formatDuration(Math.abs(by))} and, soon corrected, back again changes nothing that is open`, async () => {
        const world = await watch(subject)
        world.addSpike(Math.ceil(world.now() / MINUTE) * MINUTE, HOUR)
        await world.pass(5 * MINUTE)
        const open = await world.store().anomalies({ status: 'open' })
        expect(open).toHaveLength(1)
        world.jump(by)
        // What is there now is all that the source has.
        world.leaveSourceBehind(by)
        await world.pass(MINUTE / 4)
        await world.restart()
        world.jump(-by)
        world.leaveSourceBehind(0)
        await world.pass(MINUTE)
        expect(await world.store().anomalies({ status: 'withdrawn' })).toEqual([])
        expect(await world.store().anomalies({ status: 'open' })).toMatchObject([
          { id: open[0]!.id, openedAt: open[0]!.openedAt },
        ])
        await world.close()
      })

    it('back ends what was open in the time that is the future now, with the reason', async () => {
      const world = await watch(subject)
      world.addSpike(Math.ceil(world.now() / MINUTE) * MINUTE, HOUR)
      await world.pass(5 * MINUTE)
      expect(await world.store().anomalies({ status: 'open' })).toHaveLength(1)
      world.jump(-DAY)
      await world.pass(MINUTE)
      expect(await world.store().anomalies({ status: 'open' })).toEqual([])
      expect(await world.store().anomalies({ status: 'withdrawn' })).toMatchObject([
        { withdrawnBecause: 'the clock was set back to before it began' },
      ])
      await world.close()
    })
  })
