import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { seededRandom } from '../math/random.ts'
import { capture } from '../testing/capture.ts'
import { freePorts } from '../testing/free-ports.ts'
import { PATIENCE } from '../testing/patience.ts'
import { main } from './main.ts'

/** A real Prometheus whose last day was written beforehand: what it must find is known. */
const [PORT] = await freePorts(1)
const URL = `http://127.0.0.1:${PORT}`
const STEP = 60_000
const ROWS = 1440
let folder: string
let prometheus: ChildProcess

/** A day of a job: requests that memory and a queue follow, copies, a counter, and series that are of no use. */
function openMetrics(end: number): string {
  const random = seededRandom(4)
  const noise = () => random.next() + random.next() - 1
  let level = 0
  const load = Array.from({ length: ROWS }, () => (level = 0.7 * level + noise()))
  const other = Array.from({ length: ROWS }, noise)
  let served = 0
  const metrics: Record<string, (i: number) => number | undefined> = {
    'load{instance="a"}': i => 50 + load[i],
    'load{instance="b"}': i => 50 + load[i] + 0.05 * other[i],
    'queue_length{instance="a"}': i => 20 - 2 * (load[i - 5] ?? 0) + 0.3 * other[i],
    'alone{instance="a"}': i => other[(i * 7) % ROWS],
    'flat{instance="a"}': () => 3,
    'gone{instance="a"}': i => (i < 900 ? load[(i * 11) % ROWS] : undefined),
    'holed{instance="a"}': i => (i >= 300 && i < 420 ? undefined : other[(i * 13) % ROWS]),
    'up{instance="a"}': () => 1,
    'served_total{instance="a"}': i => (served += 60 * Math.max(0, 50 + 10 * load[i])),
  }
  const blocks = new Map<string, string>()
  for (const [id, value] of Object.entries(metrics)) {
    const name = id.slice(0, id.indexOf('{'))
    const type = name.endsWith('_total') ? 'counter' : 'gauge'
    const lines = Array.from({ length: ROWS }, (_, i) => {
      const sample = value(i)
      return sample === undefined ? '' : `${id.replace('}', ',job="shop"}')} ${sample} ${(end - (ROWS - 1 - i) * STEP) / 1000}\n`
    })
    const head = blocks.get(name) ?? `# TYPE ${name.replace(/_total$/, '')} ${type}\n`
    blocks.set(name, head + lines.join(''))
  }
  return `${[...blocks.values()].join('')}# EOF\n`
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidewatch-explore-'))
  const data = join(folder, 'data')
  const text = join(folder, 'day.txt')
  writeFileSync(text, openMetrics(Math.floor(Date.now() / STEP) * STEP))
  execFileSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', text, data], { stdio: 'ignore' })
  const config = join(folder, 'prometheus.yml')
  writeFileSync(config, 'global: {}\n')
  prometheus = spawn(
    'prometheus',
    [`--config.file=${config}`, `--storage.tsdb.path=${data}`, `--web.listen-address=127.0.0.1:${PORT}`],
    { stdio: 'ignore' },
  )
  await vi.waitFor(async () => expect((await fetch(`${URL}/-/ready`)).ok).toBe(true), PATIENCE)
})
afterAll(async () => {
  const ended = new Promise(done => prometheus.once('exit', done))
  prometheus.kill()
  await ended
  rmSync(folder, { recursive: true })
})

async function tell(...argv: string[]) {
  const terminal = capture()
  const code = await main(['explore', '--url', URL, '--since', '1d', '--step', '1m', ...argv], terminal)
  return { code, out: terminal.outText(), err: terminal.errText() }
}

it('finds the lag, the groups and what is of no use in a job', async () => {
  const rules = join(folder, 'rules.yml')
  writeFileSync(
    rules,
    `groups:
  - name: shop
    rules:
      - { alert: A, expr: 'rate(served_total[5m]) > 1 and load{instance="a"} > 0' }
      - { alert: B, expr: 'served_totals > 1' }
      - { alert: C, expr: 'load{instance="c"} > 1' }
      - { alert: D, expr: 'absent(nothing) or load{instance=~"a|c"}' }
      - { alert: E, expr: 'served_total > 1' }
`,
  )
  const { code, out, err } = await tell('--job', 'shop', '--queries', rules, '--json')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const { series, correlations, groups, queries, sharedLabels } = JSON.parse(out)
  expect(sharedLabels).toEqual({ job: 'shop' })
  expect(series.map(({ name, read, state }: any) => `${name} ${read} ${state}`)).toEqual([
    'alone{instance="a"} value moving',
    'flat{instance="a"} value constant',
    'gone{instance="a"} value stopped',
    'holed{instance="a"} value moving',
    'load{instance="a"} value moving',
    'load{instance="b"} value moving',
    'queue_length{instance="a"} value moving',
    'served_total{instance="a"} rate moving',
    'up{instance="a"} value constant',
  ])
  const lagged = correlations.find(({ follows }: any) => follows.startsWith('queue_length'))
  expect(lagged).toMatchObject({ leads: expect.stringMatching(/^load/), lag: 5 * STEP })
  expect(lagged.r).toBeLessThan(-0.9)
  expect(groups[0].members.length).toBeGreaterThanOrEqual(1)
  expect([groups[0].representative, ...groups[0].members.map(({ name }: any) => name)]).toEqual(
    expect.arrayContaining(['load{instance="a"}', 'load{instance="b"}']),
  )
  expect(JSON.stringify([correlations, groups])).not.toMatch(/alone|holed|gone/)
  // A sample counts for five minutes, so a gap of two hours is seen as one shorter by that.
  const { longestGap } = series.find(({ name }: any) => name.startsWith('holed'))
  expect(longestGap.end - longestGap.start).toBeGreaterThan(112 * STEP)
  expect(queries.faults.map(({ line, message }: any) => `${line} ${message}`)).toEqual([
    '5 served_totals never returns data: the source has no such metric, did you mean "served_total"?',
    '6 load{instance="c"} never returns data: the metric is there, but no such series in the range',
    expect.stringMatching(/^8 served_total is a counter/),
  ])
})

it('looks at one metric by a selector, and prints', async () => {
  const { code, out } = await tell('--match', 'load{job="shop"}')
  expect(code).toBe(0)
  expect(out).toMatch(/^2 series over (1d|23h\d\dm) at 1m, all with job="shop"\n/)
  expect(out).toMatch(/load\{instance="[ab]"\} for 2 series/)
})

it('says when nothing matches, and what Prometheus says', async () => {
  expect(await tell('--job', 'shops')).toMatchObject({
    code: 2,
    err: expect.stringContaining('must select series that had data'),
  })
  expect(await tell('--match', '{job=~"("}')).toMatchObject({ code: 2, err: expect.stringContaining('missing closing') })
  expect(await tell('--match', '{job=~".*"}')).toMatchObject({
    code: 1,
    err: expect.stringContaining('must contain at least one non-empty matcher'),
  })
})

it.each([
  ['light', 1280],
  ['dark', 360],
] as const)('writes a page that works in a browser: %s, %i wide', async (colorScheme, width) => {
  const page = join(folder, 'page.html')
  expect((await tell('--job', 'shop', '--html', page)).code).toBe(0)
  expect(readFileSync(page, 'utf8')).not.toMatch(/NaN|Infinity/)
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  })
  try {
    const tab = await (await browser.newContext({ colorScheme, viewport: { width, height: 900 } })).newPage()
    const complaints: string[] = []
    tab.on('pageerror', error => complaints.push(error.message))
    tab.on('console', line => line.type() === 'error' && complaints.push(line.text()))
    tab.on('request', request => /^(file|data):/.test(request.url()) || complaints.push(`asked ${request.url()}`))
    await tab.goto(`file://${page}`)
    const heat = tab.locator('#heat')
    await heat.hover({ position: { x: 30, y: (await heat.boundingBox())!.height - 30 } })
    expect(await tab.locator('#reading').textContent()).toMatch(/^−?\d\.\d\d /)
    expect(await tab.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0)
    expect(await tab.locator('image:visible').count()).toBe(1)
    expect(complaints).toEqual([])
  } finally {
    await browser.close()
  }
})
