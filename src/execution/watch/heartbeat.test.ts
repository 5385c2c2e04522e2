import { Registry } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'
import { HOUR, MINUTE, SECOND } from '../../duration.ts'
import { openClient } from '../../http/client.ts'
import type { Notifier } from '../../notifiers/notifier.ts'
import type { HeartbeatConfig } from '../../pipeline/configuration.ts'
import { Secret } from '../../secret.ts'
import type { Message } from '../../stores/store.ts'
import { describeMetrics } from '../metrics.ts'
import { type Heartbeat, openHeartbeat } from './heartbeat.ts'
import { openProblemLog } from './problem-log.ts'
import { type Problem, whyNotWorking } from './problems.ts'

const { signal } = new AbortController()
let now: number
let status: number
let asked: string[]
let messages: Message[]
let lines: string[]
let blockers: readonly string[] | undefined
let registry: Registry
beforeEach(() => {
  now = 1000 * HOUR
  status = 200
  asked = []
  messages = []
  lines = []
  blockers = []
  registry = new Registry()
})

function open(some: Partial<HeartbeatConfig>): Heartbeat {
  const config: HeartbeatConfig = { method: 'POST', every: MINUTE, timeout: 10 * SECOND, headers: {}, notify: [], ...some }
  const answer = async (url: string | URL | Request, options: RequestInit = {}) => {
    asked.push(`${options.method} ${url}`)
    return new Response(null, { status })
  }
  const notifier: Notifier = { send: async message => void messages.push(message) }
  return openHeartbeat({
    config,
    send: openClient(config, { fetch: answer as typeof fetch, folder: '.' }),
    notifiers: { oncall: notifier },
    now: () => now,
    blockers: () => blockers,
    metrics: describeMetrics(registry, { version: '' }),
    problemLog: openProblemLog({ now: () => now, log: (level, line) => void lines.push(`${level} ${line}`) }),
  })
}
/** Beats each second, as the service does. */
async function live(heartbeat: Heartbeat, ms: number) {
  for (const end = now + ms; now < end; now += SECOND) await heartbeat.beat(signal)
}
const metric = async (pattern: RegExp) => (await registry.metrics()).split('\n').filter(line => pattern.test(line))

describe('a heartbeat', () => {
  it('that the stop of the service ends is not counted', async () => {
    const stop = new AbortController()
    stop.abort(new Error('the service is stopping'))
    status = 500
    await open({ url: new Secret('https://hc.example/uuid') }).beat(stop.signal)
    expect(await metric(/^tidewatch_heartbeats_total\{/)).toEqual([])
  })

  it('goes to its address and through its channels, at its pace', async () => {
    const heartbeat = open({ url: new Secret('https://hc.example/uuid'), notify: ['oncall'] })
    await live(heartbeat, 3 * MINUTE)
    expect(asked).toEqual(Array(3).fill('POST https://hc.example/uuid'))
    expect(messages.map(({ kind, anomaly }) => `${kind} ${anomaly.flow}`)).toEqual(Array(3).fill('opened TidewatchHeartbeat'))
    expect(await metric(/^tidewatch_heartbeat/)).toEqual([
      'tidewatch_heartbeats_total{status="sent"} 3',
      `tidewatch_heartbeat_last_success_timestamp_seconds ${(now - MINUTE) / 1000}`,
    ])
    expect(lines).toEqual([])
  })

  it('is withheld while the watch does not do its work, with one line when that begins and one when it ends', async () => {
    const heartbeat = open({ url: new Secret('https://hc.example/uuid'), method: 'GET' })
    blockers = undefined
    await live(heartbeat, MINUTE)
    expect(lines).toEqual([])
    blockers = ['no source answers']
    await live(heartbeat, 5 * MINUTE)
    expect(asked).toEqual([])
    blockers = []
    await live(heartbeat, MINUTE)
    expect(asked).toEqual(['GET https://hc.example/uuid'])
    expect(lines).toEqual([
      'error heartbeat fails: withheld, since no source answers',
      'info heartbeat works again after 5 failures in 5m',
    ])
    expect(await metric(/status="withheld"/)).toEqual(['tidewatch_heartbeats_total{status="withheld"} 5'])
  })

  it('that is refused is said once, without its address', async () => {
    status = 404
    const heartbeat = open({ url: new Secret('https://hc.example/uuid') })
    await live(heartbeat, 3 * MINUTE)
    expect(lines).toEqual(['error heartbeat to its address fails: must answer 2xx, got 404'])
    expect(await metric(/^tidewatch_heartbeat/)).toEqual([
      'tidewatch_heartbeats_total{status="failed"} 3',
      'tidewatch_heartbeat_last_success_timestamp_seconds 0',
    ])
  })

  it('goes on when the clock is set back', async () => {
    const heartbeat = open({ url: new Secret('https://hc.example/uuid') })
    await live(heartbeat, MINUTE)
    now -= HOUR
    await live(heartbeat, MINUTE)
    expect(asked).toHaveLength(2)
  })
})

describe('the watch does its work', () => {
  const parts = {
    sources: { a: { type: 'csv', config: {} }, b: { type: 'csv', config: {} } },
    notifiers: { oncall: { type: 'log', config: {} } },
  }
  const problem = (component: Problem['component'], name: string, isLate?: true): Problem => ({
    component,
    name,
    reason: isLate ? 'is late' : 'fails',
    ...(isLate ? { isLate } : {}),
  })
  it.each([
    ['with no problem', [], []],
    ['while one of two sources answers, and a flow fails', [problem('source', 'a'), problem('flow', 'f')], []],
    ['not while no source answers', [problem('source', 'a'), problem('source', 'b')], ['no source answers']],
    ['not while no channel delivers', [problem('channel', 'oncall')], ['no channel delivers']],
    ['not while a flow is late', [problem('flow', 'f', true)], ['flow f is late']],
    ['not while the scheduler is late', [problem('scheduler', 'scheduler', true)], ['the scheduler is late']],
    ['not while the store cannot be written', [problem('store', 'store')], ['the store fails']],
  ] as const)('%s', (_, problems, reasons) => expect(whyNotWorking(parts, problems)).toEqual(reasons))
})
