import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { findProgram, MissingError, type Running, start, waitFor } from './processes.ts'

/** Groups fast, so that a run does not wait for people's pace. */
export function writeAlertmanagerConfig(hook: number): string {
  return JSON.stringify({
    route: { receiver: 'hook', group_by: ['alertname'], group_wait: '1s', group_interval: '5s', repeat_interval: '1m' },
    receivers: [{ name: 'hook', webhook_configs: [{ url: `http://127.0.0.1:${hook}/hook`, send_resolved: true }] }],
  })
}

/** Starts an Alertmanager without gossip and resolves when it is ready. */
export async function startAlertmanager(folder: string, port: number, hook: number): Promise<Running> {
  const binary = findProgram(['prometheus-alertmanager', 'alertmanager'])
  if (!binary) throw new MissingError('alertmanager was not found on PATH (Debian: apt-get install prometheus-alertmanager)')
  const config = join(folder, 'alertmanager.yml')
  writeFileSync(config, writeAlertmanagerConfig(hook))
  const running = start(folder, 'alertmanager', binary, [
    `--config.file=${config}`,
    `--storage.path=${join(folder, 'alertmanager')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=',
    '--log.level=warn',
  ])
  await waitFor(`http://127.0.0.1:${port}/-/ready`, () => running.child.exitCode === null)
  return running
}

export interface Receiver {
  /** States of the groups that were received, in order. */
  readonly received: readonly { readonly at: number; readonly status: string; readonly alerts: readonly string[] }[]
  close(): Promise<void>
}

/** The person at the end of the line: takes what Alertmanager sends. */
export async function startReceiver(port: number): Promise<Receiver> {
  const received: { at: number; status: string; alerts: string[] }[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    try {
      const { status, alerts } = JSON.parse(text) as { status: string; alerts: { labels: { alertname: string } }[] }
      received.push({ at: Date.now(), status, alerts: alerts.map(alert => alert.labels.alertname) })
    } catch {
      response.statusCode = 400
    }
    response.end()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    received,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Names of the alerts that stand now, each once. */
export async function readAlerts(url: string): Promise<readonly string[]> {
  const response = await fetch(`${url}/api/v2/alerts?active=true&silenced=false&inhibited=false`)
  if (!response.ok) throw new Error(`Alertmanager answered ${response.status}`)
  const alerts = (await response.json()) as readonly { labels: { alertname: string } }[]
  return [...new Set(alerts.map(({ labels }) => labels.alertname))].sort()
}
