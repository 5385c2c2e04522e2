import { existsSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parentPort, threadId } from 'node:worker_threads'
import { measure } from './measure.ts'
import { openEntries } from './open-entries.ts'
import { scoreSeries } from './score-series.ts'
import { readScored, writeScored } from './scored.ts'

/** A series of a set to score with a detector, and the files that keep the scores and what was measured of them. */
export interface ScoreTask {
  readonly set: string
  readonly data: string | undefined
  readonly name: string
  readonly detector: string
  readonly scores: string
  /** Left out where the set is measured as a whole. */
  readonly measured?: string
}

parentPort?.on('message', async (task: ScoreTask) => {
  try {
    await doTask(task)
    parentPort!.postMessage({})
  } catch (error) {
    const { detector, set, name } = task
    parentPort!.postMessage({ error: `${detector} on ${set}/${name}: ${error instanceof Error ? error.message : error}` })
  }
})

/** Of the set that was asked for last. */
let opened: { readonly set: string; readonly entries: ReturnType<typeof openEntries> } | undefined

async function doTask({ set, data, name, detector, scores, measured }: ScoreTask): Promise<void> {
  if (opened?.set !== set) opened = { set, entries: openEntries(set, data) }
  const entry = (await opened.entries)?.find(entry => entry.name === name)
  if (!entry) throw new RangeError(`${set} must have a series ${name}`)
  const series = await entry.load()
  if (!existsSync(scores)) {
    const scored = await scoreSeries(series, detector)
    await writeAtOnce(scores, part => writeScored(part, scored))
  }
  if (measured === undefined) return
  const text = JSON.stringify(measure(series, await readScored(scores)))
  await writeAtOnce(measured, part => writeFile(part, text))
}

/** A file is there whole or not at all. */
async function writeAtOnce(file: string, write: (part: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const part = `${file}.${process.pid}-${threadId}`
  await write(part)
  await rename(part, file)
}
