import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { MINUTE } from '../duration.ts'
import { notifiers } from '../notifiers/index.ts'
import type { Configuration } from '../pipeline/configuration.ts'
import { fromMemory } from '../stores/memory.ts'
import type { Store } from '../stores/store.ts'
import { freePorts } from '../testing/free-ports.ts'
import { PATIENCE } from '../testing/patience.ts'
import { sampleAnomaly, sampleRun } from '../testing/store-laws.ts'
import { toyFlow } from '../testing/toy-watch.ts'
import { type Service, startService } from './service.ts'

/** What a real Alertmanager shows after a reload that takes a flow or a channel out. */

let folder: string
let url: string
let child: ChildProcess
let service: Service | undefined

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidewatch-retire-'))
  const file = join(folder, 'alertmanager.yml')
  await writeFile(file, 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n')
  const [port] = await freePorts(1)
  const listen = `127.0.0.1:${port}`
  url = `http://${listen}`
  const options = [`--config.file=${file}`, `--storage.path=${folder}/data`, `--web.listen-address=${listen}`]
  child = spawn('prometheus-alertmanager', [...options, '--cluster.listen-address='], { stdio: 'ignore' })
  await vi.waitFor(async () => expect((await fetch(`${url}/-/ready`)).ok).toBe(true), PATIENCE)
})
afterAll(async () => {
  child.kill()
  if (child.exitCode === null) await once(child, 'exit')
  await rm(folder, { recursive: true, force: true })
})
afterEach(() => service?.close())

const configuration = (flows: readonly string[], channels: readonly string[]): Configuration => ({
  file: 'test',
  sources: { s: { type: 'memory', config: { series: [] } } },
  notifiers: Object.fromEntries(
    channels.map(name => [name, { type: 'alertmanager', config: notifiers.alertmanager!.config.parse({ urls: [url] }) }]),
  ),
  store: { type: 'memory', config: {} },
  server: { host: '127.0.0.1', port: 0, externalUrl: '' },
  workers: 1,
  training: { threads: 1, deadline: MINUTE },
  flows: flows.map(name => ({
    ...toyFlow({}, { name, cron: '0 0 1 1 *', notify: ['pager'] }),
    detect: [{ type: 'ewma', name: 'seasonal' }],
  })),
})

/** A service whose flow has an open anomaly that Alertmanager fires. */
async function serve(flow: string): Promise<Service> {
  const now = Date.now()
  const store: Store = fromMemory()
  await store.schedule([{ flow, at: now + 60 * MINUTE }])
  const anomaly = sampleAnomaly({ start: now - MINUTE, end: now, peak: now - MINUTE })
  await store.commit(
    sampleRun({
      flow,
      channels: ['pager'],
      range: { start: 0, end: now },
      finishedAt: now,
      anomalies: [anomaly],
      watermark: now,
    }),
  )
  service = await startService(configuration([flow], ['pager']), store, '/', {
    now: Date.now,
    random: Math.random,
    fetch: globalThis.fetch,
    sleep: async (ms, signal) => void (await wait(ms, undefined, { signal })),
    log: () => {},
  })
  return service
}
async function activeAlerts(flow: string) {
  const filter = encodeURIComponent(`alertname="${flow}"`)
  return ((await (await fetch(`${url}/api/v2/alerts?filter=${filter}`)).json()) as unknown[]).length
}

describe('a real Alertmanager', () => {
  it('has no alert any more of a flow that was taken out', async () => {
    const { reconfigure } = await serve('taken-out')
    await expect.poll(() => activeAlerts('taken-out')).toBe(1)
    await reconfigure(configuration(['another'], ['pager']))
    await expect.poll(() => activeAlerts('taken-out')).toBe(0)
  })

  it('has no alert any more of a channel that was taken out', async () => {
    const { reconfigure } = await serve('left-alone')
    await expect.poll(() => activeAlerts('left-alone')).toBe(1)
    await reconfigure({
      ...configuration(['left-alone'], []),
      flows: configuration(['left-alone'], []).flows.map(flow => ({ ...flow, notify: [] })),
    })
    await expect.poll(() => activeAlerts('left-alone')).toBe(0)
    expect(await service!.store.anomalies({ status: 'open' })).toHaveLength(1)
  })
})
