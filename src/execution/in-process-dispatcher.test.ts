import { expect, it, vi } from 'vitest'
import { HOUR } from '../duration.ts'
import { openInProcessDispatcher } from './in-process-dispatcher.ts'

const never = new AbortController().signal
const job = (flow: string, deadline = HOUR, source = 's') => ({ flow, source, range: { start: 0, end: 1 }, deadline })

it('runs at most `concurrency` jobs at once, in order', async () => {
  let running = 0
  let most = 0
  const done: string[] = []
  const dispatcher = openInProcessDispatcher(async ({ flow }) => {
    most = Math.max(most, ++running)
    await new Promise(setImmediate)
    running--
    done.push(flow)
  }, 2)
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map(flow => dispatcher.dispatch(job(flow), never)))
  expect(most).toBe(2)
  expect(done.sort()).toEqual(['a', 'b', 'c', 'd', 'e'])
})

it('refuses a second run of a flow that is running, and takes it afterwards', async () => {
  let finish = () => {}
  const dispatcher = openInProcessDispatcher(() => new Promise(resolve => (finish = resolve)), 4)
  const first = dispatcher.dispatch(job('a'), never)
  await expect(dispatcher.dispatch(job('a'), never)).rejects.toThrow('flow a must not run twice at once')
  finish()
  await first
  const second = dispatcher.dispatch(job('a'), never)
  await new Promise(setImmediate)
  finish()
  await second
})

it('ends a job at its deadline, without touching another', async () => {
  const dispatcher = openInProcessDispatcher(
    ({ flow }, signal) =>
      flow === 'good'
        ? Promise.resolve()
        : new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    4,
  )
  const hanging = dispatcher.dispatch(job('hangs', 20), never)
  await dispatcher.dispatch(job('good'), never)
  await expect(hanging).rejects.toThrow('deadline of 20ms')
})

it('gives its place back after a failure', async () => {
  const dispatcher = openInProcessDispatcher(
    ({ flow }) => (flow === 'bad' ? Promise.reject(new Error('no')) : Promise.resolve()),
    1,
  )
  await expect(dispatcher.dispatch(job('bad'), never)).rejects.toThrow('no')
  await dispatcher.dispatch(job('good'), never)
})

it('cancels what runs when it is closed', async () => {
  const dispatcher = openInProcessDispatcher(
    (_, signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    1,
  )
  const running = dispatcher.dispatch(job('a'), never)
  const ended = expect(running).rejects.toThrow('stopping')
  await dispatcher.close()
  await ended
})

it('leaves a place for other sources when one does not answer', async () => {
  const hanging: (() => void)[] = []
  const dispatcher = openInProcessDispatcher(
    ({ source }) => (source === 'dead' ? new Promise(resolve => hanging.push(resolve)) : Promise.resolve()),
    2,
  )
  const dead = [1, 2, 3, 4, 5].map(i => dispatcher.dispatch(job(`dead-${i}`, HOUR, 'dead'), never))
  await dispatcher.dispatch(job('good', HOUR, 'live'), never)
  expect(hanging).toHaveLength(2)
  while (hanging.length > 0) {
    hanging.shift()!()
    await new Promise(setImmediate)
  }
  await Promise.all(dead)
})

it('begins a deadline when the run begins, not while it waits', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    let finish = () => {}
    const dispatcher = openInProcessDispatcher(
      ({ flow }, signal) =>
        flow === 'slow' ? new Promise(resolve => (finish = resolve)) : Promise.resolve(signal.throwIfAborted()),
      1,
    )
    const slow = dispatcher.dispatch(job('slow', 100_000), never)
    const waiting = dispatcher.dispatch(job('waiting', 1000), never)
    await vi.advanceTimersByTimeAsync(50_000)
    finish()
    await Promise.all([slow, waiting])
  } finally {
    vi.useRealTimers()
  }
})

it('cancels one flow, whether it runs or waits for its turn', async () => {
  const started: string[] = []
  const dispatcher = openInProcessDispatcher(({ flow }, signal) => {
    started.push(flow)
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  }, 1)
  const runs = ['runs', 'waits'].map(flow => dispatcher.dispatch(job(flow), never))
  const ended = Promise.all(runs.map(run => expect(run).rejects.toThrow('removed')))
  await dispatcher.cancel('waits', new Error('removed'))
  await dispatcher.cancel('runs', new Error('removed'))
  await dispatcher.cancel('unknown', new Error('removed'))
  await ended
  expect(started).toEqual(['runs'])
})

it('leaves no timer behind when a job is done', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const dispatcher = openInProcessDispatcher(async ({ flow }) => {
      if (flow === 'bad') throw new Error('no')
    }, 1)
    await dispatcher.dispatch(job('good'), never)
    await expect(dispatcher.dispatch(job('bad'), never)).rejects.toThrow('no')
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

it.each(['cancel', 'close'] as const)('%s waits for what a job still does after it was told to end', async end => {
  const events: string[] = []
  let finish = () => {}
  const dispatcher = openInProcessDispatcher(async (_, signal) => {
    await new Promise<void>(resolve => (finish = resolve))
    expect(signal.aborted).toBe(true)
    events.push('job')
  }, 1)
  const run = dispatcher.dispatch(job('a'), never)
  await new Promise(resolve => setImmediate(resolve))
  const ended = (end === 'cancel' ? dispatcher.cancel('a', new Error('removed')) : dispatcher.close()).then(() =>
    events.push(end),
  )
  await new Promise(resolve => setImmediate(resolve))
  finish()
  await Promise.all([run, ended])
  expect(events).toEqual(['job', end])
})
