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
  readonly about: (status: number) => 'message' | 'channel'
  readonly retryAfter: (text: string, now: number) => number
  readonly aboutNetwork: 'message' | 'channel'
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
  about: status => ([400, 413, 422].includes(status) ? 'message' : 'channel'),
  retryAfter: (text, now) => (/^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now),
  aboutNetwork: 'channel',
  tellsAnswer: 'hidden',
  url: 'http://other.example/',
}

function subjectOf(changes: Partial<Manners> = {}) {
  const manners = { ...GOOD, ...changes }
  const make = ({ fetch, now }: NotifierNeeds): Notifier => ({
    async send(message, signal) {
      if (manners.asks) signal.throwIfAborted()
      if (!manners.kinds.includes(message.kind)) throw new DeliveryError('no such kind', { about: 'message', reason: 'kind' })
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
        throw new DeliveryError(told, { about: manners.aboutNetwork, reason: 'unreachable' })
      }
      if (response.ok) return
      const wish = response.headers.get('retry-after')
      const text = manners.tellsAnswer === 'hidden' ? '' : await response.text().catch(String)
      throw new DeliveryError(`got ${response.status} ${manners.tellsAnswer === 'shown' ? text : ''}`, {
        about: manners.about(response.status),
        reason: String(response.status),
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

/** For each status a lawbreaker that takes only this one for something else. */
function wrongFor(statuses: readonly number[], what: string, wrong: 'message' | 'channel'): Record<string, Partial<Manners>> {
  return Object.fromEntries(
    statuses.map(one => [`takes ${one} as ${what}`, { about: status => (status === one ? wrong : GOOD.about(status)) }]),
  )
}

const BREAKERS: Readonly<Record<string, Partial<Manners>>> = {
  'resolves when the other side accepts, whatever the kind of change': { kinds: ['opened', 'resolved'] },
  'tells of an anomaly without sentence, shape and known numbers': { body: ({ anomaly }) => `score=${anomaly.score}` },
  'does not write into the message': { body: message => String(((message as { attempts: number }).attempts = 7)) },
  'rejects, and tells nobody, when it is aborted before': { asks: false },
  'resolves only after the other side has answered': { waits: false },
  ...wrongFor([400, 413, 422], 'a refusal of the message', 'channel'),
  ...wrongFor([301, 401, 403, 404, 408, 410, 429, 500, 502, 503], 'a failure of the channel', 'message'),
  'tells how many seconds the other side asks to wait': { retryAfter: text => Number(text) },
  'tells until which date the other side asks to wait': { retryAfter: text => Number(text) * 1000 },
  'follows no redirect': { redirect: 'follow' },
  'takes a network fault as a failure of the channel': { aboutNetwork: 'message' },
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
