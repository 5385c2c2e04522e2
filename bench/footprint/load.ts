import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Time of the first sample (epoch ms): the beginning of an hour, so that every grid fits. */
export const BEGIN = Date.UTC(2026, 0, 5, 6)
export const STEP = 2000
export const STEADY_SERIES = 30
export const CHURN_SERIES = 300
/** ms that a series of the churn lives. */
export const CHURN_LIFE = 30_000

interface Stretch {
  readonly labels: Readonly<Record<string, string>>
  /** Half open, epoch ms. */
  readonly start: number
  readonly end: number
  readonly seed: number
}

export interface FakeLoad {
  readonly url: string
  close(): void
}

/**
 * A Prometheus whose series are a function of time: `steady` has 30 that live on, `churn` has 300 at each time, of which each lives for 30 s.
 * There are no samples before `begin`.
 */
export async function serveLoad(begin: number): Promise<FakeLoad> {
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const parameters = new URLSearchParams(body || request.url?.split('?')[1] || '')
    response.writeHead(200, { 'content-type': 'application/json' })
    if (!request.url?.includes('query_range')) {
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'scalar', result: [0, '1'] } }))
      return
    }
    const number = (name: string) => Number.parseFloat(parameters.get(name) ?? '')
    const range = { start: number('start') * 1000, end: number('end') * 1000 + 1 }
    const stretches = parameters.get('query') === 'churn' ? churn(begin, range) : steady(begin)
    const result = stretches.flatMap(one => {
      const values = samples(one, range, number('step') * 1000)
      return values.length > 0 ? [{ metric: one.labels, values }] : []
    })
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } }))
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => closeServer(server) }
}

function closeServer(server: Server): void {
  server.close()
  server.closeAllConnections()
}

function steady(begin: number): Stretch[] {
  return Array.from({ length: STEADY_SERIES }, (_, seed) => ({
    labels: { __name__: 'requests', instance: `10.0.0.${seed}:9153`, job: 'dns' },
    start: begin,
    end: Infinity,
    seed,
  }))
}

/** Every slot has one series at a time; the slots change at different times. */
function churn(begin: number, range: { start: number; end: number }): Stretch[] {
  const all: Stretch[] = []
  for (let slot = 0; slot < CHURN_SERIES; slot++) {
    const shift = Math.floor((slot / CHURN_SERIES) * (CHURN_LIFE / STEP)) * STEP
    const first = Math.max(0, Math.floor((range.start - begin + shift) / CHURN_LIFE))
    for (let life = first; begin - shift + life * CHURN_LIFE < range.end; life++) {
      const start = begin - shift + life * CHURN_LIFE
      const labels = { __name__: 'requests', job: 'batch', pod: `batch-${slot}-${life}` }
      all.push({ labels, start: Math.max(begin, start), end: start + CHURN_LIFE, seed: slot * 7919 + life })
    }
  }
  return all
}

function samples({ start, end, seed }: Stretch, range: { start: number; end: number }, step: number): [number, string][] {
  const values: [number, string][] = []
  const first = range.start + Math.max(0, Math.ceil((start - range.start) / step)) * step
  for (let time = first; time < Math.min(end, range.end); time += step) values.push([time / 1000, String(valueAt(time, seed))])
  return values
}

/** A slow wave with noise, and now and then ten seconds at three times as much. */
function valueAt(time: number, seed: number): number {
  const row = Math.floor(time / STEP)
  const noise = ((Math.imul(row ^ (seed << 16), 0x9e3779b1) >>> 8) % 1000) / 1000
  const isSpike = (row + seed * 37) % 900 < 5
  return (isSpike ? 3 : 1) * (100 + seed + 20 * Math.sin(time / 600_000 + seed) + 5 * noise)
}
