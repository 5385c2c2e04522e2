import { expect, it } from 'vitest'
import { MINUTE } from '../duration.ts'
import type { FlowConfig } from '../pipeline/configuration.ts'
import { stores } from '../stores/index.ts'
import type { Store } from '../stores/store.ts'
import { sampleRun } from '../testing/store-laws.ts'
import { CLOCK_PATIENCE } from './clock-doubt.ts'
import type { Job } from './dispatcher.ts'
import { nextRunAt, openScheduler } from './scheduler.ts'

const flow = (name: string, rest: Partial<FlowConfig> = {}) =>
  ({
    name,
    every: MINUTE,
    query: { source: 's', expr: 'x', step: MINUTE },
    delay: 0,
    reexamine: 0,
    deadline: 1000,
    ...rest,
  }) as FlowConfig

function setUp() {
  let time = 10 * MINUTE
  const store: Store = stores.memory!.create({}, { folder: '.', now: () => time })
  const jobs: Job[] = []
  const errors: string[] = []
  const done: string[] = []
  const setBack: number[] = []
  let work: (job: Job) => Promise<void> = async () => {}
  const scheduler = openScheduler({
    store,
    dispatcher: {
      async dispatch(job) {
        jobs.push(job)
        await work(job)
      },
      cancel: async () => {},
      close: async () => {},
    },
    now: () => time,
    onDone: name => done.push(name),
    onSetBack: ms => setBack.push(ms),
    onError: (name, error) => errors.push(`${name}: ${(error as Error).message}`),
  })
  return {
    scheduler,
    store,
    jobs,
    errors,
    done,
    setBack,
    pass: (ms: number) => (time += ms),
    doing: (next: typeof work) => (work = next),
    /** Until all has been done that needs no time. */
    settle: () => new Promise(setImmediate),
  }
}
const signal = new AbortController().signal

it('starts what is due, once, and again at the next multiple of `every`', async () => {
  const { scheduler, jobs, pass, settle } = setUp()
  await scheduler.schedule([flow('a'), flow('b')])
  expect(await scheduler.tick(signal)).toBe(2)
  await settle()
  expect(await scheduler.tick(signal)).toBe(0)
  pass(MINUTE)
  expect(await scheduler.tick(signal)).toBe(2)
  expect(jobs.map(job => job.flow).sort()).toEqual(['a', 'a', 'b', 'b'])
})

it('does not start a flow that is still running', async () => {
  const { scheduler, jobs, pass, doing, settle } = setUp()
  let finish = () => {}
  doing(() => new Promise(resolve => (finish = resolve)))
  await scheduler.schedule([flow('a')])
  await scheduler.tick(signal)
  await settle()
  pass(MINUTE)
  expect(await scheduler.tick(signal)).toBe(0)
  finish()
  await settle()
  pass(MINUTE)
  expect(await scheduler.tick(signal)).toBe(1)
  await settle()
  finish()
  expect(jobs).toHaveLength(2)
})

it('goes on with the others when one fails, and tries that one again', async () => {
  const { scheduler, jobs, errors, pass, doing, settle } = setUp()
  doing(async job => {
    if (job.flow === 'bad') throw new Error('no')
  })
  await scheduler.schedule([flow('bad'), flow('good')])
  await scheduler.tick(signal)
  await settle()
  pass(MINUTE)
  await scheduler.tick(signal)
  await settle()
  expect(errors).toEqual(['bad: no', 'bad: no'])
  expect(jobs.filter(job => job.flow === 'good')).toHaveLength(2)
})

it('makes up a pause with one run, not with one per missed time', async () => {
  const { scheduler, jobs, pass, settle } = setUp()
  await scheduler.schedule([flow('a')])
  await scheduler.tick(signal)
  await settle()
  pass(60 * MINUTE)
  await scheduler.tick(signal)
  await settle()
  expect(await scheduler.tick(signal)).toBe(0)
  expect(jobs).toHaveLength(2)
})

it('does not run flows that left the configuration', async () => {
  const { scheduler, jobs, pass, settle } = setUp()
  await scheduler.schedule([flow('a'), flow('b')])
  await scheduler.tick(signal)
  await settle()
  await scheduler.schedule([flow('b')])
  pass(MINUTE)
  await scheduler.tick(signal)
  await settle()
  expect(jobs.map(job => job.flow)).toEqual(['a', 'b', 'b'])
})

it('knows multiples and cron expressions', () => {
  expect(nextRunAt(flow('a'), 90_000)).toBe(120_000)
  expect(nextRunAt(flow('a'), 120_000)).toBe(180_000)
  expect(new Date(nextRunAt(flow('a', { cron: '30 3 * * *' }), Date.UTC(2026, 0, 1, 12))).toISOString()).toBe(
    '2026-01-02T03:30:00.000Z',
  )
})

it('falls back to `every` when a cron expression never comes again', () => {
  expect(nextRunAt(flow('a', { cron: '0 0 30 2 *' }), 90_000)).toBe(150_000)
})

it('dispatches the rows from the watermark to `delay` ago, with the deadline', async () => {
  const { scheduler, jobs, settle, store } = setUp()
  await store.commit(sampleRun({ flow: 'a', watermark: 4 * MINUTE }))
  await scheduler.schedule([
    flow('a', { delay: 2 * MINUTE, deadline: 7000 }),
    flow('b', { reexamine: 3 * MINUTE, query: { source: 'other', expr: 'y', step: MINUTE } }),
  ])
  await scheduler.tick(signal)
  await settle()
  expect(jobs.toSorted((a, b) => a.flow.localeCompare(b.flow))).toEqual([
    { flow: 'a', source: 's', range: { start: 4 * MINUTE, end: 9 * MINUTE }, deadline: 7000 },
    { flow: 'b', source: 'other', range: { start: 8 * MINUTE, end: 11 * MINUTE }, deadline: 1000 },
  ])
})

it('says which runs are done, and not those that failed', async () => {
  const { scheduler, done, doing, settle } = setUp()
  doing(async job => {
    if (job.flow === 'bad') throw new Error('no')
  })
  await scheduler.schedule([flow('bad'), flow('good')])
  await scheduler.tick(signal)
  await settle()
  expect(done).toEqual(['good'])
})

it.each([
  ['a minute', [1000, 30_000], 60_000],
  ['twice the longest deadline', [1000, 40_000, 20_000], 80_000],
])('leases what it claims for %s', async (_, deadlines, lease) => {
  const { scheduler, store } = setUp()
  const leases: number[] = []
  store.claim = async (_now, ms) => {
    leases.push(ms)
    return []
  }
  await scheduler.schedule(deadlines.map((deadline, i) => flow(`${i}`, { deadline })))
  await scheduler.tick(signal)
  expect(leases).toEqual([lease])
})

it('starts nothing anew whose lease is over while it still runs', async () => {
  const { scheduler, jobs, pass, doing, settle } = setUp()
  doing(() => new Promise(() => {}))
  await scheduler.schedule([flow('a')])
  expect(await scheduler.tick(signal)).toBe(1)
  pass(60 * MINUTE)
  expect(await scheduler.tick(signal)).toBe(0)
  await settle()
  expect(jobs).toHaveLength(1)
})

it('reports a store that cannot take the next time, and goes on', async () => {
  const { scheduler, errors, settle, store } = setUp()
  store.release = () => Promise.reject(new Error('disk full'))
  await scheduler.schedule([flow('a')])
  await scheduler.tick(signal)
  await settle()
  expect(errors).toEqual(['a: disk full'])
})

it('says by how much the clock was set back, and runs what waits for the old time', async () => {
  const { scheduler, jobs, setBack, pass, settle } = setUp()
  await scheduler.schedule([flow('a'), flow('nightly', { cron: '30 3 * * *' })])
  await scheduler.tick(signal)
  await settle()
  await scheduler.tick(signal)
  expect(setBack).toEqual([])
  pass(-60 * MINUTE)
  expect(await scheduler.tick(signal)).toBe(1)
  await settle()
  pass(MINUTE)
  expect(await scheduler.tick(signal)).toBe(1)
  expect(setBack).toEqual([60 * MINUTE])
  expect(jobs.map(job => job.flow)).toEqual(['a', 'nightly', 'a', 'a'])
})

it('waits before it runs a flow by a clock that is behind what the flow has seen', async () => {
  const { scheduler, store, jobs, done, pass, settle } = setUp()
  await store.commit(sampleRun({ flow: 'a', range: { start: 9 * MINUTE, end: 11 * MINUTE }, finishedAt: 10 * MINUTE }))
  pass(-5 * MINUTE)
  await scheduler.schedule([flow('a', { every: 20 * MINUTE })])
  const startedAfter = async (ms: number) => {
    pass(ms)
    await scheduler.tick(signal)
    await settle()
    return jobs.length
  }
  expect(await startedAfter(0)).toBe(0)
  expect(await startedAfter(CLOCK_PATIENCE - 1)).toBe(0)
  expect(done).toEqual([])
  // Though its next time is far.
  expect(await startedAfter(1)).toBe(1)
  expect(jobs[0]!.range.end).toBe(6 * MINUTE)
})

it('goes on at once when the clock is corrected', async () => {
  const { scheduler, store, jobs, pass, settle } = setUp()
  await store.commit(
    sampleRun({ flow: 'a', range: { start: 9 * MINUTE, end: 11 * MINUTE }, watermark: 9 * MINUTE, finishedAt: 10 * MINUTE }),
  )
  await scheduler.schedule([flow('a')])
  pass(-5 * MINUTE)
  await scheduler.schedule([flow('a')])
  await scheduler.tick(signal)
  await settle()
  expect(jobs).toEqual([])
  pass(5 * MINUTE)
  await scheduler.tick(signal)
  await settle()
  expect(jobs.map(({ range }) => range)).toEqual([{ start: 9 * MINUTE, end: 11 * MINUTE }])
})

it('does not put off what is due when the same flows are scheduled again', async () => {
  const { scheduler, pass } = setUp()
  await scheduler.schedule([flow('a')])
  pass(10)
  await scheduler.schedule([flow('a')])
  pass(-10)
  expect(await scheduler.tick(signal)).toBe(1)
})
