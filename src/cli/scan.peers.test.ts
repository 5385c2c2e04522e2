import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { capture } from '../testing/capture.ts'
import { freePorts } from '../testing/free-ports.ts'
import { PATIENCE } from '../testing/patience.ts'
import { main } from './main.ts'

/** A real Prometheus, some seconds old, that scrapes itself every second. */
const [PORT] = await freePorts(1)
let folder: string
let prometheus: ChildProcess

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidewatch-scan-'))
  const config = join(folder, 'prometheus.yml')
  writeFileSync(
    config,
    `global: { scrape_interval: 1s }\nscrape_configs:\n  - job_name: self\n    static_configs: [{ targets: ['127.0.0.1:${PORT}'] }]\n`,
  )
  prometheus = spawn(
    'prometheus',
    [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`, `--web.listen-address=127.0.0.1:${PORT}`],
    { stdio: 'ignore' },
  )
  const scrapes = async () => {
    const answer: any = await (await fetch(`http://127.0.0.1:${PORT}/api/v1/query?query=count_over_time(up[1m])`)).json()
    return Number(answer.data.result[0].value[1])
  }
  await vi.waitFor(async () => expect(await scrapes()).toBeGreaterThanOrEqual(12), PATIENCE)
})
afterAll(async () => {
  const ended = new Promise(done => prometheus.once('exit', done))
  prometheus.kill()
  await ended
  rmSync(folder, { recursive: true })
})

it('scans a real Prometheus of some seconds and writes a configuration that loads', async () => {
  const terminal = capture()
  const file = join(folder, 'tidewatch.yaml')
  expect(await main(['scan', `127.0.0.1:${PORT}`, '--out', file, '--json'], terminal)).toBe(0)
  const { step, interval, series, warnings } = JSON.parse(terminal.outText())
  expect({ step, interval, warnings }).toEqual({ step: 1000, interval: 1000, warnings: [] })
  expect(series).toBeGreaterThan(2)
  expect(await main(['check', 'config', file], terminal)).toBe(0)
})

it('finds nothing odd in a query of it, and says what is wrong with another', async () => {
  const terminal = capture()
  const url = `http://127.0.0.1:${PORT}`
  expect(await main(['detect', '--url', url, '--expr', 'up', '--start', '10s'], terminal)).toBe(0)
  expect(terminal.outText()).toBe('Nothing odd in 1 series.\n')
  expect(await main(['detect', '--url', url, '--expr', 'sum('], terminal)).toBe(1)
  expect(terminal.errText()).toMatch(/parse error/)
})
