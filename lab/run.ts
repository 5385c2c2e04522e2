import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readAlerts } from './alertmanager.ts'
import type { Fault } from './faults/fault.ts'
import { openLab } from './lab.ts'
import { type Found, startTidewatch } from './tidewatch.ts'

export interface RunOptions {
  readonly fault: Fault
  readonly base: number
  /** Mean queries per second. */
  readonly rate: number
  /** Keep the folder with logs and data. */
  readonly keep: boolean
  readonly log: (line: string) => void
}

/** What a run showed. Times of the report are seconds, absent where it did not happen. */
export interface RunReport {
  readonly fault: string
  readonly summary: string
  readonly benign: boolean
  /** As it should be: an alert for a fault and its end, none for a benign one. */
  readonly expected: boolean
  readonly coredns: string
  /** From injection to the first anomaly that somebody is told of, as Tidewatch stamped it. */
  readonly secondsToAnomaly?: number
  /** From injection to an alert that stands in Alertmanager. */
  readonly secondsToAlert?: number
  /** From removal to no alert left in Alertmanager. */
  readonly secondsToResolved?: number
  /** Alerts that began after the injection, by name, in order. */
  readonly alerts: readonly string[]
  /** Alerts that stood already at the injection: false alarms. */
  readonly before: readonly string[]
  /** What was found after the injection, told or not. */
  readonly anomalies: readonly Pick<Found, 'flow' | 'sentence' | 'ignored'>[]
  /** What `tidewatch scan` of the lab's Prometheus names afterwards: the signals of its first five rows. */
  readonly scan: readonly (readonly string[])[]
  /** Messages that the receiver behind Alertmanager got. */
  readonly messages: number
  /** Folder with logs; absent when it was removed. */
  readonly folder?: string
}

const SETTLE = 12_000
const CALM = 80_000
const RESOLVE = 75_000
/** A benign fault is watched so long after its end. */
const AFTERMATH = 20_000

/** Starts the lab and Tidewatch, lets it learn the calm, injects the fault, removes it and watches what happens. */
export async function runFault({ fault, base, rate, keep, log }: RunOptions): Promise<RunReport> {
  const lab = await openLab({ base, seed: 11, curve: { base: rate, day: 0, week: 0, weekend: 1 } })
  let failed = true
  let tidewatch: Awaited<ReturnType<typeof startTidewatch>> | undefined
  try {
    log(`${lab.version}, ${lab.replicas.length} replicas, ${rate} queries a second; Prometheus ${lab.prometheus}`)
    await sleep(SETTLE)
    tidewatch = await startTidewatch(lab.folder, lab.spare, lab)
    log(`Tidewatch ${tidewatch.url} learns the calm for ${CALM / 1000} s`)
    await sleep(CALM)
    const before = await readAlerts(lab.alertmanager)
    log(`${fault.name} on`)
    const injected = Date.now()
    await fault.inject(lab)
    const alerts: string[] = []
    let alerted: number | undefined
    const look = async () => {
      const standing = (await readAlerts(lab.alertmanager)).filter(name => !before.includes(name))
      for (const name of standing.filter(each => !alerts.includes(each))) {
        alerts.push(name)
        alerted ??= Date.now()
        log(`alert ${name}`)
      }
      return standing.length
    }
    while (Date.now() < injected + fault.length) {
      await look()
      await sleep(200)
    }
    const removed = Date.now()
    log(`${fault.name} off`)
    await fault.remove(lab)
    let resolved: number | undefined
    while (Date.now() < removed + (fault.benign ? AFTERMATH : RESOLVE)) {
      // A last window of the rates may still bring an alert.
      if ((await look()) > 0) resolved = undefined
      else resolved ??= Date.now()
      if (!fault.benign && resolved !== undefined && alerts.length > 0 && Date.now() > resolved + 3000) break
      await sleep(200)
    }
    const scan = await scanLab(lab.prometheus)
    const found = (await tidewatch.anomalies(injected)).filter(({ start }) => start >= injected - 5000)
    const told = found.filter(({ flow, ignored }) => ignored === null && alerts.includes(flow))
    const first = Math.min(...told.map(({ openedAt }) => openedAt))
    const expected = fault.benign ? alerts.length === 0 : alerts.length > 0 && resolved !== undefined
    const seconds = (from: number, to: number) => Math.round((to - from) / 100) / 10
    failed = !expected
    return {
      fault: fault.name,
      summary: fault.summary,
      benign: fault.benign,
      expected,
      coredns: lab.version,
      ...(Number.isFinite(first) ? { secondsToAnomaly: seconds(injected, first) } : {}),
      ...(alerted === undefined ? {} : { secondsToAlert: seconds(injected, alerted) }),
      ...(alerted === undefined || resolved === undefined ? {} : { secondsToResolved: seconds(removed, resolved) }),
      alerts,
      before,
      anomalies: found.map(({ flow, sentence, ignored }) => ({ flow, sentence, ignored })),
      scan,
      messages: lab.receiver.received.length,
      ...(keep || failed ? { folder: lab.folder } : {}),
    }
  } finally {
    await tidewatch?.stop()
    if (failed) log(`logs are kept in ${lab.folder}`)
    await lab.close(keep || failed)
  }
}

function scanLab(prometheus: string): Promise<RunReport['scan']> {
  const main = join(import.meta.dirname, '../src/cli/main.ts')
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [main, 'scan', prometheus, '--json', '--no-write', '--top', '5'],
      { maxBuffer: 1 << 26 },
      (error, out) => {
        if (error) return reject(error)
        const { rows } = JSON.parse(out) as { rows: { signal: string; also: { signal: string }[] }[] }
        resolve(rows.map(({ signal, also }) => [signal, ...also.map(other => other.signal)]))
      },
    )
  })
}

/** The report for people. */
export function printReport(report: RunReport): string {
  const line = (name: string, value: number | undefined) => `  ${name.padEnd(32)}${value === undefined ? '-' : `${value} s`}`
  return [
    `${report.expected ? 'as expected' : 'NOT AS EXPECTED'}: ${report.fault}${report.benign ? ' (benign: must not alert)' : ''}`,
    `  ${report.summary}`,
    line('injection to first anomaly', report.secondsToAnomaly),
    line('injection to alert', report.secondsToAlert),
    line('removal to resolved', report.secondsToResolved),
    `  alerts: ${report.alerts.join(', ') || 'none'}`,
    ...(report.before.length > 0 ? [`  alerts before the injection: ${report.before.join(', ')}`] : []),
    `  messages received: ${report.messages}`,
    `  scan names first: ${report.scan.map(([first]) => first).join(', ') || 'nothing'}`,
    ...report.anomalies.map(
      ({ flow, sentence, ignored }) => `  - ${flow}: ${sentence ?? 'found'}${ignored === null ? '' : ` (ignored: ${ignored})`}`,
    ),
  ].join('\n')
}
