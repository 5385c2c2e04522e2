import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { MINUTE } from '../duration.ts'
import { DeliveryError } from '../errors.ts'
import { exampleMessage } from '../testing/notifier-laws.ts'
import { sendWithin } from './send-within.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Sends with a deadline of a minute; `send` settles as the test says. */
function start() {
  const stop = new AbortController()
  const answer = Promise.withResolvers<string | void>()
  let heard: AbortSignal | undefined
  const send = (_message: unknown, signal: AbortSignal) => {
    heard = signal
    return answer.promise
  }
  const sending = sendWithin({ send }, exampleMessage(), MINUTE, stop.signal)
  const settled = sending.then(
    identity => ({ identity }),
    (error: unknown) => ({ error }),
  )
  const leftOver = () => [vi.getTimerCount(), getEventListeners(stop.signal, 'abort').length]
  return { stop, answer, settled, leftOver, heard: () => heard! }
}

it('gives what the notifier answers, an identity or an error, and leaves nothing behind', async () => {
  const good = start()
  good.answer.resolve('alert 1')
  expect(await good.settled).toEqual({ identity: 'alert 1' })
  expect(good.heard().aborted).toBe(false)
  expect(good.leftOver()).toEqual([0, 0])

  const bad = start()
  const refusal = new Error('no')
  bad.answer.reject(refusal)
  expect(await bad.settled).toEqual({ error: refusal })
  expect(bad.leftOver()).toEqual([0, 0])
})

it('fails when the time is over, and stops the notifier with the same error', async () => {
  const { settled, heard, leftOver, answer } = start()
  await vi.advanceTimersByTimeAsync(MINUTE - 1)
  expect(heard().aborted).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  const { error } = (await settled) as { error: DeliveryError }
  expect(error).toBeInstanceOf(DeliveryError)
  expect(error).toMatchObject({
    message: 'must be sent within 1m, got no answer',
    about: 'channel',
    reason: 'timeout',
  })
  expect(heard().reason).toBe(error)
  expect(leftOver()).toEqual([0, 0])
  answer.resolve()
})

it('fails with the reason of the signal when it aborts, and stops the notifier with it', async () => {
  const { stop, settled, heard, leftOver, answer } = start()
  const reason = new Error('stopped')
  stop.abort(reason)
  expect(await settled).toEqual({ error: reason })
  expect(heard().reason).toBe(reason)
  expect(leftOver()).toEqual([0, 0])
  answer.resolve()
})

it('lets a notifier fail late without anybody to hear it', async () => {
  const unheard = vi.fn()
  process.on('unhandledRejection', unheard)
  const { stop, settled, answer } = start()
  stop.abort(new Error('stopped'))
  await settled
  answer.reject(new Error('late'))
  vi.useRealTimers()
  await new Promise(setImmediate)
  process.off('unhandledRejection', unheard)
  expect(unheard).not.toHaveBeenCalled()
})
