import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { showProgress } from '../../src/cli/terminal.ts'
import type { Measured } from './measure.ts'
import { openEntries } from './open-entries.ts'
import { fingerprint, fingerprintModules, pickDetector } from './pick-detector.ts'
import { YARDSTICKS } from './score-series.ts'
import type { Scored } from './scored.ts'
import { readScored } from './scored.ts'
import type { ScoreTask } from './worker.ts'

/** Raised when the way in which the bench feeds detectors changes. */
const VERSION = 4
/** Made series are known by the code that makes them. */
const GENERATOR = resolve(import.meta.dirname, '../data/synthetic.ts')
const CACHE = resolve(import.meta.dirname, '../../.tidewatch/bench')

/**
 * The scores of every series of a set, by name; undefined when its data is not there. Scores are kept on disk by detector, configuration and code,
 * so that an interrupted run goes on where it was, and a second one is quick.
 */
export async function scoreSet(
  set: string,
  data: string | undefined,
  detector: string,
  jobs?: number,
): Promise<ReadonlyMap<string, Scored> | undefined> {
  const tasks = await listTasks(set, data, detector)
  if (!tasks) return undefined
  await runTasks(
    tasks.filter(({ scores }) => !existsSync(scores)),
    jobs,
    `${set}, ${detector}`,
  )
  const all = new Map<string, Scored>()
  for (const { name, scores } of tasks) all.set(name, await readScored(scores))
  await forgetIfChanged(set, data, detector, tasks)
  return all
}

/** What is measured of a detector on every series of a set, by name; kept on disk likewise. */
export async function measureSet(
  set: string,
  data: string | undefined,
  detector: string,
  jobs?: number,
): Promise<ReadonlyMap<string, Measured> | undefined> {
  const key = fingerprintModules([join(import.meta.dirname, 'measure.ts')])
  const tasks = (await listTasks(set, data, detector))?.map(task => ({
    ...task,
    measured: task.scores.replace(/\.f64$/, `.${key}.json`),
  }))
  if (!tasks) return undefined
  await runTasks(
    tasks.filter(({ measured }) => !existsSync(measured)),
    jobs,
    `${set}, ${detector}`,
  )
  const all = new Map<string, Measured>()
  for (const { name, measured } of tasks) all.set(name, JSON.parse(await readFile(measured, 'utf8')))
  await forgetIfChanged(set, data, detector, tasks)
  return all
}

async function listTasks(set: string, data: string | undefined, detector: string): Promise<ScoreTask[] | undefined> {
  const entries = await openEntries(set, data)
  const made = set === 'synthetic' ? `-${fingerprintModules([GENERATOR])}` : ''
  const folder = join(CACHE, `${VERSION}-${keyOf(detector)}`, `${set}${made}`)
  return entries?.map(({ name }) => ({
    set,
    data,
    name,
    detector,
    scores: join(folder, `${name.replaceAll(/\W/g, '-')}.f64`),
  }))
}

/** Scores of a detector whose code changed meanwhile are of no code in particular. */
async function forgetIfChanged(
  set: string,
  data: string | undefined,
  detector: string,
  tasks: readonly ScoreTask[],
): Promise<void> {
  const now = await listTasks(set, data, detector)
  if (now?.[0]?.scores === tasks[0]?.scores) return
  console.error(`${set}: the code of ${detector} changed while it was measured, so these figures are of a mixture`)
  for (const { scores, measured } of tasks) await Promise.all([scores, measured].map(file => file && rm(file, { force: true })))
}

function keyOf(detector: string): string {
  if ((YARDSTICKS as readonly string[]).includes(detector)) return detector
  const choice = pickDetector(detector)
  return `${choice.type.replace(/.*\//, '').replace(/\W/g, '-')}-${fingerprint(choice)}`
}

async function runTasks(tasks: readonly ScoreTask[], jobs = availableParallelism(), what: string): Promise<void> {
  if (tasks.length === 0) return
  const progress = showProgress(process.stderr, () => performance.now())
  let next = 0
  let done = 0
  await Promise.all(
    Array.from({ length: Math.min(jobs, tasks.length) }, async () => {
      const worker = new Worker(new URL('./worker.ts', import.meta.url))
      try {
        while (next < tasks.length) {
          const answer = await ask(worker, tasks[next++]!)
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
