import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { capture } from '../testing/capture.ts'
import { main } from './main.ts'
import { ascending } from './score.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidewatch-score-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const START = Date.UTC(2026, 0, 5) / 1000
const value = (i: number) => 100 + 30 * Math.sin((2 * Math.PI * i) / 288) + 2 * Math.sin(i * 12.9898)

async function score(
  lines: readonly string[],
  ...more: string[]
): Promise<{ code: number; scores: number[]; header: string | undefined; err: string }> {
  const file = join(folder, 'in.csv.gz')
  const out = join(folder, 'out.csv')
  rmSync(out, { force: true })
  writeFileSync(file, gzipSync(`${lines.join('\n')}\n`))
  const terminal = capture()
  const code = await main(['score', file, '--out', out, ...more], terminal)
  if (code !== 0) return { code, scores: [], header: undefined, err: terminal.errText() }
  const [header, ...rows] = readFileSync(out, 'utf8').trimEnd().split('\n')
  return { code, header, scores: rows.map(Number), err: terminal.errText() }
}

describe('score', () => {
  it('writes one score a row, in order, highest at the spike', async () => {
    const rows = Array.from(
      { length: 1200 },
      (_, i) => `${START + i * 300},${value(i) + (i === 1000 ? 200 : 0)},${i === 1000 ? 1 : 0}`,
    )
    const { code, header, scores } = await score(['timestamp,value,label', ...rows], '--train-rows', '600')
    expect(code).toBe(0)
    expect(header).toBe('score')
    expect(scores).toHaveLength(1200)
    expect(scores.every(Number.isFinite)).toBe(true)
    expect(scores.slice(0, 600).every(each => each === 0)).toBe(true)
    // The ranking score of the default is a mean over five rows; its alarm is not.
    const highest = scores.indexOf(Math.max(...scores))
    expect(highest).toBeGreaterThanOrEqual(1000)
    expect(highest).toBeLessThan(1005)
    const alarm = await score(['timestamp,value,label', ...rows], '--train-rows', '600', '--as', 'alarm')
    expect(alarm.header).toBe('alarm')
    expect(alarm.scores.indexOf(Math.max(...alarm.scores))).toBe(1000)
  })
  it('is causal: rows that follow change nothing', async () => {
    const rows = Array.from({ length: 900 }, (_, i) => `${START + i * 300},${value(i)}`)
    const whole = await score(['timestamp,value', ...rows], '--train-rows', '300')
    const part = await score(['timestamp,value', ...rows.slice(0, 700)], '--train-rows', '300')
    expect(part.scores).toEqual(whole.scores.slice(0, 700))
  })
  it('ignores the label', async () => {
    const rows = (label: (i: number) => number) =>
      Array.from({ length: 400 }, (_, i) => `${START + i * 300},${value(i)},${label(i)}`)
    const a = await score(['timestamp,value,label', ...rows(() => 0)], '--train-rows', '100')
    const b = await score(['timestamp,value,label', ...rows(i => i % 2)], '--train-rows', '100')
    expect(a.scores).toEqual(b.scores)
  })
  it('sees a spike in any of many columns', async () => {
    const rows = Array.from(
      { length: 800 },
      (_, i) => `${START + i * 300},${value(i)},${value(i + 70) + (i === 700 ? 250 : 0)},${value(i) / 50}`,
    )
    const { scores } = await score(['timestamp,a,b,c', ...rows], '--train-rows', '400')
    const highest = scores.indexOf(Math.max(...scores))
    expect(highest).toBeGreaterThanOrEqual(700)
    expect(highest).toBeLessThan(705)
  })
  it('keeps a score for rows whose time repeats or goes back, and 0 for unknown values', async () => {
    const rows = Array.from(
      { length: 500 },
      (_, i) => `${START + (i === 450 ? 449 : i === 460 ? 400 : i) * 300},${i === 470 ? '' : value(i)}`,
    )
    const { scores, err } = await score(['timestamp,value', ...rows], '--train-rows', '200')
    expect(scores).toHaveLength(500)
    expect(scores[470]).toBe(0)
    expect(err).toMatch(/warn|time|row/i)
  })
  it('takes other detectors, with options', async () => {
    const rows = Array.from({ length: 1500 }, (_, i) => `${START + i * 300},${value(i) + (i === 1350 ? 500 : 0)}`)
    for (const detector of ['ewma', 'holt-winters', '{ type: seasonal, season: [1d] }']) {
      const { scores } = await score(['timestamp,value', ...rows], '--train-rows', '100', '--detector', detector)
      expect(scores.indexOf(Math.max(...scores))).toBe(1350)
    }
  })
  it('prints to standard output without --out', async () => {
    const file = join(folder, 'plain.csv')
    writeFileSync(file, 'timestamp,value\n1,5\n2,6\n')
    const terminal = capture()
    expect(await main(['score', file, '--train-rows', '2'], terminal)).toBe(0)
    expect(terminal.outText()).toBe('score\n0\n0\n')
  })
  it('says what is wrong', async () => {
    const rows = ['timestamp,value', '1,2', '2,3']
    expect(await score(rows, '--train-rows', '9')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--train-rows must be at most the 2 rows'),
    })
    expect(await score(rows, '--train-rows', 'x')).toMatchObject({ code: 2 })
    expect(await score(rows)).toMatchObject({ code: 2, err: expect.stringContaining('--train-rows') })
    expect(await score(rows, '--train-rows', '1', '--detector', 'seasnal')).toMatchObject({
      code: 2,
      err: expect.stringContaining('did you mean "seasonal"'),
    })
    expect(await score(['timestamp,value', '1,2', 'bad,3'], '--train-rows', '1')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/in\.csv\.gz:3/),
    })
  })
})

it('makes times ascend with the least change', () => {
  expect(Array.from(ascending(Float64Array.of(10, 20, 20, 15, 40, NaN, 60), 10))).toEqual([10, 20, 21, 22, 40, 50, 60])
  expect(Array.from(ascending(new Float64Array(), NaN))).toEqual([])
})
