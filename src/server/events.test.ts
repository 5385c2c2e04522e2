import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { calmWorld, fakeServerParts } from '../testing/fake-server-parts.ts'
import { makeApp } from './app.ts'
import { eventRoutes } from './events.ts'
import { type Listening, listen } from './listen.ts'
import { answerError } from './problem.ts'

describe('events', () => {
  let server: Listening | undefined
  afterEach(() => server?.close())

  async function open(url: string): Promise<{ next: (event: string) => Promise<string>; response: IncomingMessage }> {
    const [response] = (await once(get(url), 'response')) as [IncomingMessage]
    response.setEncoding('utf8')
    response.on('error', () => {})
    let text = ''
    response.on('data', (chunk: string) => (text += chunk))
    const next = async (event: string) => {
      while (!text.includes(`event: ${event}`)) await once(response, 'data')
      const seen = text
      text = ''
      return seen
    }
    return { next, response }
  }

  it('say that there is something new, and end when the server closes', async () => {
    const world = calmWorld()
    const parts = fakeServerParts(world)
    let looks = 0
    const flows = () => (looks++, parts.store.flows())
    const app = makeApp({ ...parts, store: { ...parts.store, flows } }, { lookEvery: 5 })
    server = await listen(app, { host: '127.0.0.1', port: 0 })
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`)
    const events = await open(`${server.url}/api/v1/events`)
    expect(events.response.headers['content-type']).toContain('text/event-stream')
    await events.next('ping')
    // A look begins when the one before has ended: it knows what there was.
    await expect.poll(() => looks).toBeGreaterThan(1)
    world.flows = world.flows.map(state => ({ ...state, failures: 1 }))
    expect(await events.next('change')).toContain(`data: ${world.now}`)
    const ended = new Promise(resolve => events.response.once('close', resolve))
    await server.close()
    server = undefined
    await ended
  })

  it('do not start on an address that is taken', async () => {
    server = await listen(makeApp(fakeServerParts(calmWorld())), { host: '127.0.0.1', port: 0 })
    const { port } = server
    await expect(listen(makeApp(fakeServerParts(calmWorld())), { host: '127.0.0.1', port })).rejects.toThrow('EADDRINUSE')
  })

  it('are not begun by HEAD, which would leave a listener that nobody ends', async () => {
    const app = eventRoutes(fakeServerParts(calmWorld()), { mostListeners: 1 })
    for (let i = 0; i < 3; i++) {
      const head = await app.request('/api/v1/events', { method: 'HEAD' })
      expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    }
    const reading = await app.request('/api/v1/events')
    expect(reading.status).toBe(200)
    await reading.body?.cancel()
  })

  it('end for who has stopped to read, so that others find room', async () => {
    const world = calmWorld()
    const app = eventRoutes(fakeServerParts(world), { lookEvery: 1, mostListeners: 1 })
    app.onError((error, c) => answerError(error, c, () => {}))
    const first = await app.request('/api/v1/events')
    expect(first.status).toBe(200)
    expect((await app.request('/api/v1/events')).status).toBe(503)
    let failures = 0
    const next = async () => {
      world.flows = world.flows.map(state => ({ ...state, failures: ++failures }))
      return (await app.request('/api/v1/events')).status
    }
    await expect.poll(next, { interval: 5 }).toBe(200)
  })
})
