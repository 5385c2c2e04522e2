import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from 'prom-client'
import type { TrainingLoad } from './trainer.ts'

const SECONDS_OF_RUNS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60]
const SECONDS_OF_FITS = [0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600]

export type Metrics = ReturnType<typeof describeMetrics>

/**
 * Registers what the service measures of itself, and gives the names that it measures by. Labels are names of the configuration and words of
 * which there are few, never series. `docs/metrics.md` lists all.
 */
export function describeMetrics(registry: Registry, { version }: { readonly version: string }) {
  const registers = [registry]
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge({ name: `tidewatch_${name}`, help, labelNames, registers })
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name: `tidewatch_${name}`, help, labelNames, registers })
  const histogram = <Label extends string>(name: string, help: string, buckets: number[], ...labelNames: Label[]) =>
    new Histogram({ name: `tidewatch_${name}`, help, buckets, labelNames, registers })

  collectDefaultMetrics({ register: registry })
  gauge('build_info', 'Version of Tidewatch and of Node.js; always 1.', 'version', 'node').set(
    { version, node: process.version },
    1,
  )
  return {
    ready: gauge('ready', 'Whether /-/ready answers 200.'),
    problems: gauge('problems', 'Parts of the watch that do not work now, as /api/v1/status lists them.', 'component'),

    runs: counter('runs_total', 'Runs of flows.', 'flow', 'status'),
    duration: histogram('run_duration_seconds', 'Time of a run, from its first question to its commit.', SECONDS_OF_RUNS, 'flow'),
    changes: counter('changes_total', 'Changes of anomalies.', 'kind'),
    flowFailures: gauge('flow_consecutive_failures', 'Failed runs since the last good one.', 'flow'),
    flowLate: gauge('flow_late', 'Whether the flow should have run, and did not, for two of its periods and a minute.', 'flow'),
    flowNoData: gauge('flow_no_data', 'Whether the last run found no series with data.', 'flow'),
    flowLag: gauge(
      'flow_lag_seconds',
      'Age of the newest time that is examined for good; NaN before the first good run.',
      'flow',
    ),
    flowSeries: gauge('flow_series', 'Series that the last run saw.', 'flow'),
    flowLastSuccess: gauge(
      'flow_last_success_timestamp_seconds',
      'When a flow last ran to its end; 0 when it never has.',
      'flow',
    ),
    flowNextRun: gauge('flow_next_run_timestamp_seconds', 'When a flow runs next.', 'flow'),
    openAnomalies: gauge('open_anomalies', 'Open anomalies that people are notified of.', 'flow', 'severity'),

    sourceUp: gauge('source_up', 'Whether the source answered its last check; absent before the first.', 'source'),
    sourceCheckSeconds: gauge('source_check_duration_seconds', 'Time of the last check.', 'source'),
    sourceLastSuccess: gauge(
      'source_last_success_timestamp_seconds',
      'When the source last answered a check; 0 when it never has.',
      'source',
    ),
    sourceReads: counter('source_reads_total', 'Questions of flows to a source.', 'source', 'status'),

    channelUp: gauge(
      'channel_up',
      'Whether the channel accepts what it is sent: 0 while every attempt fails, also of repetitions.',
      'channel',
    ),
    channelSent: counter('channel_sent_total', 'Messages that the other side accepted, repetitions too.', 'channel'),
    channelFailed: counter('channel_failed_total', 'Sendings that failed.', 'channel', 'reason'),
    channelFailures: gauge('channel_consecutive_failures', 'Failed sendings since the last accepted one.', 'channel'),
    channelPending: gauge('channel_pending', 'Messages that wait for their first acceptance.', 'channel'),
    channelOldestPending: gauge(
      'channel_oldest_pending_seconds',
      'Age of the oldest message that waits for its first acceptance; 0 when there is none.',
      'channel',
    ),
    channelSetAside: gauge(
      'channel_set_aside',
      'Messages whose content was refused, and that wait for the next change or repetition of their anomaly.',
      'channel',
    ),
    channelAbandoned: counter(
      'channel_abandoned_total',
      'Messages that are not sent again though they were not accepted.',
      'channel',
    ),
    channelLastSuccess: gauge(
      'channel_last_success_timestamp_seconds',
      'When the other side last accepted a message; 0 when it never has.',
      'channel',
    ),

    heartbeats: counter(
      'heartbeats_total',
      'Heartbeats: sent, failed, or withheld since the watch does not do its work.',
      'status',
    ),
    heartbeatLastSuccess: gauge(
      'heartbeat_last_success_timestamp_seconds',
      'When a heartbeat was last accepted by all that get it; 0 when none ever was.',
    ),

    reloads: counter('config_reloads_total', 'Reloads of the configuration.', 'status'),
    reloadOk: gauge('config_last_reload_successful', 'Whether the last reload was taken; 1 after the start.'),
    reloadLastSuccess: gauge(
      'config_last_reload_success_timestamp_seconds',
      'When the configuration in force was taken, at the start or by a reload.',
    ),
    configHash: gauge('config_info', 'Hash of the configuration in force; always 1.', 'hash'),

    storeUp: gauge('store_up', 'Whether the last trial write and the runs of late were stored.'),
    storeBytes: gauge('store_size_bytes', 'Size of the store on disk.'),
    storeRows: gauge('store_rows', 'Rows of the store, once a minute.', 'table'),
    storeErrors: counter('store_errors_total', 'Calls of the store that failed.'),
    storeLastWrite: gauge('store_last_write_timestamp_seconds', 'When the store was last written by a trial write.'),

    workers: gauge('workers', 'Threads that compute.'),
    workersBusy: gauge('workers_busy', 'Threads that compute now.'),
    workersQueued: gauge('workers_queued_tasks', 'Tasks that wait for a thread.'),
    limits: counter('limits_hit_total', 'Times that a limit of the configuration stopped something.', 'limit'),

    fits: counter(
      'model_fits_total',
      'Fits of models by what became of them: taken, refused (worse than the one in force), failed or cancelled.',
      'outcome',
    ),
    fitSeconds: histogram('model_fit_seconds', 'Time of a fit, from its turn to its end.', SECONDS_OF_FITS),
  }
}

/** Collects from the trainer at each scrape. */
export function describeTraining(registry: Registry, load: () => TrainingLoad) {
  const registers = [registry]
  new Gauge({
    name: 'tidewatch_model_fits_waiting',
    help: 'Fits that wait for a thread.',
    registers,
    collect() {
      this.set(load().waiting)
    },
  })
  new Gauge({
    name: 'tidewatch_model_fits_running',
    help: 'Fits that are being made.',
    registers,
    collect() {
      this.set(load().running.length)
    },
  })
}
