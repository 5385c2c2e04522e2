import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { flowsFor, type PackFlow, refinersFor } from '../src/packs/coredns.ts'
import { type Running, start, waitFor } from './processes.ts'

/** What of an anomaly the lab looks at; times in epoch ms. */
export interface Found {
  readonly flow: string
  readonly sentence: string | null
  readonly ignored: string | null
  readonly start: number
  readonly openedAt: number
}

/** The flows of the pack as a person would write them for scrapes every second; `info` signals are watched and tell nobody. */
export function writeConfiguration(
  flows: readonly PackFlow[],
  ports: { prometheus: string; alertmanager: string; listen: string },
): string {
  return stringify({
    sources: { prom: { type: 'prometheus', url: ports.prometheus } },
    notifiers: { am: { type: 'alertmanager', urls: [ports.alertmanager] } },
    store: { type: 'sqlite', path: './tidewatch.db' },
    server: { listen: ports.listen },
    flows: flows.map(flow => ({
      name: flow.id,
      summary: flow.summary,
      every: '1s',
      query: { source: flow.source, expr: flow.expr, step: '1s' },
      detect: [
        { type: 'seasonal', season: ['6m'] },
        { type: 'absence', rule: { type: 'threshold', limit: 1 } },
      ],
      refine: refinersFor(flow, '15s'),
      ...(flow.severity === 'info' ? {} : { notify: ['am'] }),
      severity: flow.severity,
      delay: '1s',
      reexamine: '5s',
      lookback: '2m',
    })),
  })
}

/** Waits until Prometheus has forwarded queries and lists its metric names. */
export async function readNames(prometheus: string): Promise<readonly string[]> {
  for (let tries = 0; tries < 30; tries++, await sleep(500)) {
    const response = await fetch(`${prometheus}/api/v1/label/__name__/values`)
    const { data } = (await response.json()) as { data: readonly string[] }
    if (data.includes('coredns_proxy_request_duration_seconds_count') || data.includes('coredns_forward_requests_total'))
      return data
  }
  throw new Error('CoreDNS has forwarded nothing for 15 s')
}

/** Starts `tidewatch serve` on what the metric names show, and resolves when it is ready. */
export async function startTidewatch(
  folder: string,
  port: number,
  lab: { readonly prometheus: string; readonly alertmanager: string },
): Promise<Running & { anomalies(since: number): Promise<readonly Found[]>; readonly url: string }> {
  const names = await readNames(lab.prometheus)
  const flows = flowsFor({ names, selector: 'job="coredns"', source: 'prom', step: 1000, window: '5s' })
  const file = join(folder, 'tidewatch.yaml')
  writeFileSync(file, writeConfiguration(flows, { ...lab, listen: `127.0.0.1:${port}` }))
  const main = join(import.meta.dirname, '../src/cli/main.ts')
  const running = start(folder, 'tidewatch', process.execPath, [main, 'serve', '--config', file])
  const url = `http://127.0.0.1:${port}`
  try {
    await waitFor(`${url}/-/ready`, () => running.child.exitCode === null, 30_000)
  } catch (error) {
    await running.stop()
    throw error
  }
  return {
    ...running,
    url,
    async anomalies(since) {
      const response = await fetch(`${url}/api/v1/anomalies?${new URLSearchParams({ start: `${since}`, ignored: 'true' })}`)
      if (!response.ok) throw new Error(`Tidewatch answered ${response.status}: ${await response.text()}`)
      return ((await response.json()) as { anomalies: readonly Found[] }).anomalies
    },
  }
}
