import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Receiver, startAlertmanager, startReceiver } from './alertmanager.ts'
import { findCoreDNS, type Replica, startReplica } from './coredns.ts'
import type { Curve } from './curve.ts'
import type { LoadKnobs, LoadOptions } from './load.ts'
import { assertFree, MissingError, type Running, startModule } from './processes.ts'
import { startPrometheus } from './prometheus.ts'
import type { UpstreamKnobs } from './upstream.ts'

export interface LabOptions {
  /** Ports `base` to `base + 99` are the lab's. */
  readonly base: number
  readonly curve: Curve
  readonly seed: number
}

/** A small DNS world of real processes on one machine. */
export interface Lab {
  /** Configurations, logs and data. */
  readonly folder: string
  /** As the binary says it: `CoreDNS-1.14.0`. */
  readonly version: string
  readonly prometheus: string
  readonly alertmanager: string
  readonly receiver: Receiver
  readonly replicas: readonly Replica[]
  /** A port for Tidewatch itself. */
  readonly spare: number
  upstream(change: Partial<UpstreamKnobs>): Promise<void>
  load(change: Partial<LoadKnobs>): Promise<void>
  /** Ends every process; the folder goes too unless `keep`. */
  close(keep?: boolean): Promise<void>
}

const REPLICAS = ['a', 'b', 'c']

/** Starts all parts in order and resolves when queries flow and Prometheus scrapes. Throws `MissingError` when a program is not there. */
export async function openLab({ base, curve, seed }: LabOptions): Promise<Lab> {
  const binary = findCoreDNS()
  const replicaPorts = REPLICAS.map((_, index) => {
    const first = base + 10 * index
    return { dns: first, health: first + 1, ready: first + 2, metrics: first + 3 }
  })
  const ports = {
    upstream: base + 54,
    load: base + 60,
    prometheus: base + 90,
    alertmanager: base + 93,
    hook: base + 99,
    spare: base + 97,
  }
  await assertFree([...replicaPorts.flatMap(each => Object.values(each)), ...Object.values(ports)])
  const folder = mkdtempSync(join(tmpdir(), 'tidewatch-lab-'))
  const parts: { stop(): Promise<void> }[] = []
  const started = <Part extends { stop(): Promise<void> }>(part: Part): Part => {
    parts.unshift(part)
    return part
  }
  const removeFolder = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  // An interrupted run leaves nothing behind; the processes are killed by a listener that was there before this one.
  process.on('exit', removeFolder)
  const close = async (keep = false) => {
    await Promise.all(parts.map(part => part.stop()))
    process.off('exit', removeFolder)
    if (!keep) removeFolder()
  }
  try {
    const module = (name: string) =>
      join(import.meta.dirname, existsSync(join(import.meta.dirname, `${name}.ts`)) ? `${name}.ts` : `${name}.js`)
    const upstream = started(await startModule(folder, 'upstream', module('upstream'), [String(ports.upstream)]))
    const replicas = await Promise.all(
      replicaPorts.map(async (each, index) =>
        started(await startReplica(folder, `coredns-${REPLICAS[index]}`, binary, each, ports.upstream)),
      ),
    )
    const options: LoadOptions = { targets: replicaPorts.map(each => each.dns), metrics: ports.load, curve, seed }
    const load = started(await startModule(folder, 'load', module('load'), [JSON.stringify(options)]))
    const receiver = await startReceiver(ports.hook)
    parts.push({ stop: () => receiver.close() })
    started(await startAlertmanager(folder, ports.alertmanager, ports.hook))
    started(
      await startPrometheus(folder, ports.prometheus, {
        coredns: Object.fromEntries(replicas.map(replica => [replica.name, replica.ports.metrics])),
        client: { load: ports.load },
      }),
    )
    return {
      folder,
      version: execFileSync(binary, ['-version'], { encoding: 'utf8' }).split('\n')[0]!,
      prometheus: `http://127.0.0.1:${ports.prometheus}`,
      alertmanager: `http://127.0.0.1:${ports.alertmanager}`,
      receiver,
      replicas,
      spare: ports.spare,
      upstream: change => tell(upstream, change),
      load: change => tell(load, change),
      close,
    }
  } catch (error) {
    const missing = error instanceof MissingError
    await close(!missing)
    if (missing) throw error
    throw new Error(`the lab did not start, its logs are in ${folder}`, { cause: error })
  }
}

function tell({ child, name }: Running, message: object): Promise<void> {
  return new Promise((resolve, reject) =>
    child.send(message, error => (error ? reject(new Error(`${name} is gone`, { cause: error })) : resolve())),
  )
}
