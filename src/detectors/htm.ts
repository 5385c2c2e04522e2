import { z } from 'zod'
import { isZone } from '../calendars/wall-time.ts'
import { component } from '../component.ts'
import { DAY } from '../duration.ts'
import { clamp } from '../math/clamp.ts'
import { isMeasured } from '../math/is-measured.ts'
import { quantile } from '../math/quantile.ts'
import { type Random, seededRandom } from '../math/random.ts'
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
import { clearContributions, contributionOf } from './contributions.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'
import { type NextValues, type NextValuesState, openNextValues } from './htm/next-values.ts'
import { openRangeRule, type Range, type RangeRuleState } from './htm/range-rule.ts'

const config = z.strictObject({
  columns: z
    .int()
    .min(128)
    .max(8192)
    .default(2048)
    .describe('columns in all, half of them in each region; 2 % are active at a time'),
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
const VALUE_BITS = { size: 1446, buckets: 300 }
/** Several columns have fewer buckets each, but at least so many: building takes the square of them. */
const LEAST_BUCKETS = 150
const TIME_BITS = { size: 54, active: 21 }
/** Every alarm makes the next surprise so much smaller … */
const HABIT = 0.1
/** … and is forgotten over so many rows. */
const REMEMBERED_ALARMS = 4000
/** After so many missing rows the next is no surprise, whatever it is. */
const HELD = 2
/** Regions whose surprise is averaged. */
const REGIONS = 2
/** Rows from which they start anew. */
const REMEMBERED = 1000
/** Rows between looks at whether the encoder still sees the range. */
const LOOK = 500
/** It has buckets for fifteen times its own range, and steps of a twentieth: rows farther from the middle, in ranges, or nearer together it does not tell apart. */
const FAR = 7
const NARROW = 1 / 15

/**
 * Hierarchical temporal memory (Hawkins & Ahmad 2016; Ahmad, Lavin, Purdy & Agha 2017), two regions of it that differ in their random wiring:
 * values and time of day become sparse bits, a spatial pooler makes active columns of them, and a temporal memory in two states predicts the next
 * ones. The share that was not predicted is judged by its own recent distribution; the score is the mean of both judgements, less by a
 * tenth for each recent alarm: 10 at most, 5 is a likelihood of 0.99999. Beside it stands the range rule of the Numenta Anomaly Benchmark: a
 * value 5 % outside the range of the last rows scores from 10 to 20. `score` fades by a tenth a row, `alarm` is for the moment, and after a red
 * row (5) stays yellow (3) for `calm` rows. The band holds 95 of 100 next values and comes from an SDR classifier for each column, which has no
 * part in the score; of several columns `channel` is the one farthest outside its range, else the least expected. The memory sees all columns in one and
 * cannot say whose the surprise is, so a column contributes how far it is outside, else how little the classifier expected it. It learns for ever, online;
 * when the encoder can hardly tell most of the last 1,000 rows apart any more, it starts anew on them. Constants were chosen on
 * the Numenta Anomaly Benchmark. Memory: some 10 to 30 MB.
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

/** A region, with the bits of a row and the columns that win with them. */
interface Region {
  readonly bits: RowBits
  readonly pooler: SpatialPooler
  readonly memory: BacktrackingTemporalMemory
  likelihood: AnomalyLikelihood
  readonly input: Uint8Array
  winners: Uint16Array
}

interface RegionState {
  readonly pooler: SpatialPoolerState
  readonly memory: BacktrackingTemporalMemoryState
  readonly likelihood: AnomalyLikelihoodState
}

/** Everything that is made anew when the range changes. */
interface Brain {
  readonly ranges: readonly Range[]
  readonly regions: readonly Region[]
  readonly next: NextValues
}

interface BrainState {
  readonly ranges: readonly Range[]
  readonly regions: readonly RegionState[]
  readonly next: NextValuesState
}

function buildRowBits(steps: number, ranges: readonly Range[], zone: (time: number) => number, random: Random): RowBits {
  const fields = ranges.map(range => ({ resolution: resolutionOf(range, steps), offset: middleOf(range) }))
  const buckets = Math.max(LEAST_BUCKETS, Math.floor(VALUE_BITS.buckets / ranges.length))
  const values = buildMultiFieldEncoder({ fields, size: VALUE_BITS.size, buckets }, random)
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

function openRegion(
  options: Config,
  ranges: readonly Range[],
  zone: (time: number) => number,
  seed: number,
  from?: RegionState,
): Region {
  const { cells, steps, warmup } = options
  const learning = Math.floor(warmup / 2)
  const columns = columnsOf(options)
  const active = Math.max(8, Math.round(0.02 * columns))
  const bits = buildRowBits(steps, ranges, zone, seededRandom(seed))
  return {
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
        segments: Math.ceil(options.segments / REGIONS),
        backtrack: 0,
        learningBacktrack: 5,
        patience: 3,
        longest: 32,
      },
      seededRandom(seed + 2),
      from?.memory,
    ),
    likelihood: openAnomalyLikelihood(
      { learning, estimation: warmup - learning, settling: 750, every: 100, history: 8640, averaging: 16 },
      from?.likelihood,
    ),
    input: new Uint8Array(bits.size),
    winners: new Uint16Array(0),
  }
}

const columnsOf = ({ columns }: Config) => Math.ceil(columns / REGIONS)

function openBrain(options: Config, ranges: readonly Range[], zone: (time: number) => number, from?: BrainState): Brain {
  const { cells, steps, seed } = options
  const regions = Array.from({ length: REGIONS }, (_, k) =>
    openRegion(options, ranges, zone, REGIONS * seed + 10 * k, from?.regions[k]),
  )
  const usual = ranges.map(range => {
    const half = (resolutionOf(range, steps) * steps) / 2
    return { lower: middleOf(range) - half, upper: middleOf(range) + half }
  })
  return {
    ranges,
    regions,
    next: openNextValues({ ranges: usual, columns: columnsOf(options), cells, inputs: regions[0].bits.size }, from?.next),
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
  /** Red rows of surprise, fading. */
  let alarms = (known?.alarms as number | undefined) ?? 0
  const kept = known?.brain as BrainState | undefined
  let brain = kept && openBrain(options, kept.ranges, zone, kept)

  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN, alarm: NaN }
  /** The row that input and winners of the regions are of. */
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

  function pool({ regions }: Brain, time: number, row: Float64Array): void {
    if (time === pooledTime && row.every((value, c) => Object.is(value, pooled[c]))) return
    for (const region of regions) {
      region.input.fill(0)
      region.bits.encode(time, row, region.input)
      region.winners = region.pooler.pool(region.input, false)
    }
    pooledTime = time
    pooled.set(row)
  }

  function advance(brain: Brain, time: number, row: Float64Array, isJudged: boolean): void {
    pool(brain, time, row)
    const { ranges, regions, next } = brain
    let sum = 0
    for (let c = 0; c < row.length; c++) if (!Number.isNaN(row[c])) sum += row[c] / resolutionOf(ranges[c], steps)
    for (const { pooler, memory, likelihood, input, winners } of regions) {
      const raw = memory.step(winners)
      if (isJudged) likelihood.update(raw, sum)
      pooler.learn(input, winners)
    }
    next.learn(row, regions[0].memory.activeCells(), regions[0].input)
    pooledTime = NaN
  }

  /** What is remembered of each column. */
  const remembered = () =>
    Array.from(row, (_, c) => Float64Array.from({ length: Math.min(rows, REMEMBERED) }, (_, i) => values[i * row.length + c]))

  /** Learns what is remembered, oldest first. */
  function startAnew(before?: Brain): Brain {
    const width = row.length
    const made = openBrain(options, remembered().map(rangeOf), zone)
    pooledTime = NaN
    for (let back = Math.min(rows, REMEMBERED); back > 0; back--) {
      const at = (rows - back) % REMEMBERED
      advance(made, times[at], values.subarray(at * width, (at + 1) * width), before === undefined)
    }
    if (before) for (const [k, region] of made.regions.entries()) region.likelihood = before.regions[k].likelihood
    return made
  }

  /** The column that is farthest outside its range, −1 for none, and how far. */
  function farthestOutside(contributions?: Float64Array): { column: number; outside: number } {
    let column = -1
    let outside = 0
    for (let c = 0; c < rangeRules.length; c++) {
      const excess = Number.isNaN(row[c]) ? 0 : rangeRules[c].excess(row[c])
      if (contributions) contributions[c] = contributionOf(excess)
      if (excess <= outside) continue
      column = c
      outside = excess
    }
    return { column, outside }
  }

  function levelOf(brain: Brain, time: number, outside: number): number {
    if (outside > 0) return UNIT * (1 + Math.min(1, outside))
    if (missing > HELD) return 0
    pool(brain, time, row)
    let sum = 0
    for (const { memory, likelihood, winners } of brain.regions) {
      sum += clamp(logLikelihood(1 - likelihood.tail(memory.look(winners))), 0, 1)
    }
    return (UNIT * sum) / brain.regions.length / (1 + HABIT * alarms)
  }

  /** Of several columns, most must have another range. A few rows far outside are no other range. */
  function isStale({ ranges }: Brain): boolean {
    const now = remembered()
    const stale = ranges.filter((before, c) => isOther(before, now[c]))
    return 2 * stale.length > ranges.length
  }

  return {
    score(time, given) {
      const isKnown = take(given)
      const contributions = clearContributions(judgement, given.length)
      const judged = brain && isKnown ? farthestOutside(contributions) : undefined
      const strangest = judged && brain!.next.judge(row, judged.column, contributions)
      judgement.value = strangest?.value ?? given[0]
      judgement.expected = strangest?.expected ?? NaN
      judgement.lower = strangest?.lower ?? NaN
      judgement.upper = strangest?.upper ?? NaN
      if (given.length > 1) judgement.channel = strangest?.channel ?? NaN
      judgement.score = NaN
      judgement.alarm = NaN
      if (!brain || !judged) return judgement
      const level = levelOf(brain, time, judged.outside)
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
      if (brain) {
        const { outside } = farthestOutside()
        const level = levelOf(brain, time, outside)
        held = Math.max(level, FADE * held)
        alarms *= 1 - 1 / REMEMBERED_ALARMS
        if (quiet === 0 && outside === 0 && level >= RED) alarms++
        quiet = quiet > 0 ? quiet - 1 : level >= RED ? calm : 0
        advance(brain, time, row, missing <= HELD)
      }
      missing = 0
      for (let c = 0; c < width; c++) if (!Number.isNaN(row[c])) rangeRules[c].learn(row[c])
      times[rows % REMEMBERED] = time
      values.set(row, (rows % REMEMBERED) * width)
      rows++
      if (rows === warmup || rows === 2 * warmup) brain = startAnew()
      else if (brain && rows % LOOK === 0 && isStale(brain)) brain = startAnew(brain)
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
      alarms,
      ...(brain ? { brain: stateOf(brain) } : {}),
    }),
  }
}

function stateOf({ ranges, regions, next }: Brain): BrainState {
  return {
    ranges,
    regions: regions.map(({ pooler, memory, likelihood }) => ({
      pooler: pooler.state(),
      memory: memory.state(),
      likelihood: likelihood.state(),
    })),
    next: next.state(),
  }
}

function isOther(before: Range, values: Float64Array): boolean {
  const width = before.upper - before.lower
  const low = quantile(values, 0.05)
  const high = quantile(values, 0.95)
  return Math.abs((low + high) / 2 - middleOf(before)) > FAR * width || (high > low && high - low < NARROW * width)
}

/** Of a column without any value, a flat one. */
function rangeOf(values: Float64Array): Range {
  const known = values.filter(value => !Number.isNaN(value))
  if (known.length === 0) return { lower: 0, upper: 0 }
  return { lower: known.reduce((a, b) => Math.min(a, b)), upper: known.reduce((a, b) => Math.max(a, b)) }
}
