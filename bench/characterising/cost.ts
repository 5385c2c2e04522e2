import { serialize } from 'node:v8'
import type { Detector } from '../../src/detectors/detector.ts'
import { MINUTE, WEEK } from '../../src/duration.ts'
import { makeTides } from './tides.ts'

/** Rows after which a stream is weighed: four weeks at one minute. */
export const ROWS = (4 * WEEK) / MINUTE
/** ms above which a pass is not repeated. */
const SLOW = 1000

export interface Cost {
  /** Columns of a row. */
  readonly width: number
  /** µs of processor time for a row, scored and learned; best of up to three passes over four weeks at one minute. */
  readonly time: number
  /** Bytes of a snapshot behind the last row. */
  readonly bytes: number
}

export function measureCost(open: NonNullable<Detector['open']>, width: number): Cost {
  const length = { step: MINUTE, length: 4 * WEEK, train: 2 * WEEK }
  const { times, columns } = makeTides('heavy', 1, { width, tidal: true }, length)
  let best = Infinity
  let bytes = NaN
  for (let pass = 0; pass < 3; pass++) {
    const stream = open()
    const row = new Float64Array(width)
    const start = process.cpuUsage()
    for (let i = 0; i < times.length; i++) {
      for (let c = 0; c < width; c++) row[c] = columns[c][i]
      stream.score(times[i], row)
      stream.learn(times[i], row)
    }
    const { user, system } = process.cpuUsage(start)
    best = Math.min(best, (user + system) / 1000)
    bytes = serialize(stream.snapshot()).length
    if (best > SLOW) break
  }
  return { width, time: (1000 * best) / times.length, bytes }
}
