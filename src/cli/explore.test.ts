import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { World } from '../execution/world.ts'
import { seededRandom } from '../math/random.ts'
import { capture } from '../testing/capture.ts'
import { fakePrometheus, serveSeries } from '../testing/fake-prometheus.ts'
import { checkQueries, readQueries } from './explore/check-queries.ts'
import { examineSeries } from './explore/examine-series.ts'
import type { Basis } from './explore/prepare.ts'
import { type ExploreOptions, explore } from './explore/report.ts'
import { run } from './explore.ts'
import { main } from './main.ts'

const STEP = 60_000
const START = Date.UTC(2026, 0, 5)
const OPTIONS: ExploreOptions = { basis: 'residual', rank: false, least: 0.5, redundant: 0.9 }

function noise(seed: number): () => number {
  const random = seededRandom(seed)
  return () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
}

function white(rows: number, seed: number): Float64Array {
  const next = noise(seed)
  return Float64Array.from({ length: rows }, next)
}

function walk(rows: number, seed: number): Float64Array {
  let level = 0
  return white(rows, seed).map(step => (level += step))
}

/** A series that remembers: noise through a short memory. */
function alive(rows: number, seed: number): Float64Array {
  let level = 0
  return white(rows, seed).map(step => (level = 0.6 * level + step))
}

function look(columns: Record<string, ArrayLike<number>>, options: Partial<ExploreOptions> = {}) {
  const series = Object.entries(columns).map(([name, values]) => ({
    labels: { __name__: name },
    read: 'value' as const,
    values: Float64Array.from(values),
  }))
  const times = Float64Array.from(series[0].values, (_, i) => START + i * STEP)
  const report = explore({ series, times, step: STEP, late: 2, names: [], warnings: [] }, { ...OPTIONS, ...options })
  const name = (at: number) => report.series[at].name
  return {
    report,
    pairs: report.pairs.map(({ leads, follows, r, lag }) => ({ leads: name(leads), follows: name(follows), r, lag })),
    groups: report.groups.map(({ representative, members }) => ({
      representative: name(representative),
      members: members.map(member => ({ ...member, at: name(member.at) })),
    })),
    entry: (wanted: string) => report.series.find(entry => entry.name === wanted)!,
  }
}

describe('correlations', () => {
  it.each([0, 1, 7, 23])('find a lag of %i rows, who leads, and the sign', lag => {
    const source = alive(1500, 1)
    const own = white(1500, 2)
    const columns = {
      follower: source.map((_, i) => 50 - 3 * (source[i - lag] ?? 0) + own[i]),
      leader: source.map(value => 1e6 + value),
      other: alive(1500, 3),
    }
    const { pairs } = look(columns, { redundant: 1 })
    expect(pairs).toHaveLength(1)
    expect(pairs[0]).toMatchObject(lag === 0 ? { lag: 0 } : { leads: 'leader', follows: 'follower', lag })
    expect(pairs[0].r).toBeLessThan(-0.9)
  })

  it('find it over gaps, scattered and long', () => {
    const source = alive(1500, 1)
    const random = seededRandom(9)
    const holed = (values: Float64Array, from: number) =>
      values.map((value, i) => (random.next() < 0.3 || (i >= from && i < from + 250) ? NaN : value))
    const { pairs } = look({
      leader: holed(source, 200),
      follower: holed(
        source.map((_, i) => source[i - 5] ?? 0),
        900,
      ),
    })
    expect(pairs).toMatchObject([{ leads: 'leader', follows: 'follower', lag: 5 }])
    expect(pairs[0].r).toBeGreaterThan(0.97)
  })

  it.each<Basis>(['residual', 'change'])('are not made by a common season or trend: %s', basis => {
    const day = (i: number) => 40 * Math.sin((2 * Math.PI * i) / 1440) + 15 * Math.sin((6 * Math.PI * i) / 1440)
    const [a, b, c, d] = [white(4320, 1), white(4320, 2), white(4320, 3), white(4320, 4)]
    const columns = {
      a: a.map((value, i) => 100 + day(i) + 3 * value),
      b: b.map((value, i) => 7 + 2 * day(i) + 5 * value),
      c: c.map((value, i) => 0.1 * i + value),
      d: d.map((value, i) => 900 - 0.2 * i + value),
    }
    const beside = look(columns, { basis })
    expect(beside.pairs).toEqual([])
    const names = beside.report.apparent.map(
      ({ a: one, b: other }) => `${beside.report.series[one].name}${beside.report.series[other].name}`,
    )
    expect(names.toSorted()).toEqual(['ab', 'cd'])
    expect(beside.entry('a').seasons).toMatchObject([{ period: 86_400_000 }])
    expect(look(columns, { basis: 'value' }).report.groups.length).toBeGreaterThan(0)
  })

  it('are not made by chance: forty series of noise, forty walks', () => {
    for (const [make, rows] of [
      [white, 200],
      [alive, 600],
      [walk, 600],
    ] as const) {
      const columns = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`s${i}`, make(rows, 100 + i)]))
      const { pairs, groups } = look(columns, { least: 0 })
      expect(pairs).toEqual([])
      expect(groups).toEqual([])
    }
  })

  it('are not made by one event in each, or a few: those are told apart', () => {
    const event = (seed: number, from: number) =>
      white(600, seed).map((value, i) => value + (i >= from && i < from + 20 ? 30 : 0))
    const { pairs, report } = look({ a: event(1, 300), b: event(2, 304), c: event(3, 500), d: event(4, 80) })
    expect(pairs).toEqual([])
    expect(report.few).toMatchObject([{ leads: 0, follows: 1 }])
    const rare = (seed: number) => white(1500, seed).map(value => (value > 2.4 ? value : 0))
    expect(look(Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map(seed => [`s${seed}`, rare(seed)]))).pairs).toEqual([])
  })

  it('are not made by one wild row in each, nor by a few rows', () => {
    const wild = (seed: number) => white(600, seed).map((value, i) => (i === 300 ? 1e6 : value))
    expect(look({ a: wild(1), b: wild(2) }).pairs).toEqual([])
    expect(look({ a: [1, 2, 3, 4, 3], b: [1, 2, 3, 4, 3] }).pairs).toEqual([])
  })

  it('by rank see through any rising curve', () => {
    const source = alive(1500, 1)
    const columns = { a: source, b: source.map(value => Math.exp(2 * value)) }
    const strongest = (rank: boolean) => {
      const { report } = look(columns, { rank })
      return report.matrix[1]
    }
    expect(strongest(true)).toBeCloseTo(1, 5)
    expect(strongest(false)).toBeLessThan(0.95)
  })

  it('say when the lag may be longer than was looked for', () => {
    const source = walk(1500, 1)
    const { report } = look({ a: source, b: source.map((_, i) => source[i - 30] ?? 0) }, { maxLag: 28 * STEP, least: 0.3 })
    expect(report.pairs.every(({ edge, lag }) => !edge || lag === 28)).toBe(true)
    expect(look({ a: source, b: source.map((_, i) => source[i - 30] ?? 0) }, { maxLag: 40 * STEP }).pairs).toMatchObject([
      { leads: 'a', follows: 'b', lag: 30 },
    ])
  })
})

describe('groups', () => {
  it('are those that were put in, with lags, and what stands alone is in none', () => {
    const [one, two] = [alive(1200, 1), alive(1200, 2)]
    const near = (values: Float64Array, seed: number, lag = 0) => {
      const own = white(1200, seed)
      return values.map((_, i) => (values[i - lag] ?? 0) + 0.1 * own[i])
    }
    const { groups, report } = look({
      'x-long-name': near(one, 11),
      x: one,
      y: two,
      alone: alive(1200, 3),
      'x-late': near(one, 12, 4),
      'y-against': near(two, 13).map(value => -value),
    })
    expect(groups.map(({ representative, members }) => [representative, ...members.map(({ at }) => at)].toSorted())).toEqual([
      ['x', 'x-late', 'x-long-name'],
      ['y', 'y-against'],
    ])
    expect(groups[0].representative).toBe('x')
    expect(groups[0].members.find(({ at }) => at === 'x-late')).toMatchObject({ lag: 4 })
    expect(groups[1].members[0].r).toBeLessThan(-0.9)
    const names = report.order.map(leaf => report.series[report.correlated[leaf]].name[0])
    expect(names.join('')).toMatch(/xxx/)
    expect(names.join('')).toMatch(/yy/)
  })
})

describe('a series', () => {
  const times = Float64Array.from({ length: 300 }, (_, i) => START + i * STEP)
  const at = (make: (i: number) => number) =>
    examineSeries(
      times,
      Float64Array.from(times, (_, i) => make(i)),
      STEP,
    )
  it('has gaps, of which the longest is told', () =>
    expect(at(i => (i === 10 || (i >= 50 && i < 80) ? NaN : i % 7))).toMatchObject({
      state: 'moving',
      missing: expect.closeTo(31 / 300, 9),
      longestGap: { start: times[50], end: times[80] },
    }))
  it('is empty', () => expect(at(() => NaN)).toMatchObject({ state: 'empty', missing: 1 }))
  it('is constant', () => expect(at(() => 4)).toMatchObject({ state: 'constant', low: 4, high: 4 }))
  it('stopped', () => expect(at(i => (i < 200 ? i % 5 : NaN))).toMatchObject({ state: 'stopped', since: times[200] }))
  it('is stuck when it has not changed for unusually long', () => {
    expect(at(i => (i < 200 ? i % 5 : 3))).toMatchObject({ state: 'stuck', since: times[200] })
    expect(at(i => Math.floor(i / 60))).toMatchObject({ state: 'moving' })
  })
  it('began late', () =>
    expect(at(i => (i < 100 ? NaN : i % 3))).toMatchObject({ state: 'moving', missing: 0, began: times[100] }))
  it('climbs as a counter does, over restarts too', () => {
    expect(at(i => 5 * (i % 140))).toMatchObject({ climbs: true })
    expect(at(i => i % 5)).toMatchObject({ climbs: false })
    expect(at(i => 100 + 10 * Math.sin(i / 9))).toMatchObject({ climbs: false })
  })
  it('of a counter is looked at through its changes', () => {
    const rate = alive(600, 1).map(value => 50 + value)
    let sum = 0
    const { pairs, entry } = look(
      { rate, requests: rate.map((value, i) => (i === 300 ? (sum = 0) : (sum += value))) },
      { redundant: 1 },
    )
    expect(entry('requests').read).toBe('change')
    expect(pairs).toMatchObject([{ lag: 0 }])
    expect(pairs[0].r).toBeGreaterThan(0.97)
  })
})

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidewatch-explore-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function tell(...argv: string[]) {
  const terminal = capture()
  const code = await main(['explore', ...argv], terminal)
  return { code, out: terminal.outText(), err: terminal.errText() }
}

function csv(name: string): string {
  const source = alive(600, 1)
  const file = join(folder, name)
  const rows = Array.from(source, (value, i) => {
    const gap = i >= 100 && i < 130 ? '' : (source[i - 6] ?? 0)
    return `${START + i * STEP},${value},${gap},${value * 2 + 1},7,${i < 300 ? i % 3 : ''},${i * 3}`
  })
  writeFileSync(file, `timestamp,requests,queue,copy,flat,gone,served_total\n${rows.join('\n')}\n`)
  return file
}

describe('explore of a file', () => {
  it('prints what it found', async () => {
    const { code, out, err } = await tell(csv('a.csv'))
    expect({ code, err: err.includes('Error') }).toEqual({ code: 0, err: false })
    expect(out).toMatch(/^6 series over 10h at 1m\n/)
    expect(out).toMatch(/copy for 3 series\n|requests for 3 series\n/)
    expect(out).toMatch(/queue +(0\.99|1\.00), 6m later/)
    expect(out).toMatch(/gone +stopped at 2026-01-05 05:00/)
    expect(out).toMatch(/flat +is always 7/)
    expect(out).toMatch(/queue +5 %, longest 30m from 2026-01-05 01:40/)
    expect(out).toMatch(/served_total +climbs/)
  })
  it('prints JSON without NaN', async () => {
    const { out } = await tell(csv('b.csv'), '--json', '--redundant', '1')
    expect(out).not.toContain('NaN')
    const report = JSON.parse(out)
    expect(report).toMatchObject({ step: STEP, rows: 600, basis: 'residual', maxLag: 60 * STEP })
    expect(report.correlations).toContainEqual(
      expect.objectContaining({
        leads: 'copy',
        follows: 'queue',
        lag: 6 * STEP,
        sentence: 'queue follows copy 6m later',
      }),
    )
    expect(report.series.find((entry: any) => entry.name === 'gone')).toMatchObject({ state: 'stopped' })
  })
  it('looks at the end, in other steps', async () => {
    const { out } = await tell(csv('c.csv'), '--since', '2h', '--step', '2m', '--json')
    expect(JSON.parse(out)).toMatchObject({ step: 2 * STEP, rows: 60 })
  })
  it('says what is wrong', async () => {
    const file = csv('d.csv')
    for (const [argv, message] of [
      [[], 'either FILE or --url'],
      [[file, '--url', 'http://x'], 'either FILE or --url'],
      [[file, '--job', 'x'], 'must come with --url'],
      [['--url', 'http://x'], 'either --match or --job'],
      [[file, '--on', 'everything'], '--on must be one of residual, change, value'],
      [[file, '--least', '2'], 'must be a number from 0 to 1'],
      [[file, '--queries', join(folder, 'none.yml')], '--queries must be a readable file'],
    ] as const)
      expect(await tell(...argv)).toMatchObject({ code: 2, err: expect.stringContaining(message) })
  })
})

describe('queries', () => {
  it('refuse a file that is nested without end', async () => {
    const file = join(folder, 'deep.yml')
    writeFileSync(file, '['.repeat(10_000))
    await expect(readQueries(file)).rejects.toThrow(`${file}:1:65 must be nested at most 64 deep, got one more`)
  })

  const rules = () => {
    const file = join(folder, 'rules.yml')
    writeFileSync(
      file,
      `groups:
  - name: dns
    rules:
      - record: job:requests:rate
        expr: sum by (job) (rate(requests_total[5m]))
      - alert: Slow
        expr: job:requests:rate > 5 and requests_total{job="nope"}
      - alert: Typo
        expr: |
          rate(reqests_total[5m]) > 1
      - alert: Gone
        expr: absent(never_there) or vector(0)
      - alert: Raw
        expr: requests_total > 100
`,
    )
    return file
  }
  it('that can never return data are told at their place', async () => {
    const queries = await readQueries(rules())
    expect(queries).toHaveLength(5)
    const faults = await checkQueries(queries, ['requests_total', 'up'])
    expect(faults.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '7 job:requests:rate returns no data: the file records it, but the source has no result of that rule',
      expect.stringMatching(/^7 requests_total is a counter/),
      '9 reqests_total never returns data: the source has no such metric, did you mean "requests_total"?',
      expect.stringMatching(/^14 requests_total is a counter/),
    ])
  })
  it('are read from flows and dashboards too', async () => {
    const dashboard = join(folder, 'dashboard.json')
    writeFileSync(dashboard, JSON.stringify({ panels: [{ targets: [{ expr: 'up{job="$job"}' }, { expr: 'down' }] }] }, null, 1))
    expect((await readQueries(dashboard)).map(({ expr }) => expr)).toEqual(['up{job="$job"}', 'down'])
    expect((await readQueries('examples/tidewatch.yaml')).length).toBeGreaterThan(1)
  })
})

describe('explore of a Prometheus', () => {
  const NOW = Date.UTC(2026, 0, 31, 12)
  const source = alive(400, 1)
  const row = (time: number) => Math.round((time - NOW) / 30_000) + 399
  const values: Record<string, (time: number) => number | undefined> = {
    requests_total: time => source[row(time)],
    queue: time => source[row(time) - 3],
    up: time => (row(time) < 0 ? undefined : 1),
  }
  const world = () => {
    const fake = fakePrometheus(request => {
      const query = request.params.query ?? ''
      const all = Object.entries(values).map(([name, value]) => ({ labels: { __name__: name, job: 'dns' }, value }))
      if (request.path.endsWith('/values')) return serveSeries(all)(request)
      if (query.startsWith('max(count_over_time(')) return serveSeries([{ labels: {}, value: () => 240 }])(request)
      if (query.startsWith('count by (__name__)'))
        return serveSeries(all.map(({ labels }) => ({ labels: { __name__: labels.__name__ }, value: () => 1 })))(request)
      if (query.includes('job="nope"')) return serveSeries([])(request)
      const name = Object.keys(values).find(each => query.includes(each)) ?? 'up'
      const { __name__, ...rest } = { __name__: name, job: 'dns' }
      return serveSeries([{ labels: query.startsWith('rate') ? rest : { __name__, ...rest }, value: values[name] }])(request)
    })
    const real: World = { now: () => NOW, random: () => 0.5, fetch: fake.fetch, sleep: async () => {}, log: () => {} }
    return { fake, real }
  }
  const options = {
    url: '127.0.0.1:9090',
    on: 'residual',
    rank: false,
    least: 0.5,
    redundant: 1,
    queries: [] as string[],
    limit: 500,
    json: true,
    step: '30s',
  }
  it('reads the series of a job, counters through rate, and finds the lag', async () => {
    const { fake, real } = world()
    const terminal = capture()
    const rules = join(folder, 'live.yml')
    writeFileSync(rules, 'flows: [{ query: { expr: \'up{job="nope"}\' } }]')
    await run({ ...options, job: 'dns', queries: [rules] }, terminal, real)
    const report = JSON.parse(terminal.outText())
    expect(report.sharedLabels).toEqual({ job: 'dns' })
    expect(report.correlations).toMatchObject([{ leads: 'requests_total', follows: 'queue', lag: 90_000 }])
    expect(report.series).toMatchObject([
      { name: 'queue', read: 'value' },
      { name: 'requests_total', read: 'rate' },
      { name: 'up', state: 'constant' },
    ])
    expect(report.queries.faults).toMatchObject([{ message: expect.stringContaining('no such series in the range') }])
    expect(fake.requests.map(({ params }) => params.query)).toContainEqual(
      expect.stringMatching(/^rate\(\{__name__="requests_total",job="dns"\}\[\d+s\]\)$/),
    )
  })
  it('wants a selector', async () => {
    const { real } = world()
    await expect(run({ ...options, match: 'sum(up)' }, capture(), real)).rejects.toThrow('--match must be a selector')
  })
  it('leaves out what goes over the limit, and says so', async () => {
    const { real } = world()
    const terminal = capture()
    await run({ ...options, match: '{job="dns"}', limit: 2 }, terminal, real)
    expect(JSON.parse(terminal.outText()).series).toHaveLength(2)
    expect(terminal.errText()).toContain('up (1) left out')
  })
})

describe('the page', () => {
  it('asks nobody for anything and writes no NaN', async () => {
    const page = join(folder, 'page.html')
    const { code, err } = await tell(csv('p.csv'), '--html', page)
    expect({ code, err }).toEqual({ code: 0, err: `${page} shows it with plots\n` })
    const html = readFileSync(page, 'utf8')
    expect(html).not.toMatch(/NaN|Infinity|undefined|(src|href)="http/)
  })
})
