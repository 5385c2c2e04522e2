import { expect, it } from 'vitest'
import { repeat } from './loop.ts'

/** Lets work be done a number of times; the pauses between are not waited for. */
async function live(times: number, work: (time: number) => Promise<unknown>, onSleep = () => {}) {
  const stop = new AbortController()
  const errors: Error[] = []
  const pauses: number[] = []
  let done = 0
  await repeat(
    250,
    async () => {
      if (++done === times) stop.abort(new Error('enough'))
      await work(done)
    },
    {
      async sleep(ms, signal) {
        pauses.push(ms)
        onSleep()
        signal.throwIfAborted()
      },
      signal: stop.signal,
      onError: error => errors.push(error),
    },
  )
  return { done, errors, pauses }
}

it('does the work with a pause after each time, until it is stopped', async () => {
  expect(await live(3, async () => {})).toEqual({ done: 3, errors: [], pauses: [250, 250, 250] })
})

it('does nothing when it was stopped before', async () => {
  let done = 0
  const signal = AbortSignal.abort()
  await repeat(1, async () => done++, { sleep: async () => {}, signal, onError: () => {} })
  expect(done).toBe(0)
})

it('passes errors on, whatever was thrown, and goes on', async () => {
  const failure = new Error('no')
  const { done, errors } = await live(3, async time => {
    if (time === 1) throw failure
    // A library may throw anything.
    if (time === 2) throw 'text'
  })
  expect(done).toBe(3)
  expect(errors[0]).toBe(failure)
  expect(errors[1]).toEqual(new Error('text'))
})

it('says nothing of what fails because it is stopped', async () => {
  const { errors } = await live(1, async () => {
    throw new Error('aborted')
  })
  expect(errors).toEqual([])
})
