import { describe, expect, it } from 'vitest'
import { DeliveryError } from '../errors.ts'
import { openClient } from '../http/client.ts'
import { HttpError } from '../http/http-error.ts'
import { asDeliveryError, type Post, post } from './post.ts'

const NOW = Date.UTC(2026, 0, 5, 10)

/** Posts to a side that answers so; gives what went out and the error. */
async function postTo(response: Response, request: Partial<Post> = {}) {
  const requests: { url: string; init: RequestInit }[] = []
  const send = openClient(
    { timeout: 60_000, headers: {} },
    {
      folder: '.',
      fetch: (async (url: string, init: RequestInit) => {
        requests.push({ url, init })
        return response
      }) as typeof fetch,
    },
  )
  const error = await post(
    send,
    { url: 'http://hook.example/a?b=c', body: '{}', ...request },
    () => NOW,
    new AbortController().signal,
  ).then(
    () => undefined,
    (thrown: DeliveryError) => thrown,
  )
  return { error, requests, message: error?.message.replace('http://hook.example must answer 2xx, got ', '') }
}

it('posts the body as JSON under our name, with more headers, and leaves the answer unread', async () => {
  let cancelled = false
  const body = new ReadableStream({ cancel: () => void (cancelled = true) })
  const { error, requests } = await postTo(new Response(body), { headers: { 'idempotency-key': 'k' } })
  expect(error).toBeUndefined()
  expect(cancelled).toBe(true)
  expect(requests).toMatchObject([
    {
      url: 'http://hook.example/a?b=c',
      init: {
        method: 'POST',
        body: '{}',
        redirect: 'manual',
        headers: { 'content-type': 'application/json', 'user-agent': 'tidewatch', 'idempotency-key': 'k' },
      },
    },
  ])
})

it('has arrived when the answer is 2xx, also when the connection then breaks', async () => {
  const body = new ReadableStream({ start: controller => controller.error(new TypeError('terminated')) })
  expect((await postTo(new Response(body))).error).toBeUndefined()
})

describe('a refusal', () => {
  const refuse = (text: string, init: ResponseInit = {}, request: Partial<Post> = {}) =>
    postTo(new Response(text, { status: 400, ...init }), request)

  it('says what came on one line, in 300 characters, and by whom', async () => {
    const { error } = await refuse('  no such\r\n\u0007label\n')
    expect(error!.message).toBe('http://hook.example must answer 2xx, got 400 no such label')
    expect((await refuse('')).message).toBe('400')
    expect((await refuse(`a${'\n'.repeat(500)}b`)).message).toBe('400 a b')
    expect((await refuse('x'.repeat(5000))).message).toBe(`400 ${'x'.repeat(300)}`)
  })

  it('is read for so long that no part of a secret is left', async () => {
    const secrets = ['s3cr3t-t0ken-of-the-hook']
    expect((await refuse(`not ${secrets[0]}`, {}, { secrets })).message).toBe('400 not ***')
    for (const length of [24, 200]) {
      const { message } = await refuse('x'.repeat(5000), {}, { secrets: ['s'.repeat(length)] })
      expect(message).toBe(`400 ${'x'.repeat(300)}`)
    }
    for (let length = 200; length < 1400; length += 7) {
      const { message } = await refuse(`${' '.repeat(length)}${secrets[0]} and more${' '.repeat(200)}`, {}, { secrets })
      expect(message).not.toContain('s3cr')
    }
  })

  it('asks for a wait, or for none', async () => {
    const later = await refuse('', { status: 503, headers: { 'retry-after': '7' } })
    expect(later.error).toMatchObject({ about: 'channel', reason: '503', retryAfter: 7000 })
    const never = await refuse('', { status: 503 })
    expect(never.error).toMatchObject({ about: 'channel', reason: '503', retryAfter: undefined })
    const refused = await refuse('', { status: 422 })
    expect(refused.error).toMatchObject({ about: 'message', reason: '422' })
  })
})

it('a request that got no answer is about the channel, with what to say of it', () => {
  const of = (kind: HttpError['kind']) => asDeliveryError(new HttpError('this came', kind), 'http://hook.example')
  for (const [kind, reason] of [
    ['timeout', 'timeout'],
    ['tls', 'tls'],
    ['network', 'unreachable'],
  ] as const)
    expect(of(kind)).toMatchObject({ message: 'http://hook.example must answer, got this came', about: 'channel', reason })
  expect(of('setup')).toMatchObject({ message: 'this came', about: 'channel', reason: 'credentials' })
  expect(of('setup')).toBeInstanceOf(DeliveryError)
  const other = new TypeError('a bug')
  expect(asDeliveryError(other, 'http://hook.example')).toBe(other)
})
