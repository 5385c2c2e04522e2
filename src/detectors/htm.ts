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
import { buildScalarEncoder } from '../models/htm/scalar-encoder.ts'
import { openSpatialPooler, type SpatialPooler, type SpatialPoolerState } from '../models/htm/spatial-pooler.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'
import { openRangeRule, type RangeRule, type RangeRuleState } from './htm-range-rule.ts'

const config = z.strictObject({
  columns: z.int().min(64).max(8192).default(2048).describe('columns of the region; 2 % of them are active at a time'),
  cells: z.int().min(2).max(64).default(32).describe('cells in a column: how many pasts of one input are told apart'),
  segments: z.int().min(100).max(200_000).default(40_000).describe('segments in all; the weakest of them make room for new ones'),
  warmup: z
    .int()
    .min(50)
    .max(5000)
    .default(150)
    .describe('rows before the first score; twice as many give the range of the encoder for good'),
  steps: z
    .number()
    .min(2)
    .max(200)
    .default(43)
    .describe('the range of the warm-up in steps of the encoder: more of them see smaller differences, and more noise'),
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
/** The bits of a row: those of the Numenta Anomaly Benchmark. */
const VALUE_BITS = { size: 400, active: 21, buckets: 600 }
const TIME_BITS = { size: 54, active: 21 }
/** After so many missing rows the next is no surprise, whatever it is. */
const HELD = 2
/** Rows between looks at whether the range is still one that the encoder sees well. */
const LOOK = 500
/** Ranges that the encoder still sees well, in its own. */
const NARROW = 1 / 8
const WIDE = 4

/**
 * Hierarchical temporal memory, one region of it (Hawkins & Ahmad 2016; Ahmad, Lavin, Purdy & Agha 2017): value and time of day become sparse
 * bits, a spatial pooler makes active columns of them, and a temporal memory with backtracking predicts the next ones. The share that was not
 * predicted is judged by its own recent distribution; 10 is the most, 5 a likelihood of 0.99999. Beside it stands the range rule of the Numenta
 * Anomaly Benchmark: a value 5 % outside the range of the last rows scores from 10 to 20. `score` fades by a tenth a row, `alarm` is for the
 * moment, and after a red row (5) stays yellow (3) for `calm` rows. Looks at the first column and says no band. It learns for ever, online; when the
 * range has changed beyond what the encoder sees it starts anew on the last `2 × warmup` rows. Constants were chosen on the Numenta Anomaly Benchmark.
 */
export const htm = component({
  type: 'htm',
  summary: 'Surprise of a memory for sequences that learns online: hierarchical temporal memory.',
  config,
  create: options => fromStream({ lookback: 2 * DAY, open: snapshot => openHtm(options, snapshot) }),
  examples: [
    { columns: 128, cells: 4, segments: 300, warmup: 100 },
    { columns: 128, cells: 4, segments: 300, warmup: 100, steps: 10, calm: 0, timezone: 'Europe/Berlin', seed: 7 },
  ],
})

/** Makes sets of bits of rows. */
interface RowBits {
  readonly size: number
  /** Sets the bits of a row; clears none. */
  encode(time: number, value: number, into: Uint8Array): void
}

/** Everything that is made anew when the range changes. */
interface Region {
  readonly range: Range
  readonly bits: RowBits
  readonly pooler: SpatialPooler
  readonly memory: BacktrackingTemporalMemory
  readonly likelihood: AnomalyLikelihood
}

interface Range {
  readonly lower: number
  readonly upper: number
}

interface RegionState {
  readonly lower: number
  readonly upper: number
  readonly pooler: SpatialPoolerState
  readonly memory: BacktrackingTemporalMemoryState
  readonly likelihood: AnomalyLikelihoodState
}

function buildRowBits({ steps, seed }: Config, range: Range, zone: (time: number) => number): RowBits {
  const values = buildScalarEncoder(
    { ...VALUE_BITS, resolution: resolutionOf(range, steps), offset: middleOf(range) },
    seededRandom(seed),
  )
  const times = buildDateEncoder({ timeOfDay: TIME_BITS })
  return {
    size: values.size + times.size,
    encode(time, value, into) {
      values.encode(value, into)
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

function openRegion(options: Config, range: Range, zone: (time: number) => number, from?: RegionState): Region {
  const { columns, cells, segments, warmup, seed } = options
  const active = Math.max(8, Math.round(0.02 * columns))
  const bits = buildRowBits(options, range, zone)
  const learning = Math.floor(warmup / 2)
  return {
    range,
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
  }
}

function openHtm(options: Config, snapshot?: State): Stream {
  const { warmup, steps, calm } = options
  const remembered = 2 * warmup
  const zone = fromZone(options.timezone)
  const known = snapshot?.version === 1 ? snapshot : undefined
  const times = (known?.times as Float64Array | undefined)?.slice() ?? new Float64Array(remembered)
  const values = (known?.values as Float64Array | undefined)?.slice() ?? new Float64Array(remembered)
  const rangeRule: RangeRule = openRangeRule(known?.rangeRule as RangeRuleState | undefined)
  let rows = (known?.rows as number | undefined) ?? 0
  let missing = (known?.missing as number | undefined) ?? 0
  let quiet = (known?.quiet as number | undefined) ?? 0
  let held = (known?.held as number | undefined) ?? 0
  const kept = known?.region as RegionState | undefined
  let region = kept && openRegion(options, kept, zone, kept)

  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN, alarm: NaN }
  let input = new Uint8Array(region?.bits.size ?? 0)
  let winners: Uint16Array = new Uint16Array(0)
  /** The row that `input` and `winners` are of. */
  let pooledTime = NaN
  let pooledValue = NaN

  function pool({ bits, pooler }: Region, time: number, value: number): void {
    if (time === pooledTime && value === pooledValue) return
    input.fill(0)
    bits.encode(time, value, input)
    winners = pooler.pool(input, false)
    pooledTime = time
    pooledValue = value
  }

  function advance(region: Region, time: number, value: number, isJudged: boolean): void {
    pool(region, time, value)
    const raw = region.memory.step(winners)
    region.pooler.learn(input, winners)
    pooledTime = NaN
    if (isJudged) region.likelihood.update(raw, value / resolutionOf(region.range, steps))
  }

  const rangeOfRemembered = () => rangeOf(values.subarray(0, Math.min(rows, remembered)))

  /** Learns what is remembered, oldest first. */
  function startAnew(): Region {
    const made = openRegion(options, rangeOfRemembered(), zone)
    input = new Uint8Array(made.bits.size)
    pooledTime = NaN
    for (let back = Math.min(rows, remembered); back > 0; back--) {
      const at = (rows - back) % remembered
      advance(made, times[at], values[at], true)
    }
    return made
  }

  function levelOf(region: Region, time: number, value: number): number {
    const outside = rangeRule.excess(value)
    if (outside > 0) return UNIT * (1 + Math.min(1, outside))
    if (missing > HELD) return 0
    pool(region, time, value)
    const tail = region.likelihood.tail(region.memory.look(winners))
    return UNIT * clamp(logLikelihood(1 - tail), 0, 1)
  }

  const isStale = (region: Region): boolean => {
    const { lower, upper } = rangeOfRemembered()
    const width = region.range.upper - region.range.lower
    if (!(width > 0)) return upper > lower
    const middle = (lower + upper) / 2
    const isFar = Math.abs(middle - middleOf(region.range)) > WIDE * width
    return isFar || upper - lower > WIDE * width || (upper > lower && upper - lower < NARROW * width)
  }

  return {
    score(time, row) {
      const value = row[0]
      judgement.value = value
      judgement.score = NaN
      judgement.alarm = NaN
      if (!region || !isMeasured(value)) return judgement
      const level = levelOf(region, time, value)
      judgement.score = Math.max(level, FADE * held)
      judgement.alarm = quiet > 0 ? Math.min(level, YELLOW) : level
      return judgement
    },
    learn(time, row) {
      const value = row[0]
      if (!isMeasured(value)) {
        missing = Math.min(missing + 1, HELD + 1)
        return
      }
      if (region) {
        const level = levelOf(region, time, value)
        held = Math.max(level, FADE * held)
        quiet = quiet > 0 ? quiet - 1 : level >= RED ? calm : 0
        advance(region, time, value, missing <= HELD)
      }
      missing = 0
      rangeRule.learn(value)
      times[rows % remembered] = time
      values[rows % remembered] = value
      rows++
      const isDue = rows === warmup || rows === remembered
      if (isDue || (region && rows % LOOK === 0 && isStale(region))) region = startAnew()
    },
    snapshot: () => ({
      version: 1,
      times: times.slice(),
      values: values.slice(),
      rangeRule: rangeRule.state(),
      rows,
      missing,
      quiet,
      held,
      ...(region ? { region: stateOf(region) } : {}),
    }),
  }
}

function stateOf({ range, pooler, memory, likelihood }: Region): RegionState {
  return { ...range, pooler: pooler.state(), memory: memory.state(), likelihood: likelihood.state() }
}

function rangeOf(values: Float64Array): Range {
  let lower = Infinity
  let upper = -Infinity
  for (const value of values) {
    if (value < lower) lower = value
    if (value > upper) upper = value
  }
  return { lower, upper }
}
