import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { create } from '../pipeline/configuration.ts'
import { type SourceSubject, sourceLaws } from '../testing/source-laws.ts'
import { sources } from './index.ts'
import type { Source, SourceNeeds } from './source.ts'

const T0 = Date.UTC(2026, 8, 1)
const STEP = 60_000
const requests = [5, 6, NaN, 8, NaN, NaN, 11, 12]
const errors = [0, 1, 0, NaN, 4, 0, 0, 2]
const signal = new AbortController().signal

describe('csv', () => {
  let folder: string
  let needs: SourceNeeds
  const open = (path: string, options = {}): Source => create(sources, { type: 'csv', path, ...options }, needs)
  const range = { start: T0 - 1000, end: T0 + 8 * STEP }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'csv-'))
    needs = { fetch, now: () => T0, sleep: async () => {}, folder }
    const lines = requests.map((value, i) =>
      i === 5 ? '' : `${T0 / 1000 + i * 60},${Number.isNaN(value) ? '' : value},${Number.isNaN(errors[i]) ? 'NaN' : errors[i]},0`,
    )
    await writeFile(join(folder, 'good.csv'), ['timestamp,requests,errors,label', ...lines].join('\n'))
    await writeFile(join(folder, 'bad.csv'), 'timestamp,requests,errors\n1,2,3\n2,x,3\n')
  })
  afterAll(() => rm(folder, { recursive: true }))

  const subject: SourceSubject = {
    make: () => open('good.csv'),
    makeBroken: () => open('bad.csv'),
    expr: '*',
    range,
    step: STEP,
    valueAt: ({ column }, time) => {
      const i = (time - T0) / STEP
      return i === 5 ? NaN : (column === 'requests' ? requests : errors)[i]
    },
    series: ['{column="requests"}', '{column="errors"}'],
  }
  for (const law of sourceLaws) it(law.name, () => law.check(subject))

  it('selects one column, some, or all', async () => {
    const columns = async (expr: string) =>
      (await open('good.csv').read({ expr, range, step: STEP }, signal)).frames.map(({ labels }) => labels.column)
    expect(await columns('errors')).toEqual(['errors'])
    expect(await columns('errors, requests')).toEqual(['errors', 'requests'])
    await expect(columns('error')).rejects.toThrow('did you mean errors?')
  })

  it('has rows without a value where rows are absent, and behind the last row up to the end that was asked', async () => {
    const rows = [0, 1, 2, 6, 7].map(minute => `${minute * 60},${minute}`)
    await writeFile(join(folder, 'holes.csv'), `ts,v\n${rows.join('\n')}\n`)
    const asked = { expr: 'v', range: { start: 0, end: 10 * STEP }, step: STEP }
    const { frames } = await open('holes.csv').read(asked, signal)
    expect(Array.from(frames[0]!.columns.value)).toEqual([0, 1, 2, NaN, NaN, NaN, 6, 7, NaN, NaN])
  })

  it('takes the last known value of a longer step and repeats it in a shorter one', async () => {
    const read = async (step: number) =>
      Array.from((await open('good.csv').read({ expr: 'requests', range, step }, signal)).frames[0].columns.value)
    expect(await read(2 * STEP)).toEqual([5, 6, 8, 11])
    expect((await read(STEP / 2)).slice(0, 6)).toEqual([5, 5, 6, 6, NaN, NaN])
  })

  it('tells what is wrong with the order of the file beside the data', async () => {
    await writeFile(join(folder, 'back.csv'), 'ts,v\n60,1\n180,3\n120,2\n120,7\n')
    const { frames, warnings } = await open('back.csv').read(
      { expr: 'v', range: { start: 60_000, end: 240_000 }, step: STEP },
      signal,
    )
    expect(Array.from(frames[0].columns.value)).toEqual([1, 7, 3])
    expect(warnings.join('\n')).toMatch(/back in time once[^]*repeated once/)
  })

  it('reads a file again when it has changed', async () => {
    const path = join(folder, 'grows.csv')
    const source = open('grows.csv')
    const read = async () =>
      Array.from((await source.read({ expr: 'v', range: { start: 0, end: 3000 }, step: 1000 }, signal)).frames[0].columns.value)
    await expect(read()).rejects.toThrow('must be a readable file')
    await writeFile(path, 'ts,v\n0,1\n1,2\n')
    expect(await read()).toEqual([1, 2, NaN])
    await writeFile(path, 'ts,v\n0,1\n1,2\n2,3\n')
    await utimes(path, 1, 1)
    expect(await read()).toEqual([1, 2, 3])
  })

  it('leaves columns without a value out of the latest', async () => {
    const { frames } = await open('good.csv').latest({ expr: '*', time: T0 + 3 * STEP }, signal)
    expect(frames.map(({ labels, columns }) => [labels.column, columns.value[0]])).toEqual([['requests', 8]])
  })

  it('reads no more than `maxBytes`, and says so', async () => {
    await writeFile(join(folder, 'large.csv'), `ts,v\n${Array.from({ length: 1000 }, (_, i) => `${i},1\n`).join('')}`)
    await expect(open('large.csv', { maxBytes: '1KiB' }).check(signal)).rejects.toThrow(
      /large\.csv: must have at most 1 KiB \(unzipped\), got more; maxBytes sets the limit$/,
    )
  })
})
