import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

const SECOND = 1000

/** Every so many seconds each series has a spike of SPIKE_LENGTH seconds. */
export const SPIKE_EVERY = 9
const SPIKE_LENGTH = 2
export const SERIES = 5
/** What the source has (s) from before it was opened. A clock that is a day off asks for a day. */
const HISTORY = 600

/** How the source lies: each is an answer that some server or proxy has given. */
export const LIES = ['nothing', 'nulls', 'cut', 'error inside success', 'another page', 'overload'] as const
export type Lie = (typeof LIES)[number]

/** Answers that a receiver gives while it refuses. */
export const REFUSALS = [401, 403, 404, 302, 500, 503] as const

export interface Received {
  readonly at: number
  readonly key: string
  readonly kind: string
  readonly id: string
}

/** What the outside world does wrong at the moment; the faults switch it. */
export interface World {
  lie: Lie | undefined
  refusal: number | undefined
}

/** A Prometheus whose series are a function of time alone, so that what must be found is known. */
export function openPrometheus(world: World): Promise<Server> {
  const opened = Date.now() / SECOND
  const answer = (url: string, body: string) => answerQuery(url, body, opened - HISTORY)
  return serve((url, body, reply) => {
    switch (world.lie) {
      case undefined:
        return reply(200, answer(url, body))
      case 'nothing':
        return reply(200, JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [] } }))
      case 'nulls':
        return reply(200, answer(url, body).replaceAll(/,"(\d+)"\]/g, ',null]'))
      case 'cut':
        return reply(200, answer(url, body).slice(0, 60))
      case 'error inside success':
        return reply(200, JSON.stringify({ status: 'error', errorType: 'internal', error: 'storage is not there' }))
      case 'another page':
        return reply(200, '<html>Please log in</html>')
      case 'overload':
        return reply(503, 'too many queries')
    }
  })
}

/** A webhook receiver that writes down what it accepted; some requests fail and some answers get lost even without a fault. */
export function openReceiver(world: World, received: Received[], random: () => number): Promise<Server> {
  return serve((_, body, reply) => {
    if (world.refusal !== undefined) return reply(world.refusal, 'not now')
    const { key, kind, anomaly } = JSON.parse(body)
    if (random() < 0.1) return reply(503, 'try later')
    received.push({ at: Date.now(), key, kind, id: anomaly.id })
    // The answer gets lost after the message was taken.
    if (random() < 0.1) return reply(undefined, '')
    reply(200, 'ok')
  })
}

/** The range API of Prometheus over the function of time. */
function answerQuery(url: string, body: string, begin: number): string {
  const parameters = new URLSearchParams(body || url.split('?')[1] || '')
  if (!url.includes('query_range')) return JSON.stringify({ status: 'success', data: { resultType: 'scalar', result: [0, '1'] } })
  const [start, end, step] = ['start', 'end', 'step'].map(name => Number.parseFloat(parameters.get(name) ?? '')) as [
    number,
    number,
    number,
  ]
  const now = Date.now() / SECOND
  const result = Array.from({ length: SERIES }, (_, n) => {
    const values: [number, string][] = []
    for (let time = Math.max(start, Math.ceil(begin / step) * step); time <= Math.min(end, now); time += step)
      values.push([time, String(Math.round(time) % SPIKE_EVERY < SPIKE_LENGTH ? 100 + n : 10 + (time % 3))])
    return { metric: { __name__: 'spikes', n: String(n) }, values }
  })
  return JSON.stringify({
    status: 'success',
    data: { resultType: 'matrix', result: result.filter(({ values }) => values.length > 0) },
  })
}

function serve(
  handle: (url: string, body: string, reply: (status: number | undefined, text: string) => void) => void,
): Promise<Server> {
  const server = createServer(async (request: IncomingMessage, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    handle(request.url ?? '', body, (status, text) => {
      if (status === undefined) return request.socket.destroy()
      const location = status === 302 ? { location: 'http://127.0.0.1:9/login' } : {}
      response.writeHead(status, { 'content-type': 'application/json', ...location }).end(text)
    })
  })
  return new Promise(done => server.listen(0, '127.0.0.1', () => done(server)))
}

export async function freePort(): Promise<number> {
  const server = await serve(() => {})
  const port = portOf(server)
  await new Promise(done => server.close(done))
  return port
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}
