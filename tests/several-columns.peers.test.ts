import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { findCoreDNS, type Replica, startReplica } from '../lab/coredns.ts'
import { MissingError, type Running } from '../lab/processes.ts'
import { startPrometheus } from '../lab/prometheus.ts'
import { encodeQuery } from '../lab/wire.ts'
import { freePorts } from '../src/testing/free-ports.ts'
import { PATIENCE } from '../src/testing/patience.ts'

/** `tidewatch serve --config examples/replicas.yaml` on three real CoreDNS replicas behind a real Prometheus. */

const missing = (() => {
  try {
    findCoreDNS()
    return ''
  } catch (error) {
    if (error instanceof MissingError) return error.message
    throw error
  }
})()
if (missing) console.error(`SEVERAL COLUMNS ARE NOT TESTED WITH COREDNS: ${missing}`)

const root = join(import.meta.dirname, '..')
const NAMES = ['dns-0', 'dns-1', 'dns-2']
const running: (Running | Replica)[] = []
const folder = mkdtempSync(join(tmpdir(), 'tidewatch-replicas-'))
let serve: ChildProcess | undefined
let api = ''
let load: { multiply(replica: number, by: number): void; stop(): void } | undefined

interface Found {
  readonly flow: string
  readonly sentence: string
  readonly status: string
  readonly columns: readonly { readonly name: string; readonly share: number }[]
}
async function get<Answer>(path: string): Promise<Answer> {
  return (await (await fetch(`${api}${path}`)).json()) as Answer
}
const anomalies = async () => (await get<{ anomalies: Found[] }>('/api/v1/anomalies')).anomalies

/** The same load on all replicas, that breathes: about 200 questions a second each. */
function openLoad(ports: readonly number[]) {
  const socket = createSocket('udp4')
  socket.on('error', () => {})
  const multiples = ports.map(() => 1)
  const due = ports.map(() => 0)
  let id = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    const rate = 200 * (1 + 0.3 * Math.sin(now / 8000))
    for (const [i, port] of ports.entries()) {
      due[i]! += (multiples[i]! * rate * Math.min(now - last, 1000)) / 1000
      for (; due[i]! >= 1; due[i]!--)
        socket.send(
          encodeQuery((id = (id + 1) & 0xffff), `svc${id % 50}.ns1.svc.cluster.local`, 'A'),
          port,
          '127.0.0.1',
          () => {},
        )
    }
    last = now
  }, 20)
  return {
    multiply: (replica: number, by: number) => void (multiples[replica] = by),
    stop: () => {
      clearInterval(timer)
      socket.close()
    },
  }
}

beforeAll(async () => {
  if (missing) return
  const ports = await freePorts(14)
  const replicas = NAMES.map((_, i) => ({
    dns: ports[4 * i]!,
    health: ports[4 * i + 1]!,
    ready: ports[4 * i + 2]!,
    metrics: ports[4 * i + 3]!,
  }))
  for (const [i, name] of NAMES.entries()) running.push(await startReplica(folder, name, findCoreDNS(), replicas[i]!, ports[13]!))
  const metrics = Object.fromEntries(NAMES.map((name, i) => [name, replicas[i]!.metrics]))
  running.push(await startPrometheus(folder, ports[12]!, { coredns: metrics }))
  load = openLoad(replicas.map(({ dns }) => dns))
  const env = { PROMETHEUS_URL: `http://127.0.0.1:${ports[12]}`, LISTEN: '127.0.0.1:0', EVERY: '1s', WINDOW: '10s', GAP: '20s' }
  const example = join(root, 'examples/replicas.yaml')
  serve = spawn(process.execPath, [join(root, 'src/cli/main.ts'), 'serve', '--config', example], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  })
  let log = ''
  api = await new Promise((resolve, reject) => {
    serve!.stderr!.on('data', chunk => {
      log += chunk
      const found = /page and API on (http:\S+)/.exec(log)
      if (found) resolve(found[1]!)
    })
    serve!.once('exit', code => reject(new Error(`exit code ${code}: ${log}`)))
  })
})

afterAll(async () => {
  load?.stop()
  serve?.kill('SIGKILL')
  for (const each of running) await each.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(missing !== '')(`replicas of a real CoreDNS${missing && ` (not run: ${missing})`}`, () => {
  it('are watched as one, and the one whose load parts from the others is named', async () => {
    const runs = async () => (await get<{ runs: { end: number }[] }>('/api/v1/flows/replica-load/runs?limit=1')).runs[0]?.end ?? 0
    const begun = Date.now()
    // A minute of rows that say what is usual.
    await vi.waitFor(async () => expect(await runs()).toBeGreaterThan(begun + 60_000), PATIENCE)
    expect((await anomalies()).filter(({ flow }) => flow === 'replica-load')).toEqual([])
    load!.multiply(1, 2.5)
    await vi.waitFor(async () => {
      const found = (await anomalies()).filter(({ flow }) => flow === 'replica-load')
      expect(found.map(({ columns, status }) => [columns[0]?.name, status])).toEqual([['instance=dns-1', 'open']])
      expect(found[0]!.sentence).toMatch(/^instance=dns-1 of replica-load is \d+\/s, .* the usual \d+\/s/)
    }, PATIENCE)
    load!.multiply(1, 1)
    await vi.waitFor(async () => {
      const found = (await anomalies()).filter(({ flow }) => flow === 'replica-load')
      expect(found.map(({ status }) => status)).toEqual(['resolved'])
    }, PATIENCE)
  })
})
