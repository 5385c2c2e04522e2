import { Hono } from 'hono'
import { beforeEach, describe, expect, it } from 'vitest'
import { shareAnswers } from './share-answers.ts'

let now: number
let made: number
let fails: boolean
let sharing: ReturnType<typeof shareAnswers>
let app: Hono
beforeEach(() => {
  now = 0
  made = 0
  fails = false
  sharing = shareAnswers(250, () => now)
  app = new Hono()
  app.use('/api/*', sharing.middleware)
  app.get('/api/list', async c => {
    made++
    await Promise.resolve()
    return fails ? c.json({ error: made }, 503) : c.json({ made, of: c.req.query('of') ?? null })
  })
  app.post('/api/list', c => c.text('done'))
})
const ask = async (path = '/api/list') => (await app.request(path)).text()

describe('an answer', () => {
  it('is made once for all who ask within the time, also at once', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => ask()))
    expect(new Set(all)).toEqual(new Set(['{"made":1,"of":null}']))
    now = 249
    expect(await ask()).toBe('{"made":1,"of":null}')
    now = 250
    expect(await ask()).toBe('{"made":2,"of":null}')
  })

  it('has the same tag and type for all, another when it changes', async () => {
    const first = await app.request('/api/list')
    const again = await app.request('/api/list')
    expect(again.headers.get('content-type')).toBe('application/json')
    expect(again.headers.get('etag')).toMatch(/^"[0-9a-f]{40}"$/)
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'))
    now = 1000
    expect((await app.request('/api/list')).headers.get('etag')).not.toBe(first.headers.get('etag'))
  })

  it('is of its own question', async () => {
    expect(await ask('/api/list?of=a')).toBe('{"made":1,"of":"a"}')
    expect(await ask('/api/list?of=b')).toBe('{"made":2,"of":"b"}')
  })

  it('that is an error is not shared', async () => {
    fails = true
    expect((await app.request('/api/list')).status).toBe(503)
    fails = false
    expect(await ask()).toBe('{"made":2,"of":null}')
  })

  it.each(['HEAD', 'OPTIONS'])('is not made anew after %s, which changes nothing', async method => {
    await ask()
    await app.request('/api/list?of=other', { method })
    expect(await ask()).toBe('{"made":1,"of":null}')
  })

  it('is made anew after a change', async () => {
    await ask()
    await app.request('/api/list', { method: 'POST' })
    expect(await ask()).toContain('"made":2')
    sharing.clear()
    expect(await ask()).toContain('"made":3')
  })
})
