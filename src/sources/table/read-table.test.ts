import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SourceError } from '../../errors.ts'
import { readTable } from './read-table.ts'
import { toSeries } from './series.ts'

const read = (text: string, options = {}) => readTable({ text, name: 'x.csv' }, options)
const values = async (text: string, options = {}) => {
  const { columns } = await read(text, options)
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, Array.from(column)]))
}

describe('readTable', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'table-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('reads times and columns, and leaves the label out', async () => {
    const table = await read('timestamp,a,b,label\n1500000000,1,2.5,normal\n1500000060,-3,4e2,fault\n')
    expect(Array.from(table.times)).toEqual([1_500_000_000_000, 1_500_000_060_000])
    expect(Object.keys(table.columns)).toEqual(['a', 'b'])
    expect(Array.from(table.columns.b)).toEqual([2.5, 400])
    expect(table.step).toBe(60_000)
    expect(table.warnings).toEqual([])
  })

  it.each([
    ['1500000000', 1_500_000_000_000],
    ['1500000000.25', 1_500_000_000_250],
    ['1500000000123', 1_500_000_000_123],
    ['1500000000123000', 1_500_000_000_123],
    ['2026-09-01', Date.UTC(2026, 8, 1)],
    ['2026-09-01 10:30', Date.UTC(2026, 8, 1, 10, 30)],
    ['2026-09-01 10:30:05', Date.UTC(2026, 8, 1, 10, 30, 5)],
    ['2026-09-01T10:30:05.250Z', Date.UTC(2026, 8, 1, 10, 30, 5, 250)],
    ['2026-09-01T10:30:05+02:00', Date.UTC(2026, 8, 1, 8, 30, 5)],
    ['"2026-09-01T10:30:05-0130"', Date.UTC(2026, 8, 1, 12, 0, 5)],
  ])('tells how a time is written: %s', async (cell, time) => {
    expect(Array.from((await read(`time,v\n${cell},1\n`)).times)).toEqual([time])
  })

  it('takes the declared format and the declared columns', async () => {
    const table = await read('v,when,w,text\n1,500,2,x\n', { time: 'when', format: 'ms', columns: ['w'] })
    expect(Array.from(table.times)).toEqual([500])
    expect(Object.keys(table.columns)).toEqual(['w'])
  })

  it('reads unknown cells as NaN', async () => {
    expect(await values('ts,v\n1,\n2,NaN\n3,null\n4,NA\n5,7\n')).toEqual({ v: [NaN, NaN, NaN, NaN, 7] })
  })

  it('reads infinities as they are', async () => {
    expect(await values('ts,v\n1,inf\n2,+Inf\n3,-Infinity\n4,7\n')).toEqual({ v: [Infinity, Infinity, -Infinity, 7] })
    await expect(values('ts,v\ninf,1\n')).rejects.toThrow('must be a time')
  })

  it('reads carriage returns, a byte order mark, blank lines, no last line break, semicolons, tabs and quotes', async () => {
    expect(await values('\uFEFFts,v\r\n1,2\r\n\r\n2,3')).toEqual({ v: [2, 3] })
    expect(await values('ts;v\n1;2\n')).toEqual({ v: [2] })
    expect(await values('ts\tv\n1\t2\n')).toEqual({ v: [2] })
    expect(await values('ts,"up{job=""a"",b=""c""}"\n"1","2.5"\n')).toEqual({ 'up{job="a",b="c"}': [2.5] })
  })

  it('keeps the order of the file and warns of repeats, steps back and gaps', async () => {
    const table = await read('ts,v\n60,1\n120,2\n120,3\n\n90,4\n180,5\n600,6\n')
    expect(Array.from(table.times)).toEqual([60, 120, 120, 90, 180, 600].map(s => s * 1000))
    expect(table.warnings).toEqual([
      'x.csv:6: 6 rows go back in time once; as a series they are put in order',
      'x.csv:4: a time is repeated once; in a series its last row counts',
      'x.csv: 1 gap, the longest of 7m after 1970-01-01T00:03:00.000Z',
    ])
  })

  it('becomes a series in order of time, where the last row of a time counts', async () => {
    const series = toSeries(await read('ts,v\n60,1\n120,2\n120,3\n90,4\n60,5\n'))
    expect(Array.from(series.times)).toEqual([60_000, 90_000, 120_000])
    expect(Array.from(series.columns.v)).toEqual([5, 4, 3])
  })

  it.each([
    ['a text among numbers', 'ts,v\n1,2\n\n2,many\n', 'x.csv:4:3: v must be a number or empty, got "many"'],
    ['hexadecimal', 'ts,v\n1,0x10\n', 'x.csv:2:3: v must be a number or empty, got "0x10"'],
    ['a short row', 'ts,v,w\n1,2\n', 'x.csv:2:1: must have 3 cells like the header, got 2'],
    ['a wrong time', 'ts,v\n1,2\nsoon,3\n', 'x.csv:3:1: must be a time (s), got "soon"'],
    ['a day that is not', 'ts,v\n2026-02-30,2\n', 'x.csv:2:1: must be a time'],
    ['no value column', 'ts,label\n1,2\n', 'must have a value column'],
    ['two columns of one name', 'ts,v,v\n1,2,3\n', 'columns must have different names, got "v" twice'],
    ['an open quote', 'ts,v\n1,"2\n', 'x.csv:2:3: must close its quote'],
    ['an open quote in the header', 'ts,"v\n1,2\n', 'x.csv:1:1: must close its quote'],
    ['an empty file', '', 'must have a header line'],
    ['text in UTF-16', Buffer.from('ts,v\n1,2\n', 'utf16le'), 'x.csv:1:1: must be text in UTF-8, got bytes that are zero'],
    ['a text that is long', `ts,v\n1,${'x'.repeat(1000)}\n`, `x.csv:2:3: v must be a number or empty, got "${'x'.repeat(60)}…"`],
    ['a long cell', `ts,v\n1,2\n2,${'1'.repeat(65_537)}\n`, 'x.csv:3:3: must have at most 64 KiB in a cell, got 64 KiB'],
    ['a long name of a column', `ts,${'v'.repeat(65_537)}\n`, 'x.csv:1:1: must have at most 64 KiB in a cell'],
    ['a long line', `ts,v\n1,${' '.repeat(4_194_305)}\n`, 'x.csv:2:1: must have at most 4 MiB in a line, got 4 MiB'],
    ['a long header', 'v'.repeat(4_194_305), 'x.csv:1:1: must have at most 4 MiB in a line, got 4 MiB'],
    [
      'too many columns',
      `ts${Array.from({ length: 10_000 }, (_, i) => `,v${i}`).join('')}\n`,
      'x.csv:1:1: must have at most 10000 columns, got 10001',
    ],
  ])('refuses %s at its place', async (_, text, message) => {
    await expect(readTable({ text, name: 'x.csv' })).rejects.toThrow(message)
  })

  it('guesses which column was meant', async () => {
    await expect(read('ts,requests,errors\n1,2,3\n', { columns: ['request'] })).rejects.toThrow(
      'column must be one of requests, errors, got "request"; did you mean requests?',
    )
  })

  it('reads files, zipped or not, and says which it cannot read', async () => {
    const text = 'ts,v\n1,2\n2,3\n'
    await writeFile(join(folder, 'a.csv'), text)
    await writeFile(join(folder, 'a.csv.gz'), gzipSync(text))
    await writeFile(join(folder, 'cut.csv.gz'), gzipSync(text.repeat(100)).subarray(0, 40))
    for (const name of ['a.csv', 'a.csv.gz']) expect((await readTable(join(folder, name))).times).toHaveLength(2)
    await expect(readTable(join(folder, 'cut.csv.gz'))).rejects.toThrow(
      'must be a whole gzip file, got unexpected end of file after',
    )
    await writeFile(join(folder, 'bad.csv.gz'), gzipSync(text.repeat(100)).fill(7, 20, 30))
    await expect(readTable(join(folder, 'bad.csv.gz'))).rejects.toThrow('bad.csv.gz: must be a whole gzip file, got ')
    await expect(readTable(folder)).rejects.toThrow(`${folder}: must be a readable file, got EISDIR`)
    await expect(readTable(join(folder, 'none.csv'))).rejects.toThrow(/none\.csv: must be a readable file, got ENOENT/)
    await expect(readTable(join(folder, 'none.csv'))).rejects.toBeInstanceOf(SourceError)
  })

  it('stops to unzip at the limit, whatever a few MB hold', async () => {
    // Each member of a gzip file may hold a thousand times its size: 5 GB in 5 MB.
    const member = gzipSync(Buffer.alloc(10 * 2 ** 20, '0'), { level: 9 })
    await writeFile(join(folder, 'bomb.csv.gz'), Buffer.concat(Array.from({ length: 500 }, () => member)))
    const limit = { maxBytes: 2 ** 20 }
    const message = 'bomb.csv.gz: must have at most 1 MiB (unzipped), got more; maxBytes sets the limit'
    await expect(readTable(join(folder, 'bomb.csv.gz'), limit)).rejects.toThrow(message)
    await expect(readTable(join(folder, 'bomb.csv.gz'), { ...limit, maxBytesOption: '--max-size' })).rejects.toThrow(
      '--max-size sets the limit',
    )
  })

  it('reads a file of just the limit, and refuses one byte more', async () => {
    const text = 'ts,v\n1,2\n'
    expect((await read(text, { maxBytes: text.length })).times).toHaveLength(1)
    await expect(read(text, { maxBytes: text.length - 1 })).rejects.toThrow(
      'x.csv: must have at most 8 bytes (unzipped), got more',
    )
  })

  it.each([
    ['maxBytes', 'ts,v\n1,2\n', 5],
    ['maxBytes', `ts,v\n${',\n'.repeat(1000)}`, 2010],
    ['line', 'v'.repeat(4_194_305), undefined],
    ['cell', `ts,${'v'.repeat(65_537)}\n`, undefined],
    ['columns', `ts${Array.from({ length: 10_000 }, (_, i) => `,v${i}`).join('')}\n`, undefined],
    [undefined, 'ts,v\n1,x\n', undefined],
  ])('names the limit that was hit, for those who count: %s', async (limit, text, maxBytes) => {
    const error = await read(text, maxBytes === undefined ? {} : { maxBytes }).catch((reason: SourceError) => reason)
    expect(error).toBeInstanceOf(SourceError)
    expect((error as SourceError).limit).toBe(limit)
  })

  it('takes no memory for values that are not there', async () => {
    const blank = '\n'.repeat(1_000_000)
    const columns = Array.from({ length: 2000 }, (_, i) => `v${i}`)
    const { times, warnings } = await read(`ts,${columns}\n${blank}`)
    expect(times).toHaveLength(0)
    expect(times.buffer.byteLength).toBeLessThan(10_000)
    expect(warnings).toEqual([])
  })

  it('refuses more values than memory should hold: an empty cell takes a byte in the file and eight here', async () => {
    const columns = Array.from({ length: 99 }, (_, i) => `v${i}`)
    const text = `ts,${columns}\n${`1${','.repeat(99)}\n`.repeat(500)}`
    await expect(read(text, { maxBytes: text.length })).rejects.toThrow(
      `x.csv:1:1: must have at most ${text.length >> 1} values, got about`,
    )
    expect((await read(text, { maxBytes: 2 * text.length })).times).toHaveLength(500)
  })

  it('has its step whichever way its rows go', async () => {
    expect((await read('ts,v\n360,1\n240,2\n120,3\n0,4\n')).step).toBe(120_000)
    expect((await read('ts,v\n60,1\n0,2\n')).step).toBe(60_000)
    expect((await read('ts,v\n120,1\n60,2\n0,3\n86520,4\n86460,5\n86400,6\n')).step).toBe(60_000)
  })

  it('has no step with fewer than two times', async () => {
    expect((await read('ts,v\n1,2\n')).step).toBeNaN()
    expect((await read('ts,v\n')).times).toHaveLength(0)
  })

  it('reads back every number that is written', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.double({ noNaN: true, noDefaultInfinity: true }),
            fc.integer(),
            fc.float({ noNaN: true, noDefaultInfinity: true }),
          ),
          { minLength: 1 },
        ),
        async numbers => {
          const text = `ts,v\n${numbers.map((number, i) => `${i},${number}`).join('\n')}\n`
          expect((await values(text)).v.map(value => value + 0)).toEqual(numbers.map(number => number + 0))
        },
      ),
    )
  })

  it('reads decimals to the nearest double', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -999_999_999, max: 999_999_999 }),
        fc.integer({ min: 0, max: 6 }),
        async (whole, digits) => {
          const text = (whole / 10 ** digits).toFixed(digits)
          expect((await values(`ts,v\n1,${text}\n`)).v[0] + 0).toBe(Number(text) + 0)
        },
      ),
    )
  })
})
