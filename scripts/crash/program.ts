import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

const SECOND = 1000
/** Longest time that a start may take, on a machine with a load of ten times its cores too. */
const START_TIME = 180 * SECOND

export interface ProgramParts {
  /** The configuration. */
  readonly file: string
  readonly port: number
  /** File whose number the clock is off by. */
  readonly clock: string
  /** File that gets what it logs. */
  readonly log: string
}

/** The program under test: `tidewatch serve` in a process of its own, with a clock that can be moved. */
export function openProgram({ file, port, clock, log }: ProgramParts) {
  let child: ChildProcess | undefined
  let output = ''
  const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)
  const program = {
    starts: 0,
    /** How long (ms) the last start took that was waited for. */
    startTook: 0,
    ask,
    spawn() {
      program.starts++
      output = ''
      const main = resolve(import.meta.dirname, '../../src/cli/main.ts')
      const clockModule = pathToFileURL(resolve(import.meta.dirname, 'jumping-clock.ts')).href
      child = spawn(process.execPath, ['--import', clockModule, main, 'serve', '--config', file], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, CRASH_CLOCK: clock },
      })
      child.stderr!.on('data', chunk => {
        output = (output + chunk).slice(-4000)
        appendFileSync(log, chunk)
      })
    },
    /** Resolves when it is ready. One that ends because its store is locked is started again, as a supervisor would. */
    async start() {
      const begun = performance.now()
      const limit = begun + START_TIME
      program.spawn()
      while (performance.now() < limit) {
        if (child!.signalCode !== null) throw new Error(`the server must start, got killed by ${child!.signalCode}`)
        if (child!.exitCode !== null) {
          if (!/locked/.test(output)) throw new Error(`the server must start, got exit code ${child!.exitCode}: ${output}`)
          program.spawn()
        }
        if ((await ask('/-/ready').catch(() => undefined))?.ok) {
          program.startTook = performance.now() - begun
          return
        }
        await wait(50)
      }
      throw new Error(`the server must be ready within ${START_TIME / SECOND} s, got: ${output}`)
    },
    async kill(signal: NodeJS.Signals) {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise(done => child!.once('exit', done))
      child.kill(signal)
      await gone
    },
  }
  return program
}
