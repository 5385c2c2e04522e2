import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { encodeState } from '../pipeline/state.ts'
import { openSqlite } from '../stores/sqlite.ts'
import { capture } from '../testing/capture.ts'
import { sampleAnomaly, sampleModel, sampleRun, sampleScores } from '../testing/store-laws.ts'
import { main } from './main.ts'

const root = mkdtempSync(join(tmpdir(), 'tidewatch-copies-'))
afterAll(() => rmSync(root, { recursive: true }))
let folder: string
let store: string
let backup: string
let rounds = 0
const now = () => 0
const { labels } = sampleAnomaly()

async function run(...argv: string[]) {
  const terminal = capture()
  const code = await main(argv, terminal)
  return { code, out: terminal.outText(), err: terminal.errText() }
}

const fill = (flow: string) =>
  sampleRun({
    flow,
    anomalies: [sampleAnomaly()],
    snapshots: [{ labels, detector: 'a', time: 50, state: encodeState({ version: 1 }) }],
    points: [{ detector: 'a', scores: sampleScores([10, 20, 30]) }],
  })

beforeEach(async () => {
  folder = mkdtempSync(join(root, `${rounds++}-`))
  store = join(folder, 'tidewatch.db')
  backup = join(folder, 'copy.db')
  const opened = openSqlite(store, { now })
  await opened.commit(fill('first'))
  await opened.addModel(sampleModel({ state: encodeState({ version: 1 }) }), true)
  await opened.close()
})

const flowsOf = async (path: string) => {
  const opened = openSqlite(path, { now, readOnly: true })
  try {
    return (await opened.anomalies()).map(({ flow }) => flow).sort()
  } finally {
    await opened.close()
  }
}

describe('a backup', () => {
  it('is what was stored at one moment, while a process goes on writing', async () => {
    const opened = openSqlite(store, { now })
    await opened.commit(fill('second'))
    expect(await run('backup', backup, '--store', store)).toMatchObject({ code: 0, err: '' })
    await opened.commit(fill('third'))
    await opened.close()
    expect(await flowsOf(backup)).toEqual(['first', 'second'])
    expect(readdirSync(folder).filter(name => name.includes('partial'))).toEqual([])
  })

  it('has a whole number of commits of a process that writes all the time', async () => {
    const busy = join(folder, 'busy.db')
    const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
    const program = join(folder, 'busy.mts')
    writeFileSync(
      program,
      `import { openSqlite } from ${url('../stores/sqlite.ts')}
      import { crashModel, crashStep } from ${url('../testing/store-steps.ts')}
      const store = openSqlite(${JSON.stringify(busy)}, { now: () => 0 })
      for (let i = 1; ; i++) {
        await store.commit(crashStep(i))
        await store.addModel(crashModel(i), true)
        process.stdout.write(i + '\\n')
        await new Promise(setImmediate)
      }`,
    )
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    const { code } = await run('backup', backup, '--store', busy)
    child.kill('SIGKILL')
    await once(child, 'close')
    expect(code).toBe(0)
    const { checkSteps } = await import('../testing/store-steps.ts')
    const copy = openSqlite(backup, { now })
    expect(await checkSteps(copy)).toBeGreaterThan(0)
    await copy.close()
  })

  it('finds the store by the configuration', async () => {
    const file = join(folder, 'tidewatch.yaml')
    const flow = '{ name: a, query: { source: prom, expr: up } }'
    writeFileSync(file, `sources: { prom: { type: prometheus, url: 'http://127.0.0.1:1' } }\nflows: [${flow}]\n`)
    expect(await run('backup', backup, '--config', file)).toMatchObject({ code: 0, err: '' })
    expect(await flowsOf(backup)).toEqual(['first'])
  })

  it('overwrites nothing, and leaves nothing behind when it fails', async () => {
    writeFileSync(backup, 'precious')
    expect((await run('backup', backup, '--store', store)).err).toContain(`${backup} must not exist before the backup`)
    expect(readFileSync(backup, 'utf8')).toBe('precious')
    const gone = join(folder, 'gone.db')
    expect((await run('backup', join(folder, 'b.db'), '--store', gone)).err).toContain(`${gone} must exist to be backed up`)
    truncateSync(store, Math.floor(statSync(store).size / 8192) * 4096)
    expect((await run('backup', join(folder, 'c.db'), '--store', store)).code).toBe(1)
    expect(readdirSync(folder).filter(name => /partial|^[bc]\.db/.test(name))).toEqual([])
  })
})

describe('a restore', () => {
  it('puts the backup in the place of the store and keeps what was there', async () => {
    await run('backup', backup, '--store', store)
    const opened = openSqlite(store, { now })
    await opened.commit(fill('later'))
    await opened.close()
    const { code, out } = await run('restore', backup, '--store', store)
    expect(code).toBe(0)
    expect(await flowsOf(store)).toEqual(['first'])
    const aside = readdirSync(folder).find(name => name.startsWith('tidewatch.db.before-restore-'))!
    expect(out).toContain(aside)
    expect(await flowsOf(join(folder, aside))).toEqual(['first', 'later'])
  })

  it('takes no leftover of the old store for a part of the new one', async () => {
    await run('backup', backup, '--store', store)
    // What a killed process leaves: rows that are in the file beside the store only.
    const killed = new DatabaseSync(store)
    killed.exec("UPDATE flows SET name = 'in the log only'")
    const log = readFileSync(`${store}-wal`)
    killed.close()
    writeFileSync(`${store}-wal`, log)
    expect((await run('restore', backup, '--store', store)).code).toBe(0)
    const opened = openSqlite(store, { now })
    expect((await opened.flow('first'))?.flow).toBe('first')
    await opened.close()
  })

  it('refuses while a process holds the store', async () => {
    await run('backup', backup, '--store', store)
    const opened = openSqlite(store, { now })
    const { code, err } = await run('restore', backup, '--store', store)
    expect([code, err]).toEqual([1, expect.stringContaining(`got process ${process.pid} that holds it already`)])
    await opened.commit(fill('second'))
    await opened.close()
    expect(await flowsOf(store)).toEqual(['first', 'second'])
  })

  it('refuses what is no backup, newer or damaged, and leaves the store as it is', async () => {
    const before = readFileSync(store)
    const refused = async (message: string) => {
      const { code, err } = await run('restore', backup, '--store', store)
      expect([code, err]).toEqual([1, expect.stringContaining(message)])
      expect(readFileSync(store).equals(before)).toBe(true)
      rmSync(backup, { force: true })
    }
    await refused('must exist to be restored')
    writeFileSync(backup, 'notes\n'.repeat(1000))
    await refused('must be')
    await run('backup', backup, '--store', store)
    const newer = new DatabaseSync(backup)
    newer.exec('INSERT INTO migrations VALUES (99, 0)')
    newer.close()
    await refused('of a newer Tidewatch')
    await run('backup', backup, '--store', store)
    const bytes = readFileSync(backup)
    writeFileSync(backup, bytes.fill(0x5a, 4096 * 8, 4096 * 12))
    await refused('must')
  })

  it('needs no store to be there before', async () => {
    await run('backup', backup, '--store', store)
    const fresh = join(folder, 'fresh.db')
    expect((await run('restore', backup, '--store', fresh)).code).toBe(0)
    expect(await flowsOf(fresh)).toEqual(['first'])
    expect(existsSync(backup)).toBe(true)
  })
})

describe('check store', () => {
  it('says what is there', async () => {
    expect(await run('check', 'store', '--store', store)).toEqual({
      code: 0,
      err: '',
      out: expect.stringMatching(/OK .*: structure and \d+ rows\n/),
    })
  })

  it('names what cannot be read, and fails', async () => {
    const db = new DatabaseSync(store)
    db.exec(
      "UPDATE anomalies SET body = '{'; UPDATE snapshots SET state = x'00'; UPDATE points SET body = x'0100'; UPDATE models SET state = x'01'",
    )
    db.close()
    const { code, out, err } = await run('check', 'store', '--store', store)
    expect(code).toBe(1)
    expect(out.split('\n').map(line => line.split(' ')[0])).toEqual(['anomaly', 'points', 'snapshot', 'model', ''])
    expect(err).toContain('must be whole, got the faults above')
  })

  it('names faults of the structure', async () => {
    const bytes = readFileSync(store)
    writeFileSync(store, bytes.fill(0x5a, bytes.length - 8192))
    const { code, out, err } = await run('check', 'store', '--store', store)
    expect(code).toBe(1)
    expect(out + err).toMatch(/structure|must be whole/)
  })
})
