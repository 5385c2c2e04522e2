import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { realTerminal, showProgress } from '../../src/cli/terminal.ts'
import { openEntries } from './open-entries.ts'
import { fingerprint, pickDetector } from './pick-detector.ts'
import { YARDSTICKS } from './score-series.ts'
import type { Scored } from './scored.ts'
import { readScored } from './scored.ts'
import type { ScoreTask } from './worker.ts'

/** Raised when the scoring of the bench itself changes. */
const VERSION = 2
const CACHE = resolve(import.meta.dirname, '../../.tidewatch/bench')

/**
 * The scores of every series of a set, by name; undefined when its data is not there. Scores are kept on disk by detector, configuration and code,
 * so that an interrupted run goes on where it was, and a second one is quick.
 */
export async function scoreSet(
  set: string,
  data: string | undefined,
  detector: string,
  jobs = availableParallelism(),
): Promise<ReadonlyMap<string, Scored> | undefined> {
  const entries = await openEntries(set, data)
  if (!entries) return undefined
  const folder = join(CACHE, `${VERSION}-${keyOf(detector)}`, set)
  const tasks = entries.map(
    ({ name }): ScoreTask => ({ set, data, name, detector, file: join(folder, `${name.replaceAll('/', '__')}.f64`) }),
  )
  await runTasks(
    tasks.filter(({ file }) => !existsSync(file)),
    jobs,
    `${set}, ${detector}`,
  )
  const scores = new Map<string, Scored>()
  for (const { name, file } of tasks) scores.set(name, await readScored(file))
  return scores
}

function keyOf(detector: string): string {
  if ((YARDSTICKS as readonly string[]).includes(detector)) return detector
  const choice = pickDetector(detector)
  return `${choice.type.replace(/.*\//, '').replace(/\W/g, '-')}-${fingerprint(choice)}`
}

async function runTasks(tasks: readonly ScoreTask[], jobs: number, what: string): Promise<void> {
  if (tasks.length === 0) return
  const progress = showProgress(realTerminal().err, () => performance.now())
  let next = 0
  let done = 0
  await Promise.all(
    Array.from({ length: Math.min(jobs, tasks.length) }, async () => {
      const worker = new Worker(new URL('./worker.ts', import.meta.url))
      try {
        while (next < tasks.length) {
          const task = tasks[next++]!
          const answer = await ask(worker, task)
          if (answer.error !== undefined) throw new Error(answer.error)
          done++
          progress.say(`${what}: ${bar(done / tasks.length)} ${done} of ${tasks.length}`)
        }
      } finally {
        await worker.terminate()
      }
    }),
  )
  progress.end()
}

function ask(worker: Worker, task: ScoreTask): Promise<{ error?: string }> {
  return new Promise((answered, failed) => {
    worker.once('error', failed)
    worker.once('message', answer => {
      worker.off('error', failed)
      answered(answer)
    })
    worker.postMessage(task)
  })
}

function bar(share: number): string {
  const full = Math.round(share * 20)
  return '█'.repeat(full) + '░'.repeat(20 - full)
}
