import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Anomaly } from '../anomaly.ts'
import { capture } from '../testing/capture.ts'
import { main } from './main.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidewatch-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = capture()
  const code = await main(argv, terminal)
  return { code, out: terminal.outText(), err: terminal.errText() }
}

describe('the program', () => {
  it('prints its version', async () => {
    expect(await run('--version')).toEqual({
      code: 0,
      out: `${JSON.parse(readFileSync('package.json', 'utf8')).version}\n`,
      err: '',
    })
  })
  it.each([
    [[]],
    [['scan']],
    [['serve']],
    [['demo']],
    [['detect']],
    [['explore']],
    [['score']],
    [['models']],
    [['models', 'restore']],
    [['check', 'config']],
    [['hash-password']],
    [['schema']],
  ])('prints help of %j with examples and exit codes', async command => {
    const { code, out } = await run(...command, '--help')
    expect(code).toBe(0)
    expect(out).toMatch(/Usage: tidewatch/)
    expect(out).toMatch(/Examples:\n {2}\$ tidewatch/)
    expect(out).toMatch(/Exit codes: 0 done, 1 failed, 2 wrong usage/)
  })
  it('guesses commands and options', async () => {
    expect(await run('scann')).toMatchObject({ code: 2, out: '', err: expect.stringContaining('Did you mean scan?') })
    expect(await run('scan', 'http://x', '--sinse', '1h')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean --since?'),
    })
  })
  it('prints no colour where there is no screen', async () => {
    expect((await run('detect')).err).toBe('tidewatch: must have either FILE or --url (or --source), got both or none\n')
  })
})

describe('check config', () => {
  it('says OK', async () => {
    const { code, out } = await run('check', 'config', 'examples/tidewatch.yaml')
    expect({ code, out }).toEqual({ code: 0, out: 'OK examples/tidewatch.yaml: 3 flows, 1 source, 2 notifiers\n' })
  })
  it('prints ten faults of ten mistakes, each at its place', async () => {
    const file = 'tests/configurations/ten-mistakes.yaml'
    const { code, out, err } = await run('check', 'config', file)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    const lines = err.trimEnd().split('\n')
    expect(lines).toHaveLength(10)
    for (const line of lines) expect(line).toMatch(/^tests\/configurations\/ten-mistakes\.yaml:\d+:\d+ \S+: must .*/)
    expect(new Set(lines.map(line => line.split(' ')[0])).size).toBe(10)
  })
  it.each([
    ['nothing', '', /^FILE:1:1 sources: must be given \(a mapping\), got nothing$/m],
    ['text in UTF-16', Buffer.from('\uFEFFsources: {}', 'utf16le'), /^FILE: must be a readable file, got text in UTF-16$/],
    [
      'bytes that are no text',
      Buffer.from([0x61, 0xff, 0xfe, 0x0a]),
      /^FILE: must be a readable file, got bytes that are no UTF-8$/,
    ],
    ['more than a MiB', 'x'.repeat(2 ** 20 + 1), /^FILE: must be a readable file, got more than 1 MiB$/],
    [
      'an alias that stands in itself',
      'sources: &a\n  b: *a\n',
      /^FILE:2:6 sources\.b: must not stand inside of what it names, got \*a$/,
    ],
    [
      'a thousand keys that are unknown',
      `sources: {}\nflows: []\n${Array.from({ length: 1000 }, (_, i) => `k${i}: 1\n`).join('')}`,
      /^(FILE:.*\n){100}FILE: must be mended too: 901 more faults$/,
    ],
  ])('refuses a file of %s', async (_, content, message) => {
    const file = join(folder, 'hostile.yaml')
    writeFileSync(file, content)
    const { code, err } = await run('check', 'config', file)
    expect(code).toBe(2)
    expect(err.trimEnd().replaceAll(file, 'FILE')).toMatch(message)
  })
  it('refuses a folder and a file without an end', async () => {
    expect((await run('check', 'config', folder)).err).toBe(`${folder}: must be a readable file, got EISDIR\n`)
    expect((await run('check', 'config', '/dev/zero')).err).toBe('/dev/zero: must be a readable file, got more than 1 MiB\n')
  })
  it('says when there is no file', async () => {
    expect(await run('check', 'config', join(folder, 'none.yaml'))).toMatchObject({
      code: 2,
      err: expect.stringContaining('must be a readable file'),
    })
  })
})

describe('schema', () => {
  it('is JSON Schema with a branch for each type', async () => {
    const { code, out } = await run('schema')
    expect(code).toBe(0)
    const schema = JSON.parse(out)
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema')
    expect(schema.additionalProperties).toBe(false)
    const types = (name: string) => schema.$defs[name].anyOf[0].enum
    expect(types('detector')).toEqual(expect.arrayContaining(['seasonal', 'holt-winters', 'ewma', 'absence']))
    expect(types('rule')).toEqual(expect.arrayContaining(['budget', 'threshold', 'sustained']))
    expect(types('source')).toContain('prometheus')
    const seasonal = schema.$defs.detector.anyOf.find((branch: any) => branch.properties?.type.const === 'seasonal')
    expect(seasonal.properties.season.items.type).toBe('string')
    expect(seasonal.required).toEqual(['type'])
    expect(schema.$defs.flow.required).toEqual(['name', 'query'])
  })
  it('points at nothing that is not there', async () => {
    const { out } = await run('schema')
    const { $defs } = JSON.parse(out)
    for (const [, name] of out.matchAll(/"#\/\$defs\/([^"]+)"/g)) expect($defs).toHaveProperty(name!)
  })
})

describe('detect', () => {
  const START = Date.UTC(2026, 0, 5) / 1000
  const csv = (name: string) => {
    const file = join(folder, name)
    const rows = Array.from({ length: 2000 }, (_, i) => {
      const tide = 500 + 200 * Math.sin((2 * Math.PI * i) / 288) + 8 * Math.sin(i * 12.9898)
      return `${START + i * 300},${tide + (i >= 1500 && i < 1503 ? 900 : 0)},${20 + Math.sin(i * 78.233)}`
    })
    writeFileSync(file, `timestamp,requests,errors\n${rows.join('\n')}\n`)
    return file
  }
  it('prints a table', async () => {
    const { code, out } = await run('detect', csv('a.csv'))
    expect(code).toBe(0)
    expect(out).toMatch(
      /^START +LENGTH +DETECTOR +SHAPE +STRENGTH +WHAT\n2026-01-10T05:00:00Z +[\dhm]+ +default +\S+× +requests was /,
    )
    expect(out).toContain('1 anomaly in 2 series')
  })
  it.each([
    ['peer-group', '{ type: threshold, limit: 8 }'],
    ['principal-components', 'budget'],
    ['vector-autoregressive', 'budget'],
    ['default', 'budget'],
    ['mean-variance', 'budget'],
  ])('looks at all columns together with %s where it can, and says in which it lies', async (detector, rule) => {
    const file = join(folder, `together-${detector}.csv`)
    const rows = Array.from({ length: 2000 }, (_, i) => {
      const tide = 500 + 200 * Math.sin((2 * Math.PI * i) / 288)
      const own = (k: number) => 9 * Math.sin(i * (12.9898 + k)) * Math.sin(i * (0.781 + k))
      return `${START + i * 300},${[0, 1, 2, 3].map(k => tide + own(k) + (k === 2 && i >= 1500 && i < 1503 ? 300 : 0)).join()}`
    })
    writeFileSync(file, `timestamp,a,b,c,d\n${rows.join('\n')}\n`)
    const { out } = await run('detect', file, '--detector', detector, '--rule', rule, '--json')
    const { anomalies } = JSON.parse(out) as { anomalies: Anomaly[] }
    const found = anomalies.filter(({ start }) => Math.abs(start - (START + 1500 * 300) * 1000) <= 600_000)
    if (detector === 'mean-variance') return expect(anomalies.every(({ columns }) => columns === undefined)).toBe(true)
    expect(found).toHaveLength(1)
    expect(found[0].labels).toEqual({})
    expect(found[0].columns![0]).toMatchObject({ name: 'c', share: expect.any(Number) })
    return expect(found[0].columns![0].share).toBeGreaterThan(0.4)
  })

  it('prints JSON', async () => {
    const { out } = await run('detect', csv('b.csv'), '--expr', 'requests', '--json')
    const { series, step, anomalies } = JSON.parse(out)
    expect({ series, step }).toEqual({ series: 1, step: 300_000 })
    expect(anomalies).toEqual([
      expect.objectContaining({ labels: { column: 'requests' }, start: (START + 1500 * 300) * 1000, direction: 'up' }),
    ])
  })
  it('takes rows that are absent for missing data, and the end of the file for no outage', async () => {
    const file = join(folder, 'holes.csv')
    const rows = Array.from({ length: 500 }, (_, i) => `${START + i * 60},${100 + ((i * 7919) % 13)}`)
    writeFileSync(file, `timestamp,requests\n${rows.filter((_, i) => i < 300 || i >= 330).join('\n')}\n`)
    const { out } = await run('detect', file, '--detector', 'absence', '--json')
    const { anomalies } = JSON.parse(out)
    expect(anomalies).toEqual([expect.objectContaining({ shape: 'silence', ongoing: false, end: (START + 330 * 60) * 1000 })])
    expect(anomalies[0].sentence).toMatch(/^requests had no data for \d+m, from 04:59 UTC/)
  })
  it('says when nothing is odd', async () => {
    expect(await run('detect', csv('c.csv'), '--expr', 'errors')).toMatchObject({ code: 0, out: 'Nothing odd in 1 series.\n' })
  })
  it('looks at a part, in other steps', async () => {
    const { out } = await run('detect', csv('d.csv'), '--end', '2026-01-09', '--step', '10m', '--json')
    expect(JSON.parse(out)).toMatchObject({ series: 2, step: 600_000, anomalies: [] })
  })
  it('draws a picture', async () => {
    const plot = join(folder, 'e.svg')
    const { code, err } = await run('detect', csv('e.csv'), '--plot', plot, '--detector', 'seasonal', '--detector', 'absence')
    expect({ code, err }).toEqual({ code: 0, err: `${plot} shows 4 of 4 panels\n` })
    const svg = readFileSync(plot, 'utf8')
    expect(svg).toMatch(/^<svg xmlns=/)
    expect(svg.match(/class="odd"/g)).toHaveLength(1)
    expect(svg).toContain('prefers-color-scheme: dark')
    expect(svg).not.toMatch(/NaN|Infinity/)
  })
  it('says what is wrong', async () => {
    const file = csv('f.csv')
    expect(await run('detect', file, '--expr', 'reqests')).toMatchObject({
      code: 2,
      err: expect.stringContaining('requests, errors'),
    })
    expect(await run('detect', file, '--detector', '{ type: seasonal, sesson: [1d] }')).toMatchObject({
      code: 2,
      err: expect.stringContaining('did you mean "season"?'),
    })
    expect(await run('detect', file, '--start', 'yesterday')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--start must be a time'),
    })
    expect(await run('detect', join(folder, 'none.csv'))).toMatchObject({
      code: 1,
      err: expect.stringContaining('must be a readable file'),
    })
    expect(await run('detect', '--url', 'ftp://nonsense', '--expr', 'up')).toMatchObject({
      code: 2,
      err: expect.stringContaining('must be an address'),
    })
    expect(existsSync(join(folder, 'none.svg'))).toBe(false)
  })
})

describe('--max-size', () => {
  it.each([['detect'], ['explore'], ['score', '--train-rows', '0']])(
    'is the most that %s reads of a file',
    async (...command) => {
      const file = join(folder, 'large.csv')
      writeFileSync(file, `ts,v\n${'1,2\n'.repeat(1000)}`)
      const { code, err } = await run(...command, file, '--max-size', '1KiB')
      expect({ code, err }).toEqual({
        code: 1,
        err: `tidewatch: ${file}: must have at most 1 KiB (unzipped), got more; --max-size sets the limit\n`,
      })
    },
  )
  it('is a size with a unit', async () => {
    expect(await run('detect', 'x.csv', '--max-size', '5m')).toMatchObject({
      code: 2,
      err: expect.stringContaining('must be a size with a unit like 512KiB, 64MiB or 1GiB, got "5m"'),
    })
  })
})

describe('demo', () => {
  it.each([
    [
      '0.0.0.0:8080',
      'must be an address of this machine only, like 127.0.0.1:9797, unless there is --insecure; got "0.0.0.0:8080"',
    ],
    ['8080', 'must be host:port like 127.0.0.1:9797, got "8080"'],
  ])('does not listen on %s', async (listen, message) => {
    expect(await run('demo', '--listen', listen)).toMatchObject({ code: 2, err: `tidewatch: --listen ${message}\n` })
  })
})
