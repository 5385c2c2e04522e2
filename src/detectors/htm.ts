import { z } from 'zod'
import { isZone } from '../calendars/wall-time.ts'
import { component } from '../component.ts'
import { DAY } from '../duration.ts'
import { clamp } from '../math/clamp.ts'
import { isMeasured } from '../math/is-measured.ts'
import { seededRandom } from '../math/random.ts'
import { fromZone } from '../math/zone-offset.ts'
import {
  type AnomalyLikelihood,
  type AnomalyLikelihoodState,
  logLikelihood,
  openAnomalyLikelihood,
} from '../models/htm/anomaly-likelihood.ts'
import {
  type BacktrackingTemporalMemory,
  type BacktrackingTemporalMemoryState,
  openBacktrackingTemporalMemory,
} from '../models/htm/backtracking-temporal-memory.ts'
import { buildDateEncoder } from '../models/htm/date-encoder.ts'
import { buildMultiFieldEncoder } from '../models/htm/multi-field-encoder.ts'
import { openSpatialPooler, type SpatialPooler, type SpatialPoolerState } from '../models/htm/spatial-pooler.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'
import { type NextValues, type NextValuesState, openNextValues } from './htm/next-values.ts'
import { openRangeRule, type Range, type RangeRuleState } from './htm-range-rule.ts'

const config = z.strictObject({
  columns: z.int().min(64).max(8192).default(2048).describe('columns of the region; 2 % of them are active at a time'),
  cells: z.int().min(2).max(64).default(32).describe('cells in a column: how many pasts of one input are told apart'),
  segments: z.int().min(100).max(200_000).default(40_000).describe('segments in all; the weakest of them make room for new ones'),
  warmup: z
    .int()
    .min(50)
    .max(5000)
    .default(125)
    .describe('rows before the first score; twice as many give the range of the encoder'),
  steps: z
    .number()
    .min(2)
    .max(200)
    .default(20)
    .describe('the range of the first rows in steps of the encoder: more of them see smaller differences, and more noise'),
  calm: z.int().min(0).max(10_000).default(30).describe('rows after a red one whose alarm stays below it'),
  timezone: z
    .string()
    .default('UTC')
    .refine(isZone, 'must be an IANA time zone like Europe/Berlin')
    .describe('where people live by the clock: the time of day is an input'),
  seed: z.int().min(0).max(4_294_967_295).default(1).describe('of the random wiring'),
})
type Config = z.output<typeof config>

/** A log likelihood is at most 1; times this, it stands beside scores in standard deviations. */
const UNIT = 10
/** Likelihood 0.99999. */
const RED = 5
const YELLOW = 3
/** A score fades by this, row by row; an alarm does not last. */
const FADE = 0.9
/** The bits of a row, at most: one column has the 400 and the time the 54 of the Numenta Anomaly Benchmark. */
const VALUE_BITS = { size: 1446, buckets: 600 }
/** Several columns have fewer buckets each, but at least so many: building takes the square of them. */
const LEAST_BUCKETS = 150
const TIME_BITS = { size: 54, active: 21 }
/** After so many missing rows the next is no surprise, whatever it is. */
const HELD = 2
/** Rows from which a region starts anew. */
const REMEMBERED = 1000
/** Rows between looks at whether the encoder still sees the range. */
const LOOK = 500
/** Ranges, in that of the encoder, that it does not see well: it has buckets for some thirty times its own, and steps of a twentieth. */
const WIDE = 15
const NARROW = 1 / 15

/**
 * Hierarchical temporal memory, one region of it (Hawkins & Ahmad 2016; Ahmad, Lavin, Purdy & Agha 2017): value and time of day become sparse
 * bits, a spatial pooler makes active columns of them, and a temporal memory with backtracking predicts the next ones. The share that was not
 * predicted is judged by its own recent distribution; 10 is the most, 5 a likelihood of 0.99999. Beside it stands the range rule of the Numenta
 * Anomaly Benchmark: a value 5 % outside the range of the last rows scores from 10 to 20. `score` fades by a tenth a row, `alarm` is for the
 * moment, and after a red row (5) stays yellow (3) for `calm` rows. The band holds 95 of 100 next values and comes from an SDR classifier for each
 * column, which has no part in the score; of several columns `channel` is the one farthest outside its range, else the least expected. It learns for ever, online; when
 * the range of the last 4,000 rows is one that the encoder hardly sees any more, it starts anew on the last 1,000 rows. Constants were chosen on the Numenta Anomaly Benchmark.
 */
export const htm = component({
  type: 'htm',
  summary: 'Surprise of a memory for sequences that learns online: hierarchical temporal memory.',
  config,
  create: options => fromStream({ lookback: 2 * DAY, multivariate: true, open: snapshot => openHtm(options, snapshot) }),
  examples: [
    { columns: 128, cells: 4, segments: 300, warmup: 100 },
    { columns: 128, cells: 4, segments: 300, warmup: 100, steps: 10, calm: 0, timezone: 'Europe/Berlin', seed: 7 },
  ],
})

/** Makes sets of bits of rows; a column that is NaN has none. */
interface RowBits {
  readonly size: number
  /** Sets the bits of a row; clears none. */
  encode(time: number, row: ArrayLike<number>, into: Uint8Array): void
}

/** Everything that is made anew when the range changes. */
interface Region {
  readonly ranges: readonly Range[]
  readonly bits: RowBits
  readonly pooler: SpatialPooler
  readonly memory: BacktrackingTemporalMemory
  readonly likelihood: AnomalyLikelihood
  readonly next: NextValues
}

interface RegionState {
  readonly ranges: readonly Range[]
  readonly pooler: SpatialPoolerState
  readonly memory: BacktrackingTemporalMemoryState
  readonly likelihood: AnomalyLikelihoodState
  readonly next: NextValuesState
}

function buildRowBits({ steps, seed }: Config, ranges: readonly Range[], zone: (time: number) => number): RowBits {
  const fields = ranges.map(range => ({ resolution: resolutionOf(range, steps), offset: middleOf(range) }))
  const buckets = Math.max(LEAST_BUCKETS, Math.floor(VALUE_BITS.buckets / ranges.length))
  const values = buildMultiFieldEncoder({ fields, size: VALUE_BITS.size, buckets }, seededRandom(seed))
  const times = buildDateEncoder({ timeOfDay: TIME_BITS })
  return {
    size: values.size + times.size,
    encode(time, row, into) {
      values.encode(row, into)
      times.encode(time + zone(time), into, values.size)
    },
  }
}

const middleOf = ({ lower, upper }: Range) => (lower + upper) / 2

/** Of a flat range, a part of its level. */
function resolutionOf(range: Range, steps: number): number {
  const width = range.upper - range.lower
  return Math.max((width > 0 ? width : 0.1 * Math.abs(middleOf(range))) / steps, 1e-9)
}

function openRegion(options: Config, ranges: readonly Range[], zone: (time: number) => number, from?: RegionState): Region {
  const { columns, cells, segments, warmup, steps, seed } = options
  const active = Math.max(8, Math.round(0.02 * columns))
  const bits = buildRowBits(options, ranges, zone)
  const learning = Math.floor(warmup / 2)
  const usual = ranges.map(range => {
    const half = (resolutionOf(range, steps) * steps) / 2
    return { lower: middleOf(range) - half, upper: middleOf(range) + half }
  })
  return {
    ranges,
    bits,
    pooler: openSpatialPooler(
      { inputs: bits.size, columns, active, potential: 0.8, connected: 0.2, increment: 0.003, decrement: 0.0005 },
      seededRandom(seed + 1),
      from?.pooler,
    ),
    memory: openBacktrackingTemporalMemory(
      {
        columns,
        cells,
        active,
        activation: Math.ceil(0.325 * active),
        minimum: Math.ceil(0.25 * active),
        growth: Math.ceil(0.5 * active),
        initial: 0.21,
        connected: 0.5,
        increment: 0.1,
        decrement: 0.1,
        segmentsPerCell: 128,
        synapsesPerSegment: Math.ceil(0.8 * active),
        segments,
        backtrack: 0,
        learningBacktrack: 5,
        patience: 3,
        longest: 32,
      },
      seededRandom(seed + 2),
      from?.memory,
    ),
    likelihood: openAnomalyLikelihood(
      { learning, estimation: warmup - learning, settling: 400, every: 100, history: 4000, averaging: 10 },
      from?.likelihood,
    ),
    next: openNextValues({ ranges: usual, columns, cells, inputs: bits.size }, from?.next),
  }
}

function openHtm(options: Config, snapshot?: State): Stream {
  const { warmup, steps, calm } = options
  const zone = fromZone(options.timezone)
  const known = snapshot?.version === 1 ? snapshot : undefined
  const times = (known?.times as Float64Array | undefined)?.slice() ?? new Float64Array(REMEMBERED)
  let values = (known?.values as Float64Array | undefined)?.slice() ?? new Float64Array(0)
  let rangeRules = ((known?.rangeRules as readonly RangeRuleState[] | undefined) ?? []).map(openRangeRule)
  let rows = (known?.rows as number | undefined) ?? 0
  let missing = (known?.missing as number | undefined) ?? 0
  let quiet = (known?.quiet as number | undefined) ?? 0
  let held = (known?.held as number | undefined) ?? 0
  const kept = known?.region as RegionState | undefined
  let region = kept && openRegion(options, kept.ranges, zone, kept)

  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN, alarm: NaN }
  let input = new Uint8Array(region?.bits.size ?? 0)
  let winners: Uint16Array = new Uint16Array(0)
  /** The row that `input` and `winners` are of. */
  let pooledTime = NaN
  let pooled = new Float64Array(0)
  /** A row, with NaN for what cannot be calculated with. */
  let row = new Float64Array(0)

  /** Takes a row up into `row`; false when nothing of it is known. */
  function take(given: ArrayLike<number>): boolean {
    if (row.length !== given.length) {
      row = new Float64Array(given.length)
      pooled = new Float64Array(given.length)
    }
    let isKnown = false
    for (let c = 0; c < row.length; c++) {
      row[c] = isMeasured(given[c]) ? given[c] : NaN
      if (!Number.isNaN(row[c])) isKnown = true
    }
    return isKnown
  }

  function pool({ bits, pooler }: Region, time: number, row: Float64Array): void {
    if (time === pooledTime && row.every((value, c) => Object.is(value, pooled[c]))) return
    input.fill(0)
    bits.encode(time, row, input)
    winners = pooler.pool(input, false)
    pooledTime = time
    pooled.set(row)
  }

  function advance(region: Region, time: number, row: Float64Array, isJudged: boolean): void {
    pool(region, time, row)
    const raw = region.memory.step(winners)
    region.pooler.learn(input, winners)
    region.next.learn(row, region.memory.activeCells(), input)
    pooledTime = NaN
    if (!isJudged) return
    let sum = 0
    for (let c = 0; c < row.length; c++) if (!Number.isNaN(row[c])) sum += row[c] / resolutionOf(region.ranges[c], steps)
    region.likelihood.update(raw, sum)
  }

  const rangesOfRows = () => rangeRules.map(rule => rule.range())

  /** Learns what is remembered, oldest first. */
  function startAnew(before?: Region): Region {
    const width = row.length
    const made = openRegion(options, rangesOfRows().map(orNothing), zone)
    input = new Uint8Array(made.bits.size)
    pooledTime = NaN
    for (let back = Math.min(rows, REMEMBERED); back > 0; back--) {
      const at = (rows - back) % REMEMBERED
      advance(made, times[at], values.subarray(at * width, (at + 1) * width), before === undefined)
    }
    return before ? { ...made, likelihood: before.likelihood } : made
  }

  /** The column that is farthest outside its range, −1 for none, and how far. */
  function farthestOutside(): { column: number; outside: number } {
    let column = -1
    let outside = 0
    for (let c = 0; c < rangeRules.length; c++) {
      const excess = Number.isNaN(row[c]) ? 0 : rangeRules[c].excess(row[c])
      if (excess <= outside) continue
      column = c
      outside = excess
    }
    return { column, outside }
  }

  function levelOf(region: Region, time: number, outside: number): number {
    if (outside > 0) return UNIT * (1 + Math.min(1, outside))
    if (missing > HELD) return 0
    pool(region, time, row)
    const tail = region.likelihood.tail(region.memory.look(winners))
    return UNIT * clamp(logLikelihood(1 - tail), 0, 1)
  }

  /** Of several columns, most must have another range. */
  function isStale({ ranges }: Region): boolean {
    return 2 * rangesOfRows().filter((now, c) => isOther(ranges[c], now)).length > ranges.length
  }

  return {
    score(time, given) {
      const isKnown = take(given)
      const judged = region && isKnown ? farthestOutside() : undefined
      const strangest = judged && region!.next.judge(row, judged.column)
      judgement.value = strangest?.value ?? given[0]
      judgement.expected = strangest?.expected ?? NaN
      judgement.lower = strangest?.lower ?? NaN
      judgement.upper = strangest?.upper ?? NaN
      if (given.length > 1) judgement.channel = strangest?.channel ?? NaN
      judgement.score = NaN
      judgement.alarm = NaN
      if (!region || !judged) return judgement
      const level = levelOf(region, time, judged.outside)
      judgement.score = Math.max(level, FADE * held)
      judgement.alarm = quiet > 0 ? Math.min(level, YELLOW) : level
      return judgement
    },
    learn(time, given) {
      if (!take(given)) {
        missing = Math.min(missing + 1, HELD + 1)
        return
      }
      const width = row.length
      if (values.length === 0) {
        values = new Float64Array(REMEMBERED * width)
        rangeRules = Array.from(row, () => openRangeRule())
      }
      if (region) {
        const level = levelOf(region, time, farthestOutside().outside)
        held = Math.max(level, FADE * held)
        quiet = quiet > 0 ? quiet - 1 : level >= RED ? calm : 0
        advance(region, time, row, missing <= HELD)
      }
      missing = 0
      for (let c = 0; c < width; c++) if (!Number.isNaN(row[c])) rangeRules[c].learn(row[c])
      times[rows % REMEMBERED] = time
      values.set(row, (rows % REMEMBERED) * width)
      rows++
      if (rows === warmup || rows === 2 * warmup) region = startAnew()
      else if (region && rows % LOOK === 0 && isStale(region)) region = startAnew(region)
    },
    snapshot: () => ({
      version: 1,
      times: times.slice(),
      values: values.slice(),
      rangeRules: rangeRules.map(rule => rule.state()),
      rows,
      missing,
      quiet,
      held,
      ...(region ? { region: stateOf(region) } : {}),
    }),
  }
}

function stateOf({ ranges, pooler, memory, likelihood, next }: Region): RegionState {
  return { ranges, pooler: pooler.state(), memory: memory.state(), likelihood: likelihood.state(), next: next.state() }
}

function isOther(before: Range, now: Range): boolean {
  const width = now.upper - now.lower
  const old = before.upper - before.lower
  return width > WIDE * old || (width > 0 && width < NARROW * old)
}

/** Of a column without any value, a flat one. */
const orNothing = (range: Range): Range => (range.upper >= range.lower ? range : { lower: 0, upper: 0 })
