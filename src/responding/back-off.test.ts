import { describe, expect, it } from 'vitest'
import { DAY, HOUR, MINUTE, SECOND } from '../duration.ts'
import { DeliveryError } from '../errors.ts'
import type { Notifier } from '../notifiers/notifier.ts'
import type { Message } from '../stores/store.ts'
import { exampleMessage } from '../testing/notifier-laws.ts'
import { BACK_OFF_DEFAULTS, isHopeless, nextAttempt, nextSending } from './back-off.ts'

const NOW = Date.UTC(2026, 0, 5, 10)
const forgetful: Notifier = { send: async () => {}, resend: { every: MINUTE, afterEnd: 5 * MINUTE } }
const { resend: _, ...lasting } = forgetful

describe('the next sending', () => {
  const opened = exampleMessage()
  const ended = (kind: 'resolved' | 'withdrawn') => exampleMessage({ kind, createdAt: NOW })

  it('to a side that forgets is counted from when it accepted', () => {
    expect(nextSending(opened, forgetful, NOW)).toBe(NOW + MINUTE)
    expect(nextSending(opened, forgetful, NOW + 30 * DAY)).toBe(NOW + 30 * DAY + MINUTE)
    expect(nextSending(opened, lasting, NOW)).toBeUndefined()
  })

  it.each(['resolved', 'withdrawn'] as const)('of what was %s is within `afterEnd`', kind => {
    expect(nextSending(ended(kind), forgetful, NOW + 4 * MINUTE)).toBe(NOW + 5 * MINUTE)
    expect(nextSending(ended(kind), forgetful, NOW + 4 * MINUTE + 1)).toBeUndefined()
  })
})

describe('a message that fails', () => {
  const isGivenUp = (message: Partial<Message>, now: number) => isHopeless(exampleMessage(message), BACK_OFF_DEFAULTS, now)

  it('is never hopeless while its anomaly is open', () => {
    for (const kind of ['opened', 'updated'] as const) expect(isGivenUp({ kind, createdAt: NOW }, NOW + 3650 * DAY)).toBe(false)
  })

  it('is hopeless a week after the end was found', () => {
    for (const message of [
      { kind: 'resolved', createdAt: NOW },
      { kind: 'withdrawn', createdAt: NOW },
      { kind: 'opened', createdAt: NOW - 30 * DAY, overtakenAt: NOW },
      { kind: 'resolved', createdAt: NOW - 30 * DAY, overtakenAt: NOW },
    ] as const) {
      expect(isGivenUp(message, NOW + 7 * DAY - 1)).toBe(false)
      expect(isGivenUp(message, NOW + 7 * DAY)).toBe(true)
    }
  })
})

describe('the next attempt', () => {
  const options = { ...BACK_OFF_DEFAULTS, firstRetry: 2 * SECOND, longestRetry: 20 * SECOND }
  const busy = (retryAfter?: number) =>
    new DeliveryError('busy', { about: 'channel', reason: '503', ...(retryAfter !== undefined && { retryAfter }) })
  const waitOf = (attempts: number, random: number, error: Error = busy(), notifier: Notifier = lasting, some = {}) =>
    nextAttempt(exampleMessage({ attempts }), error, notifier, { ...options, ...some }, NOW, random) - NOW

  it('comes after twice the time of the one before, up to the longest, of which half is random', () => {
    expect([0, 1, 2, 3, 4, 5000].map(attempts => waitOf(attempts, 1))).toEqual([2000, 4000, 8000, 16_000, 20_000, 20_000])
    expect([0, 1, 2, 3, 4].map(attempts => waitOf(attempts, 0))).toEqual([1000, 2000, 4000, 8000, 10_000])
    expect(waitOf(0, 0.33333)).toBe(1334)
  })

  it('comes at once when there is no wait, however often it failed', () => {
    expect(waitOf(5000, 0.5, busy(), lasting, { firstRetry: 0 })).toBe(0)
  })

  it('is never earlier than asked for within an hour, and has its random part after it', () => {
    expect(waitOf(0, 0, busy(7 * SECOND))).toBe(7000)
    expect(waitOf(0, 1, busy(7 * SECOND))).toBe(8000)
    expect(waitOf(0, 0, busy(2 * HOUR))).toBe(HOUR)
    expect(waitOf(3, 0, busy(1 * SECOND))).toBe(8000)
    expect(waitOf(0, 0, Object.assign(new Error('a bug'), { retryAfter: 7000 }))).toBe(1000)
  })

  it('of a side that forgets is not later than its next repetition would be, even when it asks for it', () => {
    expect(waitOf(0, 1, busy(HOUR), forgetful)).toBe(MINUTE)
    expect(waitOf(10, 1, busy(), forgetful, { longestRetry: HOUR })).toBe(MINUTE)
    expect(waitOf(10, 0, busy(), forgetful, { longestRetry: HOUR })).toBe(MINUTE / 2)
  })
})
