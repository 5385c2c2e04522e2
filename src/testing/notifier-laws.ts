import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { DeliveryError } from '../errors.ts'
import type { Notifier, NotifierNeeds } from '../notifiers/notifier.ts'
import type { Message } from '../stores/store.ts'

/** What every notifier promises. Each law throws when it is broken; run each in a test of its own. */

export interface NotifierSubject {
  /** Makes the notifier anew, in the world that is given. */
  make(needs: NotifierNeeds): Notifier
  /** Every secret of its configuration. */
  readonly secrets: readonly string[]
}

export interface NotifierLaw {
  readonly name: string
  check(subject: NotifierSubject): Promise<void>
}

/** For all notifiers. */
export const notifierLaws: readonly NotifierLaw[] = [
  {
    name: 'resolves when the other side accepts, whatever the kind of change',
    async check({ make }) {
      for (const kind of ['opened', 'updated', 'resolved', 'withdrawn'] as const)
        await make(worldOf(accept)).send(exampleMessage({ kind }), AbortSignal.timeout(5000))
    },
  },
  {
    name: 'tells of an anomaly without sentence, shape and known numbers',
    async check({ make }) {
      const unknown = { score: NaN, strength: Infinity, current: NaN, expected: NaN, lower: NaN, upper: NaN, annotations: {} }
      const { sentence: _, shape: __, numbers: ___, ...bare } = exampleMessage().anomaly
      const message = { ...exampleMessage(), anomaly: { ...bare, ...unknown } }
      let told = ''
      await make({ ...worldOf(recording(body => (told += body))), log: line => (told += line) }).send(message, quiet())
      assert.doesNotMatch(told, /NaN|Infinity|undefined|"Invalid Date"/)
    },
  },
  {
    name: 'does not write into the message',
    async check({ make }) {
      const message = exampleMessage()
      const before = structuredClone(message)
      await make(worldOf(accept)).send(deepFreeze(message), quiet())
      assert.deepEqual(message, before)
    },
  },
  {
    name: 'rejects, and tells nobody, when it is aborted before',
    async check({ make }) {
      let told = 0
      const notifier = make({ ...worldOf(recording(() => told++)), log: () => told++ })
      await assert.rejects(async () => notifier.send(exampleMessage(), AbortSignal.abort(new Error('stopped'))))
      assert.equal(told, 0)
    },
  },
]

/** For notifiers that talk to another side through `fetch`. */
export const remoteNotifierLaws: readonly NotifierLaw[] = [
  {
    name: 'resolves only after the other side has answered',
    async check({ make }) {
      let answered = false
      const slow: typeof fetch = async () => {
        await new Promise(setImmediate)
        answered = true
        return new Response('', { status: 200 })
      }
      await make(worldOf(slow)).send(exampleMessage(), quiet())
      assert.ok(answered, 'must wait for the answer, got resolved before')
    },
  },
  ...[400, 413, 422].map(status => refusal(`takes ${status} as a refusal of the message`, { status }, { about: 'message' })),
  ...[301, 401, 403, 404, 408, 410, 429, 500, 502, 503].map(status =>
    refusal(`takes ${status} as a failure of the channel`, { status }, { about: 'channel' }),
  ),
  refusal(
    'tells how many seconds the other side asks to wait',
    { status: 429, headers: { 'retry-after': '7' } },
    { about: 'channel', retryAfter: 7000 },
  ),
  refusal(
    'tells until which date the other side asks to wait',
    { status: 503, headers: { 'retry-after': new Date(now() + 9000).toUTCString() } },
    { about: 'channel', retryAfter: 9000 },
  ),
  {
    name: 'follows no redirect',
    async check(subject) {
      const modes: unknown[] = []
      const moved: typeof fetch = async (_url, init) => {
        modes.push(init?.redirect)
        return new Response('', { status: 307, headers: { location: 'http://elsewhere.example/' } })
      }
      const error = await failureOf(subject, moved)
      assert.equal(error.about, 'channel')
      for (const mode of modes) assert.ok(mode === 'manual' || mode === 'error', `redirect must be manual or error, got ${mode}`)
    },
  },
  {
    name: 'takes a network fault as a failure of the channel',
    async check(subject) {
      const error = await failureOf(subject, async () => {
        throw new TypeError('fetch failed', { cause: Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }) })
      })
      assert.equal(error.about, 'channel')
      assert.match(error.message, /ECONNREFUSED/)
    },
  },
  {
    name: 'gives up at once when it is aborted meanwhile',
    async check({ make }) {
      const stop = new AbortController()
      const hanging: typeof fetch = (_url, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => reject(init.signal!.reason), { once: true })
          stop.abort(new Error('stopped'))
        })
      const sent = make(worldOf(hanging)).send(exampleMessage(), stop.signal)
      let result = 'late'
      sent.then(
        () => (result = 'accepted'),
        () => (result = 'rejected'),
      )
      for (let turns = 0; turns < 100 && result === 'late'; turns++) await new Promise(setImmediate)
      assert.equal(result, 'rejected')
    },
  },
  {
    name: 'shows no secret in an error, even when the other side says it',
    async check(subject) {
      const echo: typeof fetch = async (url, init) => {
        const headers = [...new Headers(init?.headers).values()]
        return new Response([String(url), ...headers, ...subject.secrets].join(' '), { status: 400 })
      }
      const leak: typeof fetch = async (_url, init) => {
        throw new TypeError(`bad header ${[...new Headers(init?.headers).values()].join(' ')} ${subject.secrets.join(' ')}`)
      }
      for (const fetch of [echo, leak]) {
        const error = await failureOf(subject, fetch)
        const seen = `${error.message} ${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)}`
        for (const secret of subject.secrets) assert.ok(!seen.includes(secret), 'must show no secret, got one')
      }
    },
  },
  {
    name: 'sends no secret in the body or the address',
    async check({ make, secrets }) {
      let sent = ''
      const notifier = make(
        worldOf(async (url, init) => {
          sent += `${url} ${init?.body}`
          return new Response('')
        }),
      )
      await notifier.send(exampleMessage(), quiet())
      for (const secret of secrets) assert.ok(!sent.includes(secret), 'must send no secret, got one')
    },
  },
  {
    name: 'leaves a large answer unread',
    async check(subject) {
      let pulled = 0
      const endless = () =>
        new ReadableStream({
          pull(controller) {
            if (++pulled > 1000) controller.error(new Error('read on and on'))
            else controller.enqueue(new TextEncoder().encode('x'.repeat(1000)))
          },
        })
      const error = await failureOf(subject, async () => new Response(endless(), { status: 500 }))
      assert.ok(pulled <= 100 && error.message.length < 2000, `must read little, got ${pulled} pieces`)
    },
  },
]

/** A message as the outbox gives it. */
export function exampleMessage(changes: Partial<Message> = {}): Message {
  const kind = changes.kind ?? 'opened'
  return {
    id: 1,
    key: `a1:1:${kind}`,
    channel: 'test',
    kind,
    createdAt: Date.UTC(2026, 0, 5, 10, 5),
    attempts: 0,
    anomaly: {
      id: 'a1',
      version: 1,
      flow: 'dns-requests',
      status: kind === 'resolved' || kind === 'withdrawn' ? kind : 'open',
      openedAt: Date.UTC(2026, 0, 5, 10, 5),
      updatedAt: Date.UTC(2026, 0, 5, 10, 5),
      annotations: { severity: 'warning', owner: 'dns-team', runbook: 'https://runbooks.example/dns', 'label:team': 'dns' },
      labels: { __name__: 'coredns_dns_requests_total', instance: '10.0.0.1:9153', job: 'coredns' },
      detector: 'seasonal',
      start: Date.UTC(2026, 0, 5, 10),
      end: Date.UTC(2026, 0, 5, 10, 4),
      peak: Date.UTC(2026, 0, 5, 10, 2),
      score: 9.5,
      strength: 3.25,
      direction: 'up',
      current: 480,
      expected: 120.25,
      lower: 90,
      upper: 150,
      ongoing: kind === 'opened',
      shape: 'spike',
      numbers: { height: 360 },
      sentence: 'dns requests are at 480, four times the 120 usual at this hour',
    },
    ...changes,
  }
}

const accept: typeof fetch = async () => new Response('', { status: 200 })

function recording(see: (body: string) => void): typeof fetch {
  return async (_url, init) => {
    see(String(init?.body))
    return new Response('', { status: 200 })
  }
}

function now(): number {
  return Date.UTC(2026, 0, 5, 10, 6)
}

function worldOf(fetch: typeof globalThis.fetch): NotifierNeeds {
  return { fetch, now, log: () => {}, externalUrl: 'http://tidewatch.example' }
}

const quiet = () => new AbortController().signal

async function failureOf({ make }: NotifierSubject, fetch: typeof globalThis.fetch): Promise<DeliveryError> {
  try {
    await make(worldOf(fetch)).send(exampleMessage(), quiet())
  } catch (error) {
    assert.ok(error instanceof DeliveryError, `must throw a DeliveryError, got ${error}`)
    return error
  }
  return assert.fail('must reject, got resolved')
}

function refusal(name: string, answer: ResponseInit, wanted: Partial<DeliveryError>): NotifierLaw {
  return {
    name,
    async check(subject) {
      const error = await failureOf(subject, async () => new Response('"no"', answer))
      assert.equal(error.about, wanted.about)
      assert.equal(error.reason, String(answer.status))
      if (wanted.retryAfter !== undefined) assert.equal(error.retryAfter, wanted.retryAfter)
    },
  }
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(Object.freeze(value))) deepFreeze(part)
  return value
}
