import { describe, expect, it } from 'vitest'
import { DeliveryError } from '../errors.ts'
import type { Notifier, NotifierNeeds } from '../notifiers/notifier.ts'
import type { Message } from '../stores/store.ts'
import { notifierLaws, remoteNotifierLaws } from './notifier-laws.ts'

const SECRET = 'correct horse'

/** What a lawbreaker does differently from the well-behaved notifier below. */
interface Manners {
  readonly body: (message: Message) => string
  readonly kinds: readonly string[]
  readonly heeds: boolean
  readonly asks: boolean
  readonly waits: boolean
  readonly redirect: 'manual' | 'follow'
  readonly retryable: (status: number) => boolean
  readonly retryAfter: (text: string, now: number) => number
  readonly networkIsRetryable: boolean
  readonly tellsAnswer: 'hidden' | 'shown' | 'whole'
  readonly url: string
}

const GOOD: Manners = {
  body: ({ key, anomaly }) => JSON.stringify({ key, score: anomaly.score }),
  kinds: ['opened', 'updated', 'resolved', 'withdrawn'],
  heeds: true,
  asks: true,
  waits: true,
  redirect: 'manual',
  retryable: status => status === 408 || status === 429 || status >= 500,
  retryAfter: (text, now) => (/^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now),
  networkIsRetryable: true,
  tellsAnswer: 'hidden',
  url: 'http://other.example/',
}

function subjectOf(changes: Partial<Manners> = {}) {
  const manners = { ...GOOD, ...changes }
  const make = ({ fetch, now }: NotifierNeeds): Notifier => ({
    async send(message, signal) {
      if (manners.asks) signal.throwIfAborted()
      if (!manners.kinds.includes(message.kind)) throw new DeliveryError('no such kind', { retryable: false })
      const request = fetch(manners.url, {
        method: 'POST',
        headers: { authorization: SECRET },
        body: manners.body(message),
        redirect: manners.redirect,
        ...(manners.heeds ? { signal } : {}),
      })
      if (!manners.waits) return void request.catch(() => {})
      let response: Response
      try {
        response = await request
      } catch (error) {
        const told = String((error as Error).cause ?? 'unreachable')
        throw new DeliveryError(told, { retryable: manners.networkIsRetryable })
      }
      if (response.ok) return
      const wish = response.headers.get('retry-after')
      const text = manners.tellsAnswer === 'hidden' ? '' : await response.text().catch(String)
      throw new DeliveryError(`got ${response.status} ${manners.tellsAnswer === 'shown' ? text : ''}`, {
        retryable: manners.retryable(response.status),
        ...(wish ? { retryAfter: manners.retryAfter(wish, now()) } : {}),
      })
    },
  })
  return { make, secrets: [SECRET] }
}

const laws = [...notifierLaws, ...remoteNotifierLaws]

describe('a well-behaved notifier keeps the laws', () => {
  for (const law of laws) it(law.name, () => law.check(subjectOf()))
})

const BREAKERS: Readonly<Record<string, Partial<Manners>>> = {
  'resolves when the other side accepts, whatever the kind of change': { kinds: ['opened', 'resolved'] },
  'tells of an anomaly without sentence, shape and known numbers': { body: ({ anomaly }) => `score=${anomaly.score}` },
  'does not write into the message': { body: message => String(((message as { attempts: number }).attempts = 7)) },
  'rejects, and tells nobody, when it is aborted before': { asks: false },
  'resolves only after the other side has answered': { waits: false },
  'takes 400 as a refusal for good': { retryable: () => true },
  'takes 401 as a refusal for good': { retryable: status => status > 400 },
  'takes 403 as a refusal for good': { retryable: status => status > 401 },
  'takes 404 as a refusal for good': { retryable: status => status > 403 },
  'takes 413 as a refusal for good': { retryable: status => status > 404 },
  'takes 408 as a refusal for now': { retryable: status => status >= 500 },
  'takes 429 as a refusal for now': { retryable: status => status >= 500 },
  'takes 500 as a refusal for now': { retryable: () => false },
  'takes 502 as a refusal for now': { retryable: status => status === 503 },
  'takes 503 as a refusal for now': { retryable: status => status === 500 },
  'tells how many seconds the other side asks to wait': { retryAfter: text => Number(text) },
  'tells until which date the other side asks to wait': { retryAfter: text => Number(text) * 1000 },
  'follows no redirect': { redirect: 'follow' },
  'takes a network fault as a failure for now': { networkIsRetryable: false },
  'gives up at once when it is aborted meanwhile': { heeds: false },
  'shows no secret in an error, even when the other side says it': { tellsAnswer: 'shown' },
  'sends no secret in the body or the address': { url: `http://other.example/?token=${encodeURIComponent('x')}&${SECRET}` },
  'leaves a large answer unread': { tellsAnswer: 'whole' },
}

describe('a lawbreaker is caught', () => {
  it('has one for each law', () => {
    expect(Object.keys(BREAKERS).sort()).toEqual(laws.map(law => law.name).sort())
  })
  for (const law of laws)
    it(law.name, async () => {
      await expect(law.check(subjectOf(BREAKERS[law.name]!))).rejects.toThrow()
    })
})
