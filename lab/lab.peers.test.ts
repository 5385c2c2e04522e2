import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findCoreDNS } from './coredns.ts'
import { findProgram } from './processes.ts'
import type { RunReport } from './run.ts'

/** What is missing for these tests, or an empty text. */
function findMissing(): string {
  try {
    findCoreDNS()
  } catch (error) {
    return (error as Error).message
  }
  if (!findProgram(['prometheus'])) return 'prometheus was not found on PATH'
  return findProgram(['prometheus-alertmanager', 'alertmanager']) ? '' : 'alertmanager was not found on PATH'
}
const missing = findMissing()
if (missing) console.error(`THE LAB IS NOT TESTED: ${missing}`)

function run(...args: string[]): Promise<{ code: number; report: RunReport; log: string }> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [join(import.meta.dirname, 'main.ts'), 'run', '--json', '--ports', '26000', ...args],
      (error, out, log) => {
        try {
          resolve({ code: error ? Number(error.code) : 0, report: JSON.parse(out) as RunReport, log })
        } catch {
          reject(new Error(`no report: ${log}`))
        }
      },
    )
  })
}

describe.skipIf(missing !== '')(`the lab${missing && ` (not run: ${missing})`}`, () => {
  it('alerts on an upstream that is a black hole, and resolves', async () => {
    const { code, report, log } = await run('upstream-black-hole')
    expect({ code, expected: report.expected }, log).toEqual({ code: 0, expected: true })
    expect(report.alerts.length).toBeGreaterThan(0)
    expect(report.secondsToAlert).toBeGreaterThan(0)
    expect(report.secondsToResolved).toBeGreaterThan(0)
    expect(report.messages).toBeGreaterThan(0)
    const upstream = [
      'coredns-servfail-ratio',
      'coredns-slow-ratio',
      'coredns-upstream-all-down',
      'coredns-upstream-check-failures',
      'coredns-latency',
    ]
    expect(report.scan.length).toBeLessThanOrEqual(5)
    expect(report.scan.flat().filter(signal => upstream.includes(signal)).length).toBeGreaterThanOrEqual(2)
    expect(report.anomalies.some(({ sentence }) => (sentence ?? '').length > 20)).toBe(true)
  })

  it('alerts nobody on nine times the load', async () => {
    const { code, report, log } = await run('benign-spike')
    expect({ code, alerts: report.alerts }, log).toEqual({ code: 0, alerts: [] })
    expect(report.anomalies.map(({ flow }) => flow)).toContain('coredns-qps')
  })
})

it('ends with 3 and says how to get CoreDNS when it is missing', async () => {
  const env = { ...process.env, PATH: '/nonexistent', HOME: '/nonexistent', COREDNS_BIN: '' }
  const { code, log } = await new Promise<{ code: unknown; log: string }>(resolve => {
    execFile(
      process.execPath,
      [join(import.meta.dirname, 'main.ts'), 'run', 'benign-spike', '--ports', '26000'],
      { env },
      (error, _, text) => resolve({ code: error?.code, log: text }),
    )
  })
  expect(code).toBe(3)
  expect(log).toContain('go install github.com/coredns/coredns')
})
