import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSet } from './sets.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidewatch-sets-'))
  await mkdir(join(folder, 'nab', 'data', 'a'), { recursive: true })
  await mkdir(join(folder, 'asd'))
  const rows = [
    'timestamp,value',
    '2014-04-01 00:00:00,1',
    '2014-04-01 00:05:00,2',
    '2014-04-01 00:05:00,3',
    '2014-04-01 00:04:00,4',
  ]
  await writeFile(join(folder, 'nab', 'data', 'a', 'x.csv'), `${rows.join('\n')}\n2014-04-01 00:15:00,5\n`)
  const windows = { 'a/x.csv': [['2014-04-01 00:05:00.000000', '2014-04-01 00:04:00.000000']] }
  await writeFile(join(folder, 'nab', 'combined_windows.json'), JSON.stringify(windows))
  const manifest = [{ series: 's', step_seconds: 300, train_rows: 2, rows: 4, anomalous_rows: 1, channels: 2 }]
  await writeFile(join(folder, 'asd', 'manifest.json'), JSON.stringify(manifest))
  const lines = ['timestamp,m0,m1,label', '1500000000,1,2,0', '1500000300,3,4,0', '1500000600,5,6,1', '1500000900,7,8,0']
  await writeFile(join(folder, 'asd', 's.csv.gz'), gzipSync(`${lines.join('\n')}\n`))
})
afterAll(() => rm(folder, { recursive: true }))

describe('data sets', () => {
  it('are read row by row: a time that repeats or goes back keeps its row, and windows are rows', async () => {
    const [entry] = (await openSet('nab', folder))!
    const { times, columns, labels, windows, trainRows } = await entry!.load()
    const start = Date.UTC(2014, 3, 1)
    expect([...times].map(time => time - start)).toEqual([0, 300_000, 300_001, 300_002, 900_000])
    expect([...columns.value!]).toEqual([1, 2, 3, 4, 5])
    expect(windows).toEqual([[1, 3]])
    expect([...labels]).toEqual([0, 1, 1, 1, 0])
    expect(trainRows).toBe(0)
  })

  it('with a manifest are read with their labels apart', async () => {
    const [entry] = (await openSet('asd', join(folder, 'asd')))!
    const { columns, labels, trainRows, step, times } = await entry!.load()
    expect(Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, [...values]]))).toEqual({
      m0: [1, 3, 5, 7],
      m1: [2, 4, 6, 8],
    })
    expect([...labels]).toEqual([0, 0, 1, 0])
    expect([trainRows, step, times[0]]).toEqual([2, 300_000, 1_500_000_000_000])
  })

  it('that are absent are undefined, also when another set is where they were looked for', async () => {
    expect(await openSet('smd', folder)).toBeUndefined()
    expect(await openSet('smd', join(folder, 'asd'))).toBeUndefined()
    expect(await openSet('asd', undefined)).toBeUndefined()
  })
})
