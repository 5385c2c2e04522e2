import { serialize } from 'node:v8'
import type { Model, Stream } from '../src/detectors/detector.ts'
import { makeTides } from './characterising/tides.ts'
import { makeDetector, pickDetector } from './scoring/pick-detector.ts'

/** Rows that are there when a model is fitted. */
export const ROWS = 4096
/** Rows that are then judged and timed, in parts of which the fastest counts. */
const JUDGED = 2000
const PARTS = 4
/** Fits of which the fastest counts. */
const FITS = 3
const STEP = 60_000

export interface ModelCost {
  /** Seconds of processor time of one fit, from nothing; undefined for what learns as it goes. */
  readonly fit?: number
  /** µs of processor time for a row, scored and learned. */
  readonly row: number
  /** Bytes of all that is kept: the stream and its model. */
  readonly bytes: number
}

/** What a detector costs on rows of so many columns that move together. */
export async function measureModelCost(choice: string, width: number): Promise<ModelCost> {
  const { open, fit } = await makeDetector(pickDetector(choice), width)
  if (!open) throw new RangeError(`${choice} must be a stream to be measured`)
  const length = { step: STEP, length: (ROWS + JUDGED) * STEP, train: ROWS * STEP }
  const { times, columns } = makeTides('heavy', 1, { width, tidal: true }, length)
  const row = new Float64Array(width)
  const stream = open(undefined, fit ? { tried: NaN } : undefined)
  for (let i = 0; i < ROWS; i++) stream.learn(times[i], rowOf(i))
  if (!fit) return timeRows(stream)
  const snapshot = stream.snapshot()
  let seconds = Infinity
  let model: Model | undefined
  for (let k = 0; k < FITS; k++) {
    const start = process.cpuUsage()
    const fitting = fit(snapshot)
    let next = fitting.next()
    while (!next.done) next = fitting.next()
    seconds = Math.min(seconds, secondsSince(start))
    if (!next.value) throw new RangeError(`${choice} must fit ${ROWS} rows`)
    model = { version: 1, state: next.value.state }
  }
  const judging = open(snapshot, { model: model!, tried: times[ROWS - 1] })
  const { row: each, bytes } = timeRows(judging)
  return { fit: seconds, row: each, bytes: bytes + serialize(model!.state).length }

  function rowOf(i: number): Float64Array {
    for (let c = 0; c < width; c++) row[c] = columns[c][i]
    return row
  }

  function timeRows(stream: Stream): { row: number; bytes: number } {
    const size = JUDGED / PARTS
    let best = Infinity
    for (let part = 0; part < PARTS; part++) {
      const from = process.cpuUsage()
      for (let i = ROWS + part * size; i < ROWS + (part + 1) * size; i++) {
        stream.score(times[i], rowOf(i))
        stream.learn(times[i], row)
      }
      best = Math.min(best, secondsSince(from))
    }
    return { row: (best / size) * 1e6, bytes: serialize(stream.snapshot()).length }
  }
}

function secondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1e6
}
