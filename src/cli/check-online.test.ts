import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HOUR, MINUTE } from '../duration.ts'
import { ConfigError } from '../errors.ts'
import { capture } from '../testing/capture.ts'
import {
  type FakeAnswer,
  type FakeRequest,
  type FakeSeries,
  failure,
  fakePrometheus,
  serveSeries,
} from '../testing/fake-prometheus.ts'
import { run } from './check-config.ts'

const NOW = Date.UTC(2026, 2, 12, 14, 30)
let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'tidewatch-online-'))))
afterAll(() => rmSync(folder, { recursive: true }))

const CONFIGURATION = `sources:
  prom: { type: prometheus, url: 'http://127.0.0.1:9090' }
flows:
  - name: web
    query: { expr: web_requests, step: 1m }
    delay: 1m
`

async function check(answer: (request: FakeRequest, at: number) => FakeAnswer, text = CONFIGURATION) {
  const file = join(folder, 'c.yaml')
  writeFileSync(file, text)
  const terminal = capture()
  const { fetch } = fakePrometheus(answer)
  const world = { now: () => NOW, random: () => 0.5, fetch, sleep: async () => {}, log: () => {} }
  const error = await run({ file, online: true }, terminal, world).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  const faults =
    error instanceof ConfigError ? error.message.replaceAll(file, 'c.yaml').split('\n') : error ? [String(error)] : []
  return { faults, out: terminal.outText().replaceAll(file, 'c.yaml'), err: terminal.errText().replaceAll(file, 'c.yaml') }
}
const requests = (value: FakeSeries['value']): FakeSeries => ({ labels: { __name__: 'web_requests' }, value })

describe('check config --online', () => {
  it('says how many series each flow has', async () => {
    expect(await check(serveSeries([requests(() => 5)]))).toEqual({
      faults: [],
      err: '',
      out: 'OK c.yaml: 1 flow, 1 source, 0 notifiers\nweb: 1 series\n',
    })
  })

  it('points at a query that finds nothing', async () => {
    const { faults, out } = await check(serveSeries([]))
    expect(faults).toEqual(['c.yaml:5:20 flows[0].query.expr: must find series that have data, got none in the last 1d'])
    expect(out).toBe('')
  })

  it('points at a query that the source refuses, and at a source that does not answer', async () => {
    const refused = (request: FakeRequest) =>
      request.path.endsWith('_range') ? failure(400, 'bad_data', 'parse error') : serveSeries([])(request)
    expect((await check(refused)).faults).toEqual([
      expect.stringMatching(/^c\.yaml:5:20 flows\[0\]\.query\.expr: must be answered by prom, got: .*parse error/),
    ])
    const { faults } = await check(() => new Error('ECONNREFUSED'))
    expect(faults).toEqual([expect.stringMatching(/^c\.yaml:2:\d+ sources\.prom: must answer, got: /)])
  })

  it('warns of a delay that is too short, with the right one', async () => {
    const { err, faults } = await check(serveSeries([requests(time => (time <= NOW - 4 * MINUTE ? 5 : undefined))]))
    expect(faults).toEqual([])
    expect(err).toBe('warning: c.yaml:6:12 flows[0].delay: should be at least 4m, got 1m: the newest sample is 4m old\n')
  })

  it('warns of data that is sparse, or was there today and is not now', async () => {
    const sparse = await check(serveSeries([requests(time => (time % (5 * MINUTE) === 0 ? 5 : undefined))]))
    expect(sparse.err).toContain('flows[0].query: step should be 5m, got 1m: most series have a value every 5m only')
    const batch = await check(serveSeries([requests(time => (time < NOW - 3 * HOUR ? 5 : undefined))]))
    expect(batch.err).toContain('flows[0].query.expr: has no data in the last 1h, though in the last 1d')
    expect(batch.faults).toEqual([])
  })
})
