import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSqlite } from '../src/stores/sqlite.ts'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'tidewatch-start-'))
/** Accepts everything and answers nothing; also the port that is taken. */
const silent = createServer(() => {})
const kills: (() => void)[] = []
let silentPort: number

beforeAll(async () => {
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  silentPort = (silent.address() as AddressInfo).port
  writeFileSync(join(folder, 'data.csv'), 'timestamp,value\n1000,1\n')
})
afterAll(() => {
  for (const kill of kills) kill()
  silent.closeAllConnections()
  silent.close()
  rmSync(folder, { recursive: true, force: true })
})

let files = 0
function configuration({ port = 0, store = `{ type: sqlite, path: '${files}.db' }`, source = '{ type: csv, path: data.csv }' }) {
  const file = join(folder, `${files++}.yaml`)
  writeFileSync(
    file,
    `
sources: { data: ${source} }
store: ${store}
server: { listen: '127.0.0.1:${port}' }
flows:
  - { name: first, every: 1s, query: { expr: value, step: 1s } }
`,
  )
  return file
}

interface Process {
  readonly kill: (signal: NodeJS.Signals) => void
  readonly log: () => string
  /** Resolves when a line is in the log. */
  readonly says: (line: RegExp) => Promise<void>
  readonly ended: Promise<{ readonly code: number | null; readonly log: string }>
}

function start(command: string, args: readonly string[]): Process {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  kills.push(() => child.kill('SIGKILL'))
  let log = ''
  let heard = Promise.withResolvers<void>()
  child.stderr.on('data', chunk => {
    log += chunk
    heard.resolve()
    heard = Promise.withResolvers()
  })
  const ended = new Promise<{ code: number | null; log: string }>(resolve => {
    child.once('close', code => {
      resolve({ code, log })
      heard.resolve()
    })
  })
  return {
    kill: signal => child.kill(signal),
    log: () => log,
    async says(line) {
      while (!line.test(log)) {
        if (child.exitCode !== null) throw new Error(`the log must say ${line}, got the end: ${log}`)
        await heard.promise
      }
    },
    ended,
  }
}
const main = join(root, 'src/cli/main.ts')
const serve = (file: string, node: readonly string[] = []) => start(process.execPath, [...node, main, 'serve', '--config', file])

/** A store that was closed well, with all pages behind the header overwritten. */
async function damageStore(path: string): Promise<void> {
  const store = openSqlite(path, { now: () => 0 })
  await store.schedule([{ flow: 'first', at: 0 }])
  await store.close()
  const bytes = readFileSync(path)
  writeFileSync(path, Buffer.concat([bytes.subarray(0, 1024), Buffer.alloc(bytes.length - 1024, 0xaa)]))
}

describe('a start that fails', () => {
  const noThreads = () => {
    const file = join(folder, 'no-threads.cjs')
    writeFileSync(file, `if (!require('node:worker_threads').isMainThread) throw new Error('no more threads')`)
    return ['--require', file]
  }
  const cases: readonly (readonly [why: string, run: () => Process | Promise<Process>, message: RegExp])[] = [
    [
      'because its port is taken',
      () => serve(configuration({ port: silentPort })),
      /server\.listen must be a free address of this machine, got 127\.0\.0\.1:\d+: listen EADDRINUSE/,
    ],
    [
      'because its store is no database',
      () => {
        writeFileSync(join(folder, 'notes.db'), 'precious notes, not a database at all\n'.repeat(300))
        return serve(configuration({ store: '{ type: sqlite, path: notes.db }' }))
      },
      /notes\.db must be a store of Tidewatch/,
    ],
    [
      'because its store is damaged',
      async () => {
        await damageStore(join(folder, 'damaged.db'))
        return serve(configuration({ store: '{ type: sqlite, path: damaged.db }' }))
      },
      /damaged\.db must be .*got/,
    ],
    [
      'because the folder of its store is a file',
      () => serve(configuration({ store: '{ type: sqlite, path: data.csv/x.db }' })),
      /x\.db must be writable, got/,
    ],
    [
      'because its store is a folder',
      () => {
        mkdirSync(join(folder, 'folder.db'))
        return serve(configuration({ store: '{ type: sqlite, path: folder.db }' }))
      },
      /folder\.db must be a file that can be opened/,
    ],
    [
      'because the disk is full',
      () => {
        const command = `ulimit -f 8; exec "$0" "$@"`
        return start('bash', ['-c', command, process.execPath, main, 'serve', '--config', configuration({})])
      },
      /\.db must (have room to grow|be readable and writable), got/,
    ],
    [
      'because no thread can be started',
      () => serve(configuration({}), noThreads()),
      /worker threads must start, got no more threads/,
    ],
    [
      'of the demo because its port is taken',
      () => start(process.execPath, [main, 'demo', '--listen', `127.0.0.1:${silentPort}`]),
      /server\.listen must be a free address/,
    ],
  ]
  for (const [why, run, message] of cases)
    it(`${why} prints one message and ends with 1`, async () => {
      const { code, log } = await (await run()).ended
      expect(log).toMatch(message)
      expect(log.trim().split('\n')).toHaveLength(1)
      expect(code).toBe(1)
    })
})

describe('a stop', () => {
  it('while it starts ends with 0', async () => {
    const child = serve(configuration({}), ['--require', signalWhenThreadsStart('SIGTERM')])
    const { code, log } = await child.ended
    expect(log).toMatch(/stopping\n$/)
    expect(log).not.toMatch(/page and API on/)
    expect(code).toBe(0)
  })

  it('is none when a reload is asked for while it starts', async () => {
    const child = serve(configuration({}), ['--require', signalWhenThreadsStart('SIGHUP')])
    await child.says(/configuration reloaded/)
    child.kill('SIGTERM')
    expect((await child.ended).code).toBe(0)
  })

  it('does not wait for a source that hangs', async () => {
    const child = serve(configuration({ source: `{ type: prometheus, url: 'http://127.0.0.1:${silentPort}' }` }))
    const asked = new Promise(resolve => silent.once('request', resolve))
    await child.says(/page and API on/)
    await asked
    child.kill('SIGTERM')
    const { code, log } = await child.ended
    expect(log).not.toMatch(/stopped at once/)
    expect(code).toBe(0)
  })

  it('of an error that nobody caught is one message and 1', async () => {
    const file = join(folder, 'reject.cjs')
    writeFileSync(
      file,
      `if (require('node:worker_threads').isMainThread) process.on('SIGUSR2', () => Promise.reject(new Error('oops')))`,
    )
    const child = serve(configuration({}), ['--require', file])
    await child.says(/page and API on/)
    child.kill('SIGUSR2')
    const { code, log } = await child.ended
    expect(log).toMatch(/tidewatch: ended by an error that nobody expected: Error: oops/)
    expect(code).toBe(1)
  })

  /** Sends the process a signal as soon as its first thread starts, which is in the middle of the start. */
  function signalWhenThreadsStart(signal: NodeJS.Signals) {
    const file = join(folder, `${signal}.cjs`)
    const isFirst = `require('node:fs').mkdirSync(${JSON.stringify(`${file}.sent`)}, { recursive: true }) !== undefined`
    writeFileSync(file, `if (!require('node:worker_threads').isMainThread && ${isFirst}) process.kill(process.pid, '${signal}')`)
    return file
  }
})
