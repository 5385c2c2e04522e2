import { mkdir, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parentPort, threadId } from 'node:worker_threads'
import { openEntries } from './open-entries.ts'
import { scoreSeries } from './score-series.ts'
import { writeScored } from './scored.ts'

/** A series of a set to score with a detector, and the file that keeps the scores. */
export interface ScoreTask {
  readonly set: string
  readonly data: string | undefined
  readonly name: string
  readonly detector: string
  readonly file: string
}

parentPort?.on('message', async ({ set, data, name, detector, file }: ScoreTask) => {
  try {
    const entry = (await openEntries(set, data))?.find(entry => entry.name === name)
    if (!entry) throw new RangeError(`${set} must have a series ${name}`)
    const scored = await scoreSeries(await entry.load(), detector)
    await mkdir(dirname(file), { recursive: true })
    const part = `${file}.${process.pid}-${threadId}`
    await writeScored(part, scored)
    await rename(part, file)
    parentPort!.postMessage({})
  } catch (error) {
    parentPort!.postMessage({ error: `${detector} on ${set}/${name}: ${error instanceof Error ? error.message : error}` })
  }
})
