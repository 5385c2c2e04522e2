import { expect, it } from 'vitest'
import { openInProcessDispatcher } from './in-process-dispatcher.ts'

const never = new AbortController().signal
const job = (flow: string, deadline = 10_000) => ({ flow, range: { start: 0, end: 1 }, deadline })

it('runs at most `concurrency` jobs at once, in order', async () => {
  let running = 0
  let most = 0
  const done: string[] = []
  const dispatcher = openInProcessDispatcher(async ({ flow }) => {
    most = Math.max(most, ++running)
    await new Promise(resolve => setTimeout(resolve, 5))
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
  await new Promise(resolve => setTimeout(resolve, 1))
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
  await expect(hanging).rejects.toThrow('deadline of 20 ms')
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
