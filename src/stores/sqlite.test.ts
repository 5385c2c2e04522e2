import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import {
  durableStoreLaws,
  readAll,
  sampleAnomaly,
  sampleModel,
  sampleRun,
  sampleScores,
  storeLaws,
} from '../testing/store-laws.ts'
import { checkSteps } from '../testing/store-steps.ts'
import { fromMemory } from './memory.ts'
import { openSqlite, sqlite } from './sqlite.ts'
import type { Run, Store } from './store.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidewatch-store-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const fresh = () => join(folder, `${files++}.db`)
const now = () => 0
const open = (path: string) => openSqlite(path, { now, patience: 0 })

describe('sqlite', () => {
  for (const law of [...storeLaws, ...durableStoreLaws])
    it(law.name, () => {
      const path = fresh()
      const reopen = async (store: Store) => {
        await store.close()
        return open(path)
      }
      return law.check({ make: () => open(path), reopen })
    })

  it('touches no disk before it is used', async () => {
    const store = sqlite.create(sqlite.config.parse({ path: 'deep/lazy.db' }), { folder, now })
    expect(existsSync(join(folder, 'deep'))).toBe(false)
    await store.flows()
    expect(existsSync(join(folder, 'deep/lazy.db'))).toBe(true)
    await store.close()
  })

  it('notices at a trial write that its file was deleted or replaced, or cannot be written', async () => {
    const path = fresh()
    const store = open(path)
    await store.commit(sampleRun())
    await store.probe()
    renameSync(path, `${path}.away`)
    await expect(store.probe()).rejects.toThrow('must stay while it is open, got no file')
    writeFileSync(path, '')
    await expect(store.probe()).rejects.toThrow('must stay while it is open, got another file')
    renameSync(`${path}.away`, path)
    await store.probe()
    await store.close()
    const reader = openSqlite(path, { now, readOnly: true })
    await expect(reader.probe()).rejects.toThrow('must be opened for writing')
    await reader.close()
  })

  it('is read by others while one writes, and only the one writes', async () => {
    const path = fresh()
    const store = open(path)
    await store.commit(sampleRun({ anomalies: [sampleAnomaly()] }))
    const reader = openSqlite(path, { now, readOnly: true })
    await store.commit(sampleRun({ flow: 'g', anomalies: [sampleAnomaly()] }))
    expect(await reader.anomalies()).toHaveLength(2)
    await expect(reader.commit(sampleRun())).rejects.toThrow('must be opened for writing')
    await reader.close()
    await store.close()
    expect(() => openSqlite(fresh(), { now, readOnly: true })).toThrow('must exist to be read')
  })
})

/** Takes the last schema back by one, from the version that is named. */
const UNDO = {
  2: 'DROP TABLE models; DELETE FROM migrations WHERE version = 2',
  3: 'DROP TABLE damaged; ALTER TABLE points DROP COLUMN format; DELETE FROM migrations WHERE version = 3',
  4: `DROP TABLE notified; ALTER TABLE outbox DROP COLUMN error; ALTER TABLE channels DROP COLUMN failing_since;
      ALTER TABLE channels DROP COLUMN refusals; DELETE FROM migrations WHERE version = 4`,
  5: 'ALTER TABLE flows DROP COLUMN removed_at; DELETE FROM migrations WHERE version = 5',
  6: 'DROP INDEX anomalies_ignored; DELETE FROM migrations WHERE version = 6',
}

describe('a sqlite file with a limit', () => {
  const points = (from: number) =>
    ['a', 'b', 'c', 'd'].map(detector => ({
      detector,
      scores: sampleScores(Array.from({ length: 400 }, (_, i) => from + ((i * 0.7919) % 1) + i)),
    }))

  it('makes room: the oldest points go first, then old anomalies that are over, never what is open or untold', async () => {
    const maxSize = 600 * 1024
    const path = fresh()
    const told: string[] = []
    const store = openSqlite(path, { now, patience: 0, maxSize, onEvicted: message => told.push(message) })
    const open = sampleAnomaly({ start: 0, end: 5, peak: 1 })
    await store.commit(sampleRun({ flow: 'open', range: { start: 0, end: 5 }, anomalies: [open] }))
    const over = (i: number) => sampleAnomaly({ start: i * 400, end: i * 400 + 5, peak: i * 400, ongoing: false })
    for (let i = 0; i < 60; i++)
      await store.commit(
        sampleRun({
          range: { start: i * 400, end: i * 400 + 400 },
          anomalies: [over(i)],
          silent: i > 0,
          points: points(i * 400),
          keepPoints: 1e9,
          finishedAt: 1000 + i,
        }),
      )
    const used = (await store.stats()).evicted
    expect(used).toBeGreaterThan(0)
    const rows = (await store.points('f', sampleAnomaly().labels, 'a', { start: 0, end: Infinity }))!
    expect(rows.times[0]).toBeGreaterThan(400)
    expect(rows.times.at(-1)).toBeGreaterThan(59 * 400)
    expect(told[0]).toMatch(/may hold 600 KiB: \d+ chunks of old points and 0 old anomalies were deleted to make room$/)
    expect((await store.anomalies({ limit: 1000 })).length).toBe(61)
    // With a smaller limit the anomalies that are over go too.
    await store.close()
    const tiny = openSqlite(path, { now, patience: 0, maxSize: 100 * 1024 })
    await tiny.commit(sampleRun({ flow: 'other', finishedAt: 2000 }))
    const left = (await tiny.anomalies({ limit: 1000 })).map(({ flow, start }) => `${flow} ${start}`)
    expect(left.length).toBeLessThan(61)
    expect(left).toContain('open 0')
    expect(left).toContain('f 0')
    expect((await tiny.outbox('log', 1e9, 1000)).map(({ anomaly }) => anomaly.flow).sort()).toEqual(['f', 'open'])
    await tiny.close()
  })

  it('stays at the size it has when series come and go', async () => {
    const path = fresh()
    const store = openSqlite(path, { now, patience: 0, maxSize: 400 * 1024 })
    for (let i = 0; i < 80; i++) {
      const labels = { pod: String(i) }
      const scores = sampleScores(
        Array.from({ length: 300 }, (_, k) => i * 300 + k),
        labels,
      )
      await store.commit(
        sampleRun({ range: { start: i * 300, end: i * 300 + 300 }, points: [{ detector: 'a', scores }], keepPoints: 1e9 }),
      )
    }
    expect((await store.stats()).evicted).toBeGreaterThan(80)
    await store.close()
    expect(statSync(path).size).toBeLessThan(500 * 1024)
  })
})

describe('a sqlite file that cannot be had', () => {
  it('names the process that holds it', async () => {
    const path = fresh()
    const store = open(path)
    const message = `${path} must be held by one process only, got process ${process.pid} that holds it already`
    expect(() => open(path)).toThrow(message)
    expect(
      inChild(`try { openSqlite(${JSON.stringify(path)}, { now }) } catch (error) { console.log(error.code, error.message) }`),
    ).toBe(`store ${message}`)
    await store.close()
    await open(path).close()
  })

  const bytes = (path: string) => readFileSync(path)
  const refuses = (path: string, message: string | RegExp) => {
    const before = bytes(path)
    expect(() => open(path)).toThrow(message)
    expect(bytes(path).equals(before)).toBe(true)
  }

  it('is not overwritten when it is no database', () => {
    const path = fresh()
    writeFileSync(path, 'precious notes, not a database at all\n'.repeat(300))
    refuses(path, 'got a file that is no SQLite database')
  })

  it('is not overwritten when it belongs to another program', () => {
    const path = fresh()
    const other = new DatabaseSync(path)
    other.exec('CREATE TABLE migrations (version INTEGER)')
    other.close()
    refuses(path, 'got another SQLite database')
  })

  it('is not opened when a newer version wrote it', async () => {
    const path = fresh()
    await open(path).close()
    const newer = new DatabaseSync(path)
    newer.exec('INSERT INTO migrations VALUES (99, 0)')
    newer.close()
    refuses(path, 'must have schema 6 or older, got 99 of a newer Tidewatch')
  })

  it('of an older version is brought up to date, with all that it has', async () => {
    const path = fresh()
    const store = open(path)
    await store.commit(sampleRun({ anomalies: [sampleAnomaly()] }))
    const before = await readAll(store, ['f'], ['log'], [sampleAnomaly().labels], 1e6)
    await store.close()
    const older = new DatabaseSync(path)
    for (const version of [6, 5, 4, 3, 2] as const) older.exec(UNDO[version])
    older.close()
    expect(() => openSqlite(path, { now, readOnly: true })).toThrow('must have schema 6 to be read, got 1')
    const again = open(path)
    expect(await readAll(again, ['f'], ['log'], [sampleAnomaly().labels], 1e6)).toEqual(before)
    expect((await again.addModel(sampleModel(), true)).version).toBe(1)
    await again.close()
  })

  it('that did not say yet what was accepted says it of what it knows', async () => {
    const path = fresh()
    const store = open(path)
    await store.commit(sampleRun({ channels: ['log', 'hook', 'away'], anomalies: [sampleAnomaly()] }))
    const first = async (channel: string) => (await store.outbox(channel, 2000))[0].id
    await store.delivered(await first('log'), 2000, 2600, 'forgotten')
    await store.abandon(await first('hook'), 2000, 'got 401')
    const { id } = (await store.anomalies())[0]
    await store.close()
    const older = new DatabaseSync(path)
    for (const version of [6, 5, 4] as const) older.exec(UNDO[version])
    older.close()
    const again = open(path)
    expect(await again.notifications([id])).toEqual([
      { anomaly: id, channel: 'away', kind: 'opened', state: 'pending', at: 1000 },
      { anomaly: id, channel: 'log', kind: 'opened', state: 'accepted', at: 2000 },
    ])
    expect((await again.outbox('log', 2600))[0].accepted).toEqual({ kind: 'opened', at: 2000 })
    await again.close()
  })

  it('of the first schema keeps its points, and goes on with them', async () => {
    const path = fresh()
    const points = (times: number[]) => [{ detector: 'a', scores: sampleScores(times) }]
    const hundred = Array.from({ length: 100 }, (_, i) => i)
    const store = open(path)
    await store.commit(sampleRun({ points: points([1]) }))
    await store.close()
    const older = new DatabaseSync(path)
    const { times, columns } = sampleScores(hundred)
    const { score, value, expected, lower, upper } = columns
    for (let from = 0; from < 100; from += 32) {
      const to = Math.min(100, from + 32)
      const body = Buffer.concat([times, score, value, expected, lower, upper].map(x => Buffer.from(x.slice(from, to).buffer)))
      older
        .prepare('INSERT OR REPLACE INTO points (id, stream, first, last, body) VALUES (?, 1, ?, ?, ?)')
        .run(1 + from / 32, from, to - 1, body)
    }
    for (const version of [6, 5, 4, 3] as const) older.exec(UNDO[version])
    older.close()
    const again = open(path)
    const read = () => again.points('f', sampleAnomaly().labels, 'a', { start: 0, end: 1e6 })
    expect(await read()).toEqual(sampleScores(hundred))
    await again.commit(sampleRun({ range: { start: 98, end: 200 }, points: points([98, 150]) }))
    expect([...(await read())!.times]).toEqual([...hundred.slice(0, 98), 98, 150])
    await again.close()
  })

  it('is said to be damaged when a part is missing', async () => {
    const path = fresh()
    const store = open(path)
    const points = [{ detector: 'a', scores: sampleScores(Array.from({ length: 50 }, (_, i) => i)) }]
    for (let i = 0; i < 50; i++) await store.commit(sampleRun({ flow: `f${i}`, points, anomalies: [sampleAnomaly()] }))
    await store.close()
    truncateSync(path, Math.floor(statSync(path).size / 8192) * 4096)
    const use = async () => {
      const damaged = open(path)
      try {
        await readAll(damaged, ['f1', 'f40'], ['log'], [sampleAnomaly().labels], 1e6)
      } finally {
        await damaged.close()
      }
    }
    await expect(use()).rejects.toMatchObject({ code: 'store', message: expect.stringContaining('damaged') })
  })

  it('says so when its folder cannot be made', () => {
    writeFileSync(join(folder, 'file'), '')
    expect(() => open(join(folder, 'file/x.db'))).toThrow(expect.objectContaining({ code: 'store' }))
  })
})

it('a series that is forgotten leaves no row in a sqlite file, unless it has points', async () => {
  const path = fresh()
  const store = open(path)
  const [a, b] = ['a', 'b'].map(pod => ({ pod }))
  const snapshots = [a!, b!].flatMap(labels =>
    ['ewma', 'absence'].map(detector => ({ labels, detector, time: 50, state: new Uint8Array([1]) })),
  )
  const commit = (more: Partial<Run>) => store.commit(sampleRun(more))
  await commit({ snapshots, points: [{ detector: 'ewma', scores: sampleScores([10], b) }] })
  await commit({ forgotten: snapshots.filter(({ detector }) => detector === 'ewma') })
  const rows = () => {
    const db = new DatabaseSync(path, { readOnly: true })
    const all = db
      .prepare('SELECT name FROM series ORDER BY 1')
      .all()
      .map(({ name }) => name)
    const streams = db.prepare('SELECT count(*) AS count FROM streams').get()!.count
    db.close()
    return [...all, streams]
  }
  expect(rows()).toEqual(['{pod="a"}', '{pod="b"}', 3])
  await commit({ forgotten: snapshots })
  expect(rows()).toEqual(['{pod="b"}', 1])
  // It may come back at once, and with the next commit too.
  await commit({ snapshots: snapshots.slice(0, 1) })
  await commit({ snapshots: snapshots.slice(0, 1) })
  expect((await store.snapshots('f')).map(({ labels }) => labels)).toEqual([a])
  expect((await store.points('f', b!, 'ewma', { start: 0, end: 100 }))!.times).toHaveLength(1)
  await store.close()
})

describe('sqlite in hard times', () => {
  it('keeps what it had when its file cannot grow any more', async () => {
    const path = fresh()
    const said = inChild(
      `const store = openSqlite(${JSON.stringify(path)}, { now })
      for (let i = 1; ; i++)
        try { await store.commit(crashStep(i)); await store.addModel(crashModel(i), true) }
        catch (error) {
          const { watermark } = (await store.flow('f')) ?? {}
          console.log(error.code, i, watermark, error.message)
          process.exit()
        }`,
      1000,
    )
    const [, i, watermark] = /^store (\d+) (\d+) .* must be readable and writable/.exec(said) ?? expect.fail(said)
    // Either the commit or the model after it found no room.
    expect([Number(i) - 1, Number(i)]).toContain(Number(watermark))
    expect(await lastStep(path)).toBe(Number(watermark))
  })

  it('loses nothing and keeps no half of a commit when it is killed', async () => {
    const path = fresh()
    let last = 0
    for (let round = 0; round < 20; round++) {
      const acknowledged = await killedAfter(round * 3, path)
      const watermark = await lastStep(path)
      expect(watermark).toBeGreaterThanOrEqual(acknowledged)
      expect(watermark).toBeGreaterThan(last)
      last = watermark
    }
  })

  /** Commits step after step in another process, kills it `ms` after the first, and gives the last step that was acknowledged. */
  async function killedAfter(ms: number, path: string): Promise<number> {
    const code = `const store = openSqlite(${JSON.stringify(path)}, { now })
      let i = (await store.flow('f'))?.watermark ?? 0
      // Killed between a commit and its model: the fit is made again.
      if (i > 0 && ((await store.modelsInForce('f'))[0]?.version ?? 0) < i) await store.addModel(crashModel(i), true)
      for (i++; ; i++) {
        await store.commit(crashStep(i))
        await store.addModel(crashModel(i), true)
        process.stdout.write(i + '\\n')
        await new Promise(setImmediate)
      }`
    const child = spawn(process.execPath, [childFile(code)], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    await new Promise<void>(resolve => {
      child.stdout.on('data', data => {
        if (text === '') setTimeout(() => child.kill('SIGKILL'), ms)
        text += data
      })
      child.on('close', () => resolve())
    })
    return Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1))
  }

  /** Opens the file, checks its steps and its structure, and gives the last step. */
  async function lastStep(path: string): Promise<number> {
    const store = open(path)
    const last = await checkSteps(store)
    await store.close()
    const database = new DatabaseSync(path)
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    expect(database.prepare('PRAGMA foreign_key_check').all()).toEqual([])
    database.close()
    return last
  }
})

/** A program for another process. */
function childFile(code: string): string {
  const file = fresh().replace('.db', '.mts')
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  writeFileSync(
    file,
    `import { openSqlite } from ${url('./sqlite.ts')}
    import { crashModel, crashStep } from ${url('../testing/store-steps.ts')}
    const now = () => 0
    ${code}`,
  )
  return file
}

/** The output of code in another process, whose files cannot grow beyond `blocks` KiB. */
function inChild(code: string, blocks?: number): string {
  const limit = blocks === undefined ? '' : `ulimit -f ${blocks}; `
  const { stdout, stderr } = spawnSync('bash', ['-c', `${limit}exec "$0" "$1"`, process.execPath, childFile(code)], {
    encoding: 'utf8',
  })
  return stdout.trim() || stderr
}

describe('memory and sqlite', () => {
  const labels = [{ job: 'a' }, { job: 'b' }]
  const anomaly = fc.record({
    start: fc.nat(60),
    length: fc.integer({ min: 1, max: 20 }),
    series: fc.nat(1),
    ignored: fc.boolean(),
  })
  const command = fc.record({
    kind: fc.constantFrom(
      'commit',
      'commit',
      'commit',
      'deliver',
      'retry',
      'set aside',
      'skip',
      'abandon',
      'schedule',
      'claim',
      'fail',
      'model',
      'model',
      'restore',
      'withdraw',
      'end channel',
      'drop channel',
      'hasten',
    ),
    flow: fc.constantFrom('f', 'g'),
    start: fc.nat(60),
    length: fc.integer({ min: 1, max: 40 }),
    found: fc.array(anomaly, { maxLength: 4 }),
    ongoing: fc.boolean(),
    silent: fc.boolean(),
    channel: fc.constantFrom('log', 'hook'),
    again: fc.option(fc.nat(50), { nil: undefined }),
  })

  const commitOf = (start: number, length: number, ...starts: number[]) => ({
    kind: 'commit' as const,
    flow: 'f' as const,
    start,
    length,
    found: starts.map(at => ({ start: at - start, length: 2, series: 0, ignored: false })),
    ongoing: false,
    silent: false,
    channel: 'log' as const,
    again: undefined,
  })
  /** The later of two anomalies is found first; then both end in one commit. */
  const WITHDRAWN_TOGETHER = [commitOf(20, 20, 30), commitOf(0, 20, 10), commitOf(0, 40)]

  it('end in the same state after any sequence of runs and deliveries', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 15 }), async commands => {
        const pair = [fromMemory(), open(fresh())]
        try {
          const states = await Promise.all(pair.map(store => play(store, commands)))
          expect(plain(states[1])).toEqual(plain(states[0]))
        } finally {
          for (const store of pair) await store.close()
        }
      }),
      { numRuns: 60, examples: [[WITHDRAWN_TOGETHER]] },
    )
  })

  type Command = Parameters<typeof play>[1][number]
  async function play(
    store: Store,
    commands: readonly {
      kind: string
      flow: string
      start: number
      length: number
      found: { start: number; length: number; series: number; ignored: boolean }[]
      ongoing: boolean
      silent: boolean
      channel: string
      again: number | undefined
    }[],
  ) {
    const answers: unknown[] = []
    for (const [i, command] of commands.entries()) answers.push(await act(store, command, 1000 + i * 10))
    const all = await readAll(store, ['f', 'g'], ['log', 'hook'], labels, 1e6)
    return { answers, all, stats: { ...(await store.stats()), bytes: 0 } }
  }

  async function act(store: Store, { kind, flow, start, length, found, ongoing, silent, channel, again }: Command, at: number) {
    const end = start + length
    if (kind === 'fail') {
      const log = { startedAt: at, finishedAt: at, range: { start, end }, status: 'failed', error: 'x', series: 0 } as const
      return store.fail({ ...log, flow, anomalies: 0, changes: 0, diagnostics: [] })
    }
    if (kind === 'schedule') return store.schedule(found.map(({ series }, i) => ({ flow: series ? 'f' : 'g', at: at + i })))
    if (kind === 'withdraw') return store.withdraw(flow, 'gone', at)
    if (kind === 'end channel') return store.endChannel(channel, 'gone', at)
    if (kind === 'hasten') return store.hasten(channel, at + 5)
    if (kind === 'drop channel') return store.dropChannel(channel, 'gone', at)
    if (kind === 'claim') return store.claim(at, 30)
    const key = { flow, detector: 'lstm', workload: labels[length % 2] }
    if (kind === 'model') {
      const fit = sampleModel({ ...key, createdAt: at, range: { start, end }, state: new Uint8Array([at % 256]) })
      return store.addModel(fit, ongoing)
    }
    if (kind === 'restore') return store.restoreModel(key, (start % 4) + 1, at, end)
    if (kind !== 'commit') {
      const [message] = await store.outbox(channel, at)
      if (!message) return undefined
      const next = again === undefined ? undefined : at + again
      if (kind === 'deliver') await store.delivered(message.id, at, next, ongoing ? flow : undefined)
      else if (kind === 'retry') await store.retry(message.id, at, at + 15, 'busy')
      else if (kind === 'set aside') await store.setAside(message.id, at, next, 'too long')
      else if (kind === 'skip') await store.skip(message.id, at)
      else await store.abandon(message.id, at, 'gone')
      return message
    }
    const anomalies = found
      .map(one => ({ ...one, start: start + (one.start % length) }))
      .map(one => ({ ...one, end: Math.min(one.start + one.length, end) }))
      .map(one =>
        sampleAnomaly({
          labels: labels[one.series],
          start: one.start,
          end: one.end,
          peak: one.start,
          ongoing: ongoing && one.end === end,
          ...(one.ignored ? { ignored: 'at night' } : {}),
        }),
      )
    const times = Array.from({ length }, (_, k) => start + k)
    return store.commit(
      sampleRun({
        flow,
        range: { start, end },
        finishedAt: at,
        anomalies,
        silent,
        watermark: ongoing ? end : NaN,
        channels: silent ? [] : [channel, 'log'],
        snapshots: labels.map(one => ({ labels: one, detector: 'seasonal', time: end, state: new Uint8Array([at % 256]) })),
        forgotten: ongoing ? [] : [{ labels: labels[1], detector: 'seasonal' }],
        points: labels.slice(found.length % 3).map(one => ({ detector: 'seasonal', scores: sampleScores(times, one) })),
        keepPoints: 45,
        workloads: labels.slice(found.length % 2).map(workload => ({ detector: 'lstm', workload })),
      }),
    )
  }

  /** Bytes of a node Buffer and of a plain array compare alike. */
  function plain(state: Awaited<ReturnType<typeof play>>) {
    const snapshots = state.all.snapshots.map(list => list.map(one => ({ ...one, state: [...one.state] })))
    const inForce = state.all.inForce.map(list => list.map(one => ({ ...one, state: [...one.state] })))
    return { ...state, all: { ...state.all, snapshots, inForce } }
  }
})
