import { Registry } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'
import { HOUR, MINUTE, SECOND } from '../../duration.ts'
import type { Notifier } from '../../notifiers/notifier.ts'
import type { Configuration } from '../../pipeline/configuration.ts'
import type { Source } from '../../sources/source.ts'
import { calmWorld, fakeFlow } from '../../testing/fake-server-parts.ts'
import { describeMetrics, type Metrics } from '../metrics.ts'
import { configureCounters, type Measured, measure } from './measure.ts'
import { meterNotifier, meterSource } from './meters.ts'

const NOW = 1000 * HOUR
const configured = (...names: string[]): Configuration => ({
  ...calmWorld().configuration,
  flows: names.map(name => fakeFlow(name, 'up')),
})
const calm: Measured = {
  at: NOW,
  startedAt: NOW - HOUR,
  flows: [],
  channels: [],
  sources: [],
  open: [],
  stats: {},
  writtenAt: NaN,
  workers: { size: 2, busy: 1, queued: 3 },
  ready: true,
  problems: [],
}

let registry: Registry
let metrics: Metrics
beforeEach(() => {
  registry = new Registry()
  metrics = describeMetrics(registry, { version: '1.2.3' })
})
const lines = async (pattern: RegExp) =>
  (await registry.metrics()).split('\n').filter(line => !line.startsWith('#') && pattern.test(line))

describe('metrics', () => {
  it('are there from the start for all that is configured, a success that never was as 0', async () => {
    await configureCounters(metrics, configured('a'))
    measure(metrics, configured('a'), calm)
    expect(await lines(/flow="a"/)).toEqual(
      expect.arrayContaining([
        'tidewatch_runs_total{flow="a",status="ok"} 0',
        'tidewatch_runs_total{flow="a",status="failed"} 0',
        'tidewatch_flow_last_success_timestamp_seconds{flow="a"} 0',
        'tidewatch_flow_consecutive_failures{flow="a"} 0',
        'tidewatch_flow_lag_seconds{flow="a"} Nan',
        'tidewatch_open_anomalies{flow="a",severity="warning"} 0',
        'tidewatch_run_duration_seconds_count{flow="a"} 0',
      ]),
    )
    expect(await lines(/channel="oncall"/)).toEqual(
      expect.arrayContaining([
        'tidewatch_channel_up{channel="oncall"} 1',
        'tidewatch_channel_sent_total{channel="oncall"} 0',
        'tidewatch_channel_last_success_timestamp_seconds{channel="oncall"} 0',
      ]),
    )
    expect(await lines(/build_info/)).toEqual([`tidewatch_build_info{version="1.2.3",node="${process.version}"} 1`])
    expect(await lines(/^nodejs_eventloop_lag_p99_seconds|^process_resident_memory_bytes/)).toHaveLength(2)
  })

  it('say how flows, sources, channels, store and workers are', async () => {
    const run = calmWorld().runs[0]!
    measure(metrics, configured('a'), {
      ...calm,
      flows: [
        {
          flow: 'a',
          watermark: NOW - 90 * SECOND,
          horizon: NOW,
          nextRunAt: NOW + MINUTE,
          lastRun: run,
          lastSuccessAt: NOW - MINUTE,
          failures: 2,
        },
      ],
      sources: [{ name: 'prometheus', type: 'prometheus', ok: false, error: 'no', checkedAt: NOW, okAt: NOW - HOUR, took: 250 }],
      channels: [
        {
          channel: 'oncall',
          pending: 4,
          oldestPendingAt: NOW - MINUTE,
          setAside: 2,
          delivered: 1,
          abandoned: 1,
          lastDeliveredAt: NOW - HOUR,
          lastError: 'got 401',
          failingSince: NOW - MINUTE,
        },
      ],
      open: [
        { flow: 'a', severity: 'critical', count: 3 },
        { flow: 'gone', severity: 'critical', count: 1 },
      ],
      stats: { bytes: 4096, anomalies: 7 },
      storeError: 'got a full disk',
      writtenAt: NOW - MINUTE,
      ready: false,
      problems: [{ component: 'source', name: 'prometheus', reason: 'does not answer: no' }],
    })
    expect(await lines(/^tidewatch_(flow|open|source_[ulc]|channel|store|workers|ready|problems)/)).toEqual([
      'tidewatch_ready 0',
      'tidewatch_problems{component="source"} 1',
      'tidewatch_problems{component="flow"} 0',
      'tidewatch_problems{component="channel"} 0',
      'tidewatch_problems{component="store"} 0',
      'tidewatch_problems{component="scheduler"} 0',
      'tidewatch_flow_consecutive_failures{flow="a"} 2',
      'tidewatch_flow_late{flow="a"} 0',
      'tidewatch_flow_no_data{flow="a"} 0',
      'tidewatch_flow_lag_seconds{flow="a"} 90',
      'tidewatch_flow_series{flow="a"} 4',
      `tidewatch_flow_last_success_timestamp_seconds{flow="a"} ${(NOW - MINUTE) / 1000}`,
      `tidewatch_flow_next_run_timestamp_seconds{flow="a"} ${(NOW + MINUTE) / 1000}`,
      'tidewatch_open_anomalies{flow="a",severity="warning"} 0',
      'tidewatch_open_anomalies{flow="a",severity="critical"} 3',
      'tidewatch_source_up{source="prometheus"} 0',
      'tidewatch_source_check_duration_seconds{source="prometheus"} 0.25',
      `tidewatch_source_last_success_timestamp_seconds{source="prometheus"} ${(NOW - HOUR) / 1000}`,
      'tidewatch_channel_up{channel="oncall"} 0',
      'tidewatch_channel_up{channel="chat"} 1',
      'tidewatch_channel_pending{channel="oncall"} 4',
      'tidewatch_channel_pending{channel="chat"} 0',
      'tidewatch_channel_oldest_pending_seconds{channel="oncall"} 60',
      'tidewatch_channel_oldest_pending_seconds{channel="chat"} 0',
      'tidewatch_channel_set_aside{channel="oncall"} 2',
      'tidewatch_channel_set_aside{channel="chat"} 0',
      'tidewatch_channel_abandoned_total{channel="oncall"} 1',
      'tidewatch_channel_abandoned_total{channel="chat"} 0',
      `tidewatch_channel_last_success_timestamp_seconds{channel="oncall"} ${(NOW - HOUR) / 1000}`,
      'tidewatch_channel_last_success_timestamp_seconds{channel="chat"} 0',
      'tidewatch_store_up 0',
      'tidewatch_store_size_bytes 4096',
      'tidewatch_store_rows{table="anomalies"} 7',
      'tidewatch_store_errors_total 0',
      `tidewatch_store_last_write_timestamp_seconds ${(NOW - MINUTE) / 1000}`,
      'tidewatch_workers 2',
      'tidewatch_workers_busy 1',
      'tidewatch_workers_queued_tasks 3',
    ])
  })

  it('say which flows are late and which have no data', async () => {
    const state = (flow: string, nextRunAt: number, series: number) => ({
      flow,
      watermark: NaN,
      horizon: NaN,
      nextRunAt,
      lastRun: { ...calmWorld().runs[0]!, series },
      lastSuccessAt: NOW,
      failures: 0,
    })
    measure(metrics, configured('late', 'empty'), {
      ...calm,
      flows: [state('late', NOW - 30 * MINUTE, 1), state('empty', NOW, 0)],
    })
    expect(await lines(/^tidewatch_flow_(late|no_data)/)).toEqual([
      'tidewatch_flow_late{flow="late"} 1',
      'tidewatch_flow_late{flow="empty"} 0',
      'tidewatch_flow_no_data{flow="late"} 0',
      'tidewatch_flow_no_data{flow="empty"} 1',
    ])
  })

  it('of what is not configured any more leave', async () => {
    const before = configured('a', 'b')
    await configureCounters(metrics, before)
    const source = { name: 'prometheus', type: 'prometheus', ok: true, checkedAt: NOW, okAt: NOW, took: 1 }
    measure(metrics, before, { ...calm, sources: [source], open: [{ flow: 'a', severity: 'critical', count: 1 }] })
    for (const name of ['chat', 'oncall']) metrics.channelFailed.inc({ channel: name, reason: '500' })
    metrics.channelFailed.inc({ channel: 'chat', reason: '401' })
    const { chat: _, ...notifiers } = before.notifiers
    const next = { ...configured('b'), notifiers, sources: {} }
    const hash = await lines(/config_info/)
    await configureCounters(metrics, next, before)
    measure(metrics, next, calm)
    expect(await lines(/="(a|chat|prometheus)"/)).toEqual([])
    expect(await lines(/channel_failed/)).toEqual(['tidewatch_channel_failed_total{channel="oncall",reason="500"} 1'])
    expect(await lines(/runs_total\{flow="b"/)).toHaveLength(2)
    expect(await lines(/config_info/)).toEqual([expect.stringMatching(/\{hash="[0-9a-f]{16}"\} 1$/)])
    expect(await lines(/config_info/)).toHaveLength(1)
    expect(await lines(/config_info/)).not.toEqual(hash)
  })
})

describe('what is counted as it happens', () => {
  const { signal } = new AbortController()
  const never = new AbortController()
  never.abort(new Error('the service is stopping'))

  it('are the answers of a source, but not the questions that were given up', async () => {
    let answer: () => Promise<never> = async () => ({ frames: [], warnings: [], requests: [] }) as never
    const source = meterSource({ read: () => answer() } as unknown as Source, 'prom', metrics)
    await source.read({} as never, signal)
    answer = async () => Promise.reject(new Error('no'))
    await expect(source.read({} as never, signal)).rejects.toThrow('no')
    await expect(source.read({} as never, never.signal)).rejects.toThrow('no')
    expect(await lines(/source_reads/)).toEqual([
      'tidewatch_source_reads_total{source="prom",status="ok"} 1',
      'tidewatch_source_reads_total{source="prom",status="failed"} 1',
    ])
  })

  it('are sendings by reason, and the failures in a row', async () => {
    let answer: () => Promise<void> = () => Promise.reject(new TypeError('a bug'))
    const notifier: Notifier = meterNotifier({ send: () => answer() }, 'chat', metrics)
    for (let i = 0; i < 2; i++) await expect(notifier.send({} as never, signal)).rejects.toThrow('a bug')
    await expect(notifier.send({} as never, never.signal)).rejects.toThrow('a bug')
    expect(await lines(/channel_(failed|consecutive|sent)/)).toEqual([
      'tidewatch_channel_failed_total{channel="chat",reason="internal"} 2',
      'tidewatch_channel_consecutive_failures{channel="chat"} 2',
    ])
    answer = async () => {}
    await notifier.send({} as never, signal)
    expect(await lines(/channel_(consecutive|sent)/)).toEqual([
      'tidewatch_channel_sent_total{channel="chat"} 1',
      'tidewatch_channel_consecutive_failures{channel="chat"} 0',
    ])
  })
})
