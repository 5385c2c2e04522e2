import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, MissingError, type Running, start, waitFor } from './processes.ts'

/** Scrape jobs: instance name to port of the metrics. */
export type Jobs = Readonly<Record<string, Readonly<Record<string, number>>>>

/** A configuration that scrapes every second. */
export function writePrometheusConfig(jobs: Jobs): string {
  const scrapes = Object.entries(jobs).map(([job, instances]) => ({
    job_name: job,
    static_configs: Object.entries(instances).map(([instance, port]) => ({
      targets: [`127.0.0.1:${port}`],
      labels: { instance },
    })),
  }))
  // JSON is YAML.
  return JSON.stringify({
    global: { scrape_interval: '1s', scrape_timeout: '900ms', evaluation_interval: '5s' },
    scrape_configs: scrapes,
  })
}

/** Starts a Prometheus and resolves when it is ready. */
export async function startPrometheus(folder: string, port: number, jobs: Jobs): Promise<Running> {
  const binary = findProgram(['prometheus'])
  if (!binary) throw new MissingError('prometheus was not found on PATH (Debian: apt-get install prometheus)')
  const config = join(folder, 'prometheus.yml')
  writeFileSync(config, writePrometheusConfig(jobs))
  const running = start(folder, 'prometheus', binary, [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'prometheus')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ])
  await waitFor(`http://127.0.0.1:${port}/-/ready`, () => running.child.exitCode === null)
  return running
}

/** Asks for a range; times in ms. Only the first series of the answer is returned, by time in ms; NaN where Prometheus says so. */
export async function readRange(
  url: string,
  expr: string,
  start: number,
  end: number,
  step: number,
): Promise<Map<number, number>> {
  const query = new URLSearchParams({ query: expr, start: `${start / 1000}`, end: `${end / 1000}`, step: `${step / 1000}` })
  const response = await fetch(`${url}/api/v1/query_range?${query}`)
  const body = (await response.json()) as {
    status: string
    error?: string
    data: { result: { values: [number, string][] }[] }
  }
  if (body.status !== 'success') throw new Error(`Prometheus refused ${expr}: ${body.error}`)
  if (body.data.result.length > 1) throw new Error(`must be one series, got ${body.data.result.length} from ${expr}`)
  return new Map((body.data.result[0]?.values ?? []).map(([time, value]) => [Math.round(time * 1000), Number(value)]))
}
