import { z } from 'zod'
import { DAY, HOUR, MINUTE } from '../../duration.ts'
import { isMeasured } from '../../math/is-measured.ts'
import { median } from '../../math/median.ts'
import { fromZone } from '../../math/zone-offset.ts'
import { duration } from '../../schema.ts'
import { copyState } from '../../state.ts'
import type { Detector, Judgement, State, Stream } from '../detector.ts'
import { fromStream } from '../from-stream.ts'
import type { Offset } from './offset.ts'
import { parseOffset, reachOf, stepBack } from './offset.ts'

/** 8 bytes a bucket: 1.6 MB. */
const MOST_BUCKETS = 200_000
/** A change teaches at most so many limits, until all rows of a day (or of the reach of the offset) were beyond them on one side. */
const CLIP = 4

/** Options of every detector that compares with an earlier time. */
export const baselineOptions = {
  offset: z
    .string()
    .default('wo1w')
    .refine(isOffset, {
      error: ({ input }) => `must be an offset like wo1w, do1d, median4w or mean7d, got ${JSON.stringify(input)}`,
    })
    .describe('the earlier time to compare with: wo1w is one week ago, median4w the median of the last four weeks'),
  timezone: z
    .string()
    .default('UTC')
    .refine(isZone, { error: ({ input }) => `must be an IANA time zone like Europe/Berlin, got ${JSON.stringify(input)}` })
    .describe('IANA zone whose days and weeks are meant, so that noon is compared with noon when clocks change'),
  bucket: duration()
    .optional()
    .describe('earlier values are kept as means of so long, 8 bytes each; default 5m, for months and years 1h'),
}

export interface BaselineConfig {
  readonly offset: string
  readonly timezone: string
  readonly bucket?: number | undefined
}

function isOffset(text: string): boolean {
  try {
    return parseOffset(text).lags.some(({ count }) => count > 0)
  } catch {
    return false
  }
}

function isZone(zone: string): boolean {
  try {
    fromZone(zone)
    return true
  } catch {
    return false
  }
}

const offsetBucket = ({ lags }: Offset) => (lags.some(({ unit }) => unit === 'month') ? HOUR : 5 * MINUTE)

/** Raises an issue when the buckets of the offset would need too much memory. */
export function checkBuckets({ offset, bucket }: BaselineConfig, context: z.core.$RefinementCtx): void {
  if (!isOffset(offset)) return
  const parsed = parseOffset(offset)
  const size = bucketCount(parsed, bucket ?? offsetBucket(parsed))
  if (!(size <= MOST_BUCKETS))
    context.addIssue({
      code: 'custom',
      path: ['bucket'],
      message: `must be long enough to keep ${offset} in ${MOST_BUCKETS} buckets, got ${size} buckets`,
    })
}

const bucketCount = (offset: Offset, bucket: number) => Math.ceil((reachOf(offset) + HOUR) / bucket) + 2

interface Memory extends Record<string, unknown> {
  version: 1
  /** Means of the buckets of local time, by number modulo the size; NaN where unknown. */
  means: Float64Array
  /** Number of the newest bucket in `means`, and of the one being filled. */
  newest: number
  bucket: number
  sum: number
  rows: number
  /** Since when all rows were clipped on one side (epoch ms), and that side; NaN and 0 when the last was not. */
  since: number
  side: number
}

/**
 * A detector that compares each row with the mean of the bucket at the same local time at each lag, put together (ThirdEye, baseline offsets).
 * The score is the change in limits, which `limitAt` says in the unit of the metric: 1 is the limit. Rows whose earlier times are all
 * unknown are undecided. Local times that come twice when clocks go back are averaged; those that never come have no baseline.
 */
export function compareWithBaseline(config: BaselineConfig, limitAt: (expected: number, value: number) => number): Detector {
  const offset = parseOffset(config.offset)
  return fromStream({ lookback: reachOf(offset), open: snapshot => openBaseline(config, offset, limitAt, snapshot) })
}

function openBaseline(
  { timezone, bucket }: BaselineConfig,
  offset: Offset,
  limitAt: (expected: number, value: number) => number,
  snapshot?: State,
): Stream {
  const width = bucket ?? offsetBucket(offset)
  const size = bucketCount(offset, width)
  // Hours are elapsed time, on which no clock change tells.
  const offsetAt = offset.lags.every(({ unit }) => unit === 'hour') ? () => 0 : fromZone(timezone)
  const m: Memory =
    snapshot?.version === 1
      ? (copyState(snapshot) as unknown as Memory)
      : { version: 1, means: new Float64Array(size).fill(NaN), newest: NaN, bucket: NaN, sum: 0, rows: 0, since: NaN, side: 0 }
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  const patience = Math.min(DAY, reachOf(offset))
  const seen = new Float64Array(offset.lags.length)
  let cachedBucket = NaN
  let cached = NaN

  const wrap = (number: number) => ((number % size) + size) % size
  const numberAt = (time: number) => Math.floor((time + offsetAt(time)) / width)

  /** Of closed buckets only, so that a row does not depend on how full a bucket is. */
  function meanOf(number: number): number {
    return number <= m.newest && number > m.newest - size ? m.means[wrap(number)] : NaN
  }

  function expect(number: number): number {
    if (number === cachedBucket) return cached
    let known = 0
    for (const lag of offset.lags) {
      const mean = meanOf(Math.floor((stepBack(number * width, lag) + width / 2) / width))
      if (!Number.isNaN(mean)) seen[known++] = mean
    }
    cachedBucket = number
    cached = known === 0 ? NaN : aggregate(offset.aggregate, seen.subarray(0, known))
    return cached
  }

  function close(): void {
    const mean = m.sum / m.rows
    if (m.bucket <= m.newest) {
      // Inside the hour that clocks give twice.
      const at = wrap(m.bucket)
      if (m.bucket > m.newest - size) m.means[at] = Number.isNaN(m.means[at]) ? mean : (m.means[at] + mean) / 2
      return
    }
    if (m.bucket - m.newest >= size) m.means.fill(NaN)
    else for (let number = m.newest + 1; number < m.bucket; number++) m.means[wrap(number)] = NaN
    m.means[wrap(m.bucket)] = mean
    m.newest = m.bucket
  }

  return {
    score(time, row) {
      const x = row[0]
      judgement.value = x
      judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
      const expected = expect(numberAt(time))
      if (Number.isNaN(expected)) return judgement
      const margin = limitAt(expected, expected)
      judgement.expected = expected
      judgement.lower = expected - margin
      judgement.upper = expected + margin
      if (isMeasured(x)) judgement.score = Math.abs(x - expected) / limitAt(expected, x)
      return judgement
    },
    learn(time, row) {
      const x = row[0]
      if (!isMeasured(x)) return
      const number = numberAt(time)
      const expected = expect(number)
      if (number !== m.bucket) {
        if (m.rows > 0) close()
        m.bucket = number
        m.sum = 0
        m.rows = 0
        cachedBucket = NaN
      }
      // An incident must not be next week's baseline in full height.
      const most = CLIP * limitAt(expected, x)
      const side = x > expected + most ? 1 : x < expected - most ? -1 : 0
      if (side !== m.side) m.since = side === 0 ? NaN : time
      m.side = side
      m.sum += side === 0 || time - m.since >= patience ? x : expected + side * most
      m.rows++
    },
    snapshot: () => copyState(m) as unknown as State,
  }
}

function aggregate(how: Offset['aggregate'], values: Float64Array): number {
  if (how === 'median') return median(values)
  if (how === 'mean') return values.reduce((sum, value) => sum + value, 0) / values.length
  return how === 'min' ? Math.min(...values) : Math.max(...values)
}
