import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { TrainingLoad } from './trainer.ts'

export type Metrics = ReturnType<typeof describeMetrics>

/** Registers what the service counts, and gives the names that it counts by. */
export function describeMetrics(registry: Registry) {
  const registers = [registry]
  return {
    runs: new Counter({ name: 'tidewatch_runs_total', help: 'Runs of flows.', labelNames: ['status'], registers }),
    changes: new Counter({ name: 'tidewatch_changes_total', help: 'Changes of anomalies.', labelNames: ['kind'], registers }),
    lastSuccess: new Gauge({
      name: 'tidewatch_flow_last_success_timestamp_seconds',
      help: 'When a flow last ran to its end.',
      labelNames: ['flow'],
      registers,
    }),
    duration: new Histogram({
      name: 'tidewatch_run_duration_seconds',
      help: 'Time of a run, from its first question to its commit.',
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60],
      registers,
    }),
    fits: new Counter({
      name: 'tidewatch_model_fits_total',
      help: 'Fits of models by what became of them: taken, refused (worse than the one in force), failed or cancelled.',
      labelNames: ['outcome'],
      registers,
    }),
    fitSeconds: new Histogram({
      name: 'tidewatch_model_fit_seconds',
      help: 'Time of a fit, from its turn to its end.',
      buckets: [0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600],
      registers,
    }),
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
