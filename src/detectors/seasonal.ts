import { z } from 'zod'
import { component } from '../component.ts'
import { DAY } from '../duration.ts'
import { clamp } from '../math/clamp.ts'
import { isMeasured } from '../math/is-measured.ts'
import { mad } from '../math/mad.ts'
import { median } from '../math/median.ts'
import { fromZone } from '../math/zone-offset.ts'
import { duration } from '../schema.ts'
import { copyState } from '../state.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  season: z
    .array(duration())
    .min(1)
    .max(3)
    .default([DAY, 7 * DAY])
    .refine(periods => periods.every((period, i) => period > (periods[i - 1] ?? 0)), 'must be periods in ascending order')
    .describe('periods of the tides, shortest first; a longer one is used only where it predicts better than those before it'),
  timezone: z
    .string()
    .default('UTC')
    .refine(isZone, 'must be an IANA time zone like Europe/Berlin')
    .describe('where people live by the clock; seasons of whole days follow its daylight saving'),
  band: z.number().positive().default(4).describe('half width of the band in robust standard deviations'),
})
type Config = z.output<typeof config>

/**
 * Robust level per slot of day and week. Four experts predict each row: a fast and a slow level, the slot of the day, and the slot of the
 * week as a correction to the day's; each of the seasonal ones follows drift with a level of its own. The one that has been predicting best
 * is asked, so a short history is judged by its level, and a season counts only once it earns it. All updates are Huber's: an error
 * teaches no more than a few scales (Huber 1964), so locations are medians for outliers and means for noise. An error that stays on one
 * side for half of the shortest season is a new level and is adopted. The score is |value − expected| / scale.
 */
export const seasonal = component({
  type: 'seasonal',
  summary: 'Distance from the robust level usual at this time of day and week; follows drift, works from the first minutes.',
  config,
  create: options => {
    const lookback = 2 * options.season.at(-1)!
    const zone = fromZone(options.timezone)
    return fromStream({ lookback, open: snapshot => openSeasonal(options, zone, snapshot) })
  },
  examples: [{}, { timezone: 'Europe/Berlin' }, { season: ['1d'] }, { season: ['6m', '42m'] }],
})

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).format(0).length > 0
  } catch {
    return false
  }
}

/** Rows before the first score. */
const WARM_UP = 12
/** Errors teach a level at most so many scales; 2.5 keeps 97 % of the efficiency of the mean on normal noise. */
const CLIP = 2.5
/** Errors teach a scale at most so many scales. */
const SCALE_CLIP = 3
/** Ten minutes of a day, half an hour of a week: all of a week fits into 4 KB. */
const DAY_SLOTS = 144
const SLOTS = 336
const SCALE_SLOTS = 48
/** Counts of rows per slot are kept in sixteenths, since a row counts for its two nearest slots. */
const SIXTEENTH = 16
/** Visits that a slot remembers. */
const VISITS = 10
/** Of the larger of expected and seen value. A series that never moved says nothing about its noise, hence the wider floor. */
const FLOOR = 0.001
const FLAT_FLOOR = 0.01
/** Rows by which the fast level forgets, and its scale. */
const FAST = 30
const FAST_SCALE = 120
const [FAST_LEVEL, SLOW_LEVEL, FIRST_SEASON] = [0, 1, 2]

/** Plain data; typed arrays are indexed by expert or by layer (season). */
interface Memory extends Record<string, unknown> {
  version: 1
  start: number
  time: number
  last: number
  step: number
  rows: number
  changes: number
  resolution: number
  chosen: number
  warm: number[]
  /** Per expert: level (for seasonal ones: drift), squared scale, rows, and the run of clipped errors on one side: since, sum, rows. */
  level: Float64Array
  variance: Float64Array
  count: Float64Array
  runStart: Float64Array
  runSum: Float64Array
  runCount: Float64Array
  /** Mean absolute errors: of both levels, then per layer without and with it. */
  error: Float64Array
  errorCount: Float64Array
  /** Per layer: what its values are relative to. */
  reference: Float64Array
  slots: Float32Array[]
  visits: Uint16Array[]
  /** Scale of the part of the day, relative to the usual one; and the mean of what it is relative to. */
  spread: Float32Array
  spreadMean: number
}

function emptyMemory(layers: number): Memory {
  const experts = layers + 2
  return {
    version: 1,
    start: NaN,
    time: NaN,
    last: NaN,
    step: NaN,
    rows: 0,
    changes: 0,
    resolution: 0,
    chosen: FAST_LEVEL,
    warm: [],
    level: new Float64Array(experts),
    variance: new Float64Array(experts),
    count: new Float64Array(experts),
    runStart: new Float64Array(experts).fill(NaN),
    runSum: new Float64Array(experts),
    runCount: new Float64Array(experts),
    error: new Float64Array(2 + 2 * layers),
    errorCount: new Float64Array(1 + layers),
    reference: new Float64Array(layers),
    slots: Array.from({ length: layers }, (_, k) => new Float32Array(k === 0 ? DAY_SLOTS : SLOTS)),
    visits: Array.from({ length: layers }, (_, k) => new Uint16Array(k === 0 ? DAY_SLOTS : SLOTS)),
    spread: new Float32Array(SCALE_SLOTS).fill(1),
    spreadMean: 0.8,
  }
}

function openSeasonal({ season, timezone, band }: Config, zone: (time: number) => number, snapshot?: State): Stream {
  const layers = season.length
  const experts = layers + 2
  const m: Memory = snapshot?.version === 1 ? (copyState(snapshot) as unknown as Memory) : emptyMemory(layers)
  const local = season.map(period => timezone !== 'UTC' && period % DAY === 0)
  const adopt = season[0] / 2
  const drift = season[0] / 6
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }

  // Where a time lies in each layer: the nearer two slots and the sixteenths of the later one.
  const before = new Int32Array(layers)
  const after = new Int32Array(layers)
  const share = new Float64Array(layers)
  const base = new Float64Array(experts)
  let spreadSlot = 0
  let located = NaN

  function locate(time: number): void {
    if (located === time) return
    located = time
    for (let k = 0; k < layers; k++) {
      const period = season[k]
      const clock = local[k] ? time + zone(time) : time
      const phase = clock / period - Math.floor(clock / period)
      const size = m.slots[k].length
      const at = phase * size - 0.5
      const low = Math.floor(at)
      before[k] = low < 0 ? size - 1 : low
      after[k] = low + 1 >= size ? 0 : low + 1
      share[k] = at - low
      if (k === 0) spreadSlot = Math.min(SCALE_SLOTS - 1, Math.floor(phase * SCALE_SLOTS))
    }
  }

  /** Value of a layer here; NaN while both slots are new. */
  function layerAt(k: number): number {
    const slots = m.slots[k]
    const visits = m.visits[k]
    const i = before[k]
    const j = after[k]
    if (visits[i] === 0) return visits[j] === 0 ? NaN : slots[j]
    if (visits[j] === 0) return slots[i]
    return slots[i] + share[k] * (slots[j] - slots[i])
  }

  /** What each expert adds its level to; NaN: no opinion here. */
  function layBases(): void {
    base[FAST_LEVEL] = 0
    base[SLOW_LEVEL] = 0
    let sum = 0
    for (let k = 0; k < layers; k++) {
      sum += layerAt(k)
      base[FIRST_SEASON + k] = sum
    }
  }

  function floorAt(expected: number, x: number): number {
    const flat = m.changes < 5
    const relative = (flat ? FLAT_FLOOR : FLOOR) * Math.max(Math.abs(expected), Math.abs(x))
    return Math.max(relative, flat ? 0 : m.resolution / 2, 1e-12)
  }

  function scaleOf(e: number, expected: number, x: number): number {
    const spread = e >= FIRST_SEASON ? m.spread[spreadSlot] : 1
    return Math.max(Math.sqrt(m.variance[e]) * spread, floorAt(expected, x))
  }

  function choose(): number {
    const [fast, slow] = m.error
    let best = slow <= 1.25 * fast ? SLOW_LEVEL : FAST_LEVEL
    for (let k = 0; k < layers; k++) {
      const without = m.error[2 + 2 * k]
      const withIt = m.error[3 + 2 * k]
      const seen = m.errorCount[1 + k] * m.step >= season[k] / 4
      const earns = withIt < (k === 0 ? 0.95 : 0.97) * without && withIt < 1.5 * fast
      if (seen && earns) best = FIRST_SEASON + k
    }
    return best
  }

  function learnSlots(k: number, target: number, limit: number): void {
    const slots = m.slots[k]
    const visits = m.visits[k]
    const capacity = Math.min(65_000, Math.max(4, (VISITS * season[k]) / slots.length / m.step) * SIXTEENTH)
    for (let side = 0; side < 2; side++) {
      const i = side === 0 ? before[k] : after[k]
      const weight = Math.round((side === 0 ? 1 - share[k] : share[k]) * SIXTEENTH)
      if (weight === 0) continue
      if (visits[i] === 0) slots[i] = target
      else slots[i] += (weight / (visits[i] + weight)) * clamp(target - slots[i], -limit, limit)
      visits[i] = Math.min(capacity, visits[i] + weight)
    }
  }

  function learnExpert(e: number, time: number, x: number): void {
    const expected = base[e] + m.level[e]
    const error = x - expected
    if (e >= FIRST_SEASON && m.count[e] === 0) {
      // A first guess of the scale; it is soon replaced by the expert's own errors.
      m.variance[e] = m.variance[FAST_LEVEL]
      m.count[e] = WARM_UP
    }
    const scale = scaleOf(e, expected, x)
    const memory = e === FAST_LEVEL ? FAST : Math.max(FAST, drift / m.step)
    const scaleMemory = e === FAST_LEVEL ? FAST_SCALE : clamp(season[0] / m.step, 200, 4000)
    const count = ++m.count[e]
    const limit = CLIP * scale
    m.level[e] += Math.max(1 / count, 1 / memory) * clamp(error, -limit, limit)
    const spread = e >= FIRST_SEASON ? m.spread[spreadSlot] : 1
    const seen = Math.min(Math.abs(error), SCALE_CLIP * scale) / spread
    m.variance[e] += Math.max(1 / count, 1 / scaleMemory) * (seen * seen - m.variance[e])

    // A run of errors on one side that does not end is a new level.
    if (Math.abs(error) <= limit || m.runSum[e] * error < 0) {
      m.runCount[e] = 0
      m.runSum[e] = 0
      if (Math.abs(error) <= limit) return
    }
    if (m.runCount[e] === 0) m.runStart[e] = time
    m.runCount[e]++
    m.runSum[e] += error
    const patience = e === FAST_LEVEL ? FAST_SCALE * m.step : Math.max(adopt, FAST * m.step)
    if (time - m.runStart[e] < patience || m.runCount[e] < FAST) return
    m.level[e] += m.runSum[e] / m.runCount[e]
    m.runCount[e] = 0
    m.runSum[e] = 0
  }

  /** Compares errors, all clipped alike, so that one outlier decides nothing. */
  function compare(time: number, x: number): void {
    const memory = clamp(season[0] / m.step, 200, 4000)
    const worst = 4 * Math.max(scaleOf(SLOW_LEVEL, m.level[SLOW_LEVEL], x), scaleOf(FAST_LEVEL, m.level[FAST_LEVEL], x))
    const errorOf = (e: number) => Math.min(worst, Math.abs(x - base[e] - m.level[e]))
    const fast = errorOf(FAST_LEVEL)
    let without = errorOf(SLOW_LEVEL)
    const gain = Math.max(1 / ++m.errorCount[0], 1 / memory)
    m.error[0] += gain * (fast - m.error[0])
    m.error[1] += gain * (without - m.error[1])
    for (let k = 0; k < layers; k++) {
      const e = FIRST_SEASON + k
      if (!(time - m.start >= season[k]) || Number.isNaN(base[e]) || m.count[e] === 0) return
      const withIt = errorOf(e)
      const layerGain = Math.max(1 / ++m.errorCount[1 + k], Math.min(1 / memory, m.step / season[k]))
      m.error[2 + 2 * k] += layerGain * (without - m.error[2 + 2 * k])
      m.error[3 + 2 * k] += layerGain * (withIt - m.error[3 + 2 * k])
      without = withIt
    }
  }

  function learnSeasons(time: number, x: number): void {
    const fast = m.level[FAST_LEVEL]
    const loose = 6 * scaleOf(FAST_LEVEL, fast, x)
    const tamed = clamp(x, fast - loose, fast + loose)
    for (let k = 0; k < layers; k++) {
      const e = FIRST_SEASON + k
      const known = time - m.start >= season[k] && !Number.isNaN(base[e])
      const below = k === 0 ? 0 : base[e - 1]
      if (Number.isNaN(below)) return
      if (k > 0) {
        const gain = Math.max(1 / (m.errorCount[k] + 1), m.step / season[k])
        m.reference[k] += gain * (tamed - below - m.reference[k])
      }
      const mature = known && time - m.start >= 2 * season[k]
      const taught = mature ? x : tamed
      const limit = mature ? CLIP * scaleOf(e, base[e], x) : Infinity
      const relativeTo = k === 0 ? (known ? m.level[e] : 0) : m.reference[k]
      learnSlots(k, taught - below - relativeTo, limit)
    }
  }

  /** The part of the day has its own noise, told as errors relative to the scale. */
  function learnSpread(time: number, x: number): void {
    if (time - m.start < 1.5 * season[0]) return
    const e = m.chosen >= FIRST_SEASON ? m.chosen : FIRST_SEASON
    if (Number.isNaN(base[e]) || m.count[e] === 0) return
    const relative = Math.min(
      SCALE_CLIP,
      Math.abs(x - base[e] - m.level[e]) / Math.max(Math.sqrt(m.variance[e]), floorAt(base[e], x)),
    )
    m.spreadMean += (m.step / season[0]) * (relative - m.spreadMean)
    const gain = Math.min(0.1, (SCALE_SLOTS * m.step) / season[0] / 5)
    m.spread[spreadSlot] += gain * (clamp(relative / Math.max(m.spreadMean, 0.05), 0.3, 4) - m.spread[spreadSlot])
  }

  function measure(time: number, x: number): void {
    const gap = time - m.time
    if (gap > 0) m.step = !(m.step <= gap) ? gap : gap < 1.5 * m.step ? m.step + 0.05 * (gap - m.step) : m.step
    if (Number.isNaN(m.start)) m.start = time
    const change = Math.abs(x - m.last)
    if (change > 0) {
      m.resolution = m.changes === 0 ? change : Math.min(m.resolution, change)
      m.changes = Math.min(m.changes + 1, 1e6)
    }
    m.time = time
    m.last = x
    m.rows++
  }

  function warmUp(x: number): void {
    m.warm.push(x)
    if (m.warm.length < WARM_UP) return
    for (const e of [FAST_LEVEL, SLOW_LEVEL]) {
      m.level[e] = median(m.warm)
      m.variance[e] = mad(m.warm) ** 2
      m.count[e] = WARM_UP
    }
    m.warm = []
  }

  return {
    score(time, row) {
      const x = row[0]
      judgement.value = x
      judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
      if (m.rows < WARM_UP) return judgement
      locate(time)
      layBases()
      let e = m.chosen
      while (e >= FIRST_SEASON && (Number.isNaN(base[e]) || m.count[e] === 0)) e--
      const expected = base[e] + m.level[e]
      // A scale of few rows is uncertain.
      const caution = 1 + 4 / m.count[e]
      const margin = band * caution * scaleOf(e, expected, expected)
      judgement.expected = expected
      judgement.lower = expected - margin
      judgement.upper = expected + margin
      if (isMeasured(x)) judgement.score = Math.abs(x - expected) / (caution * scaleOf(e, expected, x))
      return judgement
    },
    learn(time, row) {
      const x = row[0]
      if (!isMeasured(x)) return
      measure(time, x)
      locate(time)
      if (m.count[FAST_LEVEL] === 0) return warmUp(x)
      layBases()
      compare(time, x)
      learnSpread(time, x)
      learnExpert(FAST_LEVEL, time, x)
      learnExpert(SLOW_LEVEL, time, x)
      for (let k = 0; k < layers; k++)
        if (time - m.start >= season[k] && !Number.isNaN(base[FIRST_SEASON + k])) learnExpert(FIRST_SEASON + k, time, x)
      learnSeasons(time, x)
      m.chosen = choose()
    },
    snapshot: () => copyState(m) as unknown as State,
  }
}
