import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { create } from '../pipeline/configuration.ts'
import { sourceLaws } from '../testing/source-laws.ts'
import { sources } from './index.ts'
import type { Source } from './source.ts'

const STEP = 15_000
const ROWS = 100
/** The recording holds its own row number, but for a hole at rows 40 to 44. */
const recorded = (row: number) => (row >= 40 && row < 45 ? '' : String(row))
const signal = new AbortController().signal
const NOW = Date.UTC(2026, 10, 21, 12) + 4321

describe('recording', () => {
  let folder: string
  let now = NOW
  const open = (options = {}): Source =>
    create(
      sources,
      { type: 'recording', path: 'lab.csv.gz', ...options },
      { fetch, now: () => now, sleep: async () => {}, folder },
    )

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'recording-'))
    const lines = Array.from({ length: ROWS }, (_, row) => `${1_700_000_010 + row * 15},${recorded(row)},${row * 2},1`)
    const header = 'timestamp,qps,"up{job=""dns"",pod=""a-1""}",qps_denied'
    await writeFile(join(folder, 'lab.csv.gz'), gzipSync([header, ...lines].join('\n')))
  })
  afterAll(() => rm(folder, { recursive: true }))

  const read = async (source: Source, expr: string, range: { start: number; end: number }, step = STEP) =>
    (await source.read({ expr, range, step }, signal)).frames.map(({ columns }) => Array.from(columns.value))

  const aligned = Math.floor(NOW / STEP) * STEP
  const rowAt = (time: number) => Math.floor(0.8 * (ROWS - 1)) + (time - aligned) / STEP
  for (const law of sourceLaws)
    it(law.name, () => {
      now = NOW
      return law.check({
        make: open,
        makeBroken: () => open({ path: 'absent.csv' }),
        expr: 'qps',
        range: { start: aligned - 50 * STEP, end: aligned + 3 * STEP },
        step: STEP,
        valueAt: (_, time) => (time > NOW ? NaN : Number(recorded(rowAt(time)) || NaN)),
        series: ['{signal="qps"}'],
      })
    })

  it('stands at its position when it begins, with its past behind it and its future unknown', async () => {
    now = NOW
    const source = open({ position: 0.5 })
    const [values] = await read(source, 'qps', { start: aligned - 2 * STEP, end: aligned + 2 * STEP })
    expect(values).toEqual([47, 48, 49, NaN])
    now = NOW + 2 * STEP
    expect(await read(source, 'qps', { start: aligned, end: aligned + 4 * STEP })).toEqual([[49, 50, 51, NaN]])
  })

  it('knows nothing before its first row', async () => {
    now = NOW
    const [values] = await read(open({ position: 0.02 }), 'qps', { start: aligned - 3 * STEP, end: aligned + STEP })
    expect(values).toEqual([NaN, NaN, 0, 1])
  })

  it('begins again when it is over, or ends', async () => {
    now = NOW
    const round = open({ position: 1 })
    const once = open({ position: 1, loop: false })
    await round.check(signal)
    await once.check(signal)
    now = NOW + (ROWS + 2) * STEP
    const range = { start: aligned, end: aligned + 4 * STEP }
    expect(await read(round, 'qps', range)).toEqual([[99, 0, 1, 2]])
    expect(await read(once, 'qps', range)).toEqual([[99, NaN, NaN, NaN]])
    expect(await read(round, 'qps', { start: now - 4321 - STEP, end: now })).toEqual([[0, 1]])
  })

  it('selects by header, by pattern and by star, and reads labels from headers', async () => {
    const source = open()
    const labels = async (expr: string) =>
      (await source.read({ expr, range: { start: aligned, end: aligned + STEP }, step: STEP }, signal)).frames.map(
        frame => frame.labels,
      )
    expect(await labels('/^qps/')).toEqual([{ signal: 'qps' }, { signal: 'qps_denied' }])
    expect(await labels('up{job="dns",pod="a-1"}')).toEqual([{ __name__: 'up', job: 'dns', pod: 'a-1' }])
    expect(await labels('qps,qps_denied')).toHaveLength(2)
    expect(await labels('*')).toHaveLength(3)
    await expect(labels('qpss')).rejects.toThrow('did you mean qps?')
    await expect(labels('/(/')).rejects.toThrow('what is between slashes must be a regular expression of RE2')
  })
})
