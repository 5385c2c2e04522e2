import { z } from 'zod'
import { component } from '../component.ts'
import { DAY, WEEK } from '../duration.ts'
import { clamp } from '../math/clamp.ts'
import { isMeasured } from '../math/is-measured.ts'
import { mad } from '../math/mad.ts'
import { minimise } from '../math/nelder-mead.ts'
import { duration } from '../schema.ts'
import { copyState } from '../state.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  season: duration().default(DAY).describe('period of the tide'),
  kind: z
    .enum(['additive', 'multiplicative'])
    .default('additive')
    .describe('multiplicative: the tide grows with the level; for positive values'),
  refit: duration()
    .default(WEEK)
    .describe('smoothing parameters are fitted anew at whole multiples of this, on the last two seasons'),
  band: z.number().positive().default(4).describe('half width of the band in standard deviations of the one-step error'),
})
type Config = z.output<typeof config>

/**
 * States move once per slot of the season: five minutes of a day. Two seasons of slot means for fitting, and all states, fit into 4 KB. Where rows are
 * further apart, there are as many slots as rows.
 */
const SLOTS = 288
/** Damping of the trend (Hyndman & Athanasopoulos, 8.3), so that a gap or an outage does not extrapolate away. */
const DAMPING = 0.98
/** A slot's error teaches at most so many scales (Gelper, Fried & Croux 2010). */
const CLIP = 2.5
const SCALE_CLIP = 3
const FLOOR = 0.005

/**
 * Triple exponential smoothing (Winters 1960; Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 8.3), damped, additive or
 * multiplicative. Departures: states move once per slot (1/288 of the season, longer where rows are further apart) by the mean of its rows, and rows are judged against the
 * forecast between slots; errors are clipped. Parameters minimise the clipped one-step error over the first two seasons, and are fitted
 * anew at whole multiples of `refit`. Undecided for two seasons. The score is |error| in scales of the one-row error.
 */
export const holtWinters = component({
  type: 'holt-winters',
  summary: 'Distance from a forecast of level, trend and one season (triple exponential smoothing), fitted on the history.',
  config,
  create: options => fromStream({ lookback: 3 * options.season, open: snapshot => openHoltWinters(options, snapshot) }),
  examples: [{}, { kind: 'multiplicative' }, { season: '6m', refit: '1h' }],
})

/** What smoothing moves. `alpha` moves the level, `beta` the trend, `gamma` the season. */
interface Smoothing {
  level: number
  trend: number
  season: Float32Array
}
type Gains = readonly [alpha: number, beta: number, gamma: number]

interface Memory extends Smoothing, Record<string, unknown> {
  version: 1
  /** In one season. */
  slots: number
  fitted: boolean
  gains: number[]
  /** Number of the slot being filled, since the epoch. */
  slot: number
  first: number
  sum: number
  rows: number
  /** Slot means of the last two seasons, by slot number. */
  history: Float32Array
  /** Scale of slot errors, and of row errors. */
  slotVariance: number
  variance: number
  judged: number
  lastFit: number
  run: number
  runSum: number
}

function openHoltWinters({ season: period, kind, refit, band }: Config, snapshot?: State): Stream {
  const times = kind === 'multiplicative'
  const m: Memory =
    snapshot?.version === 1
      ? ({ slots: SLOTS, ...copyState(snapshot) } as unknown as Memory)
      : {
          version: 1,
          slots: SLOTS,
          fitted: false,
          gains: [0.1, 0.01, 0.1],
          level: 0,
          trend: 0,
          season: new Float32Array(SLOTS),
          slot: NaN,
          first: NaN,
          sum: 0,
          rows: 0,
          history: new Float32Array(2 * SLOTS).fill(NaN),
          slotVariance: 0,
          variance: 0,
          judged: 0,
          lastFit: NaN,
          run: 0,
          runSum: 0,
        }
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }

  /** Between the two nearest slots; a slot of one row is that row. */
  function seasonAt(time: number): number {
    if (m.slots < SLOTS) return m.season[wrap(slotAt(time))]
    const at = (time / period) * m.slots - 0.5
    const low = Math.floor(at)
    const share = at - low
    return m.season[wrap(low)] * (1 - share) + m.season[wrap(low + 1)] * share
  }

  /** Forecast of the time: the season on the level of the last full slot. */
  function forecast(time: number): number {
    const season = seasonAt(time)
    const level = m.level + DAMPING * m.trend
    return times ? level * season : level + season
  }
  const slotAt = (time: number) => Math.floor((time / period) * m.slots)
  const wrap = (slot: number) => ((slot % m.slots) + m.slots) % m.slots
  const scaleAt = (expected: number, x: number) =>
    Math.max(Math.sqrt(m.variance), FLOOR * Math.max(Math.abs(expected), Math.abs(x)), 1e-12)

  /** Makes the slots of the first two seasons as long as rows are apart, where that is longer; returns the number of the one that ended last. */
  function fitSlots(slot: number): number {
    const oldest = slot - m.history.length + 1
    const means = Array.from(m.history, (_, i) => m.history[wrap2(oldest + i)])
    const slots = Math.round(SLOTS / usualGap(means))
    if (slots >= SLOTS) return slot
    const place = (old: number) => Math.floor(((old + 0.5) * slots) / SLOTS)
    const sums = new Float64Array(2 * slots)
    const counts = new Float64Array(2 * slots)
    means.forEach((value, i) => {
      if (Number.isNaN(value)) return
      const at = place(oldest + i) % sums.length
      sums[at] += value
      counts[at]++
    })
    m.slots = slots
    m.history = Float32Array.from(sums, (sum, i) => sum / counts[i])
    m.season = new Float32Array(slots)
    m.first = place(m.first)
    return place(slot)
  }

  function fit(slot: number): void {
    const means = new Float32Array(2 * m.slots)
    for (let i = 0; i < means.length; i++) means[i] = m.history[wrap2(slot - means.length + 1 + i)]
    const known = means.filter(value => !Number.isNaN(value))
    // Less than a quarter of a season says nothing of its course.
    if (known.length < m.slots / 4) return
    const phase = wrap(slot + 1)
    const limit = 3 * Math.max(spread(means), 1e-12)
    const initial = initialise(means, phase, times)
    const found = minimise(
      logits => smooth(means, phase, copy(initial), toGains(logits), times, limit).error,
      [-2, -4, -2],
      1,
      40,
    )
    m.gains = [...toGains(found)]
    m.lastFit = slot
    if (m.fitted) return
    const state = copy(initial)
    const scale = mad(smooth(means, phase, state, toGains(found), times, limit).errors)
    m.level = state.level
    m.trend = state.trend
    m.season = state.season
    m.slotVariance = scale * scale
    m.variance = m.slotVariance * 2
    m.fitted = true
  }
  const wrap2 = (slot: number) => ((slot % (2 * m.slots)) + 2 * m.slots) % (2 * m.slots)

  /** The first fit, after the slot; the next row is at the time. */
  function begin(slot: number, time: number): void {
    const last = m.fitted || m.slots < SLOTS ? slot : fitSlots(slot)
    fit(last)
    m.slot = slotAt(time)
    for (let empty = last + 1; empty < m.slot; empty++) {
      m.history[wrap2(empty)] = NaN
      if (m.fitted) advance(empty, NaN)
    }
  }

  /** Closes the slot being filled, and those without rows after it up to the one of the time. */
  function close(time: number): void {
    const next = slotAt(time)
    if (next - m.slot > 2 * m.slots) skip(next)
    for (let slot = m.slot; slot < next; slot++) {
      const mean = m.rows > 0 ? m.sum / m.rows : NaN
      m.history[wrap2(slot)] = mean
      m.sum = 0
      m.rows = 0
      if (m.fitted) advance(slot, mean)
      const refitDue =
        m.fitted &&
        Math.floor(((slot + 1) * (period / m.slots)) / refit) > Math.floor(((m.lastFit + 1) * (period / m.slots)) / refit)
      if (!m.fitted && slot - m.first >= 2 * m.slots - 1) return begin(slot, time)
      if (refitDue) fit(slot)
    }
    m.slot = next
  }

  /** A gap of more than two seasons leaves no history; the states stay as they were. */
  function skip(next: number): void {
    m.history.fill(NaN)
    m.trend = 0
    if (!m.fitted) m.first = next
    m.slot = next
    m.sum = 0
    m.rows = 0
  }

  function advance(slot: number, mean: number): void {
    const phase = wrap(slot)
    const expected = times ? (m.level + DAMPING * m.trend) * m.season[phase] : m.level + DAMPING * m.trend + m.season[phase]
    const limit = CLIP * Math.max(Math.sqrt(m.slotVariance), FLOOR * Math.abs(expected), 1e-12)
    const error = Number.isNaN(mean) ? 0 : mean - expected
    const clipped = Math.abs(error) > limit
    const goesOn = clipped && m.runSum * error >= 0
    m.run = goesOn ? m.run + 1 : clipped ? 1 : 0
    m.runSum = goesOn ? m.runSum + error : clipped ? error : 0
    update(m, phase, mean, expected, limit, m.gains as unknown as Gains, times)
    if (!Number.isNaN(mean)) {
      const seen = Math.min(Math.abs(error), (SCALE_CLIP / CLIP) * limit)
      m.slotVariance += (1 / m.slots) * (seen * seen - m.slotVariance)
    }
    // Half a season on one side is no outage but a new level.
    if (m.run < m.slots / 2) return
    const shift = m.runSum / m.run
    m.level += times ? shift / Math.max(m.season[phase], 0.05) : shift
    m.trend = 0
    m.run = 0
    m.runSum = 0
  }

  return {
    score(time, row) {
      const x = row[0]
      judgement.value = x
      judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
      if (!m.fitted) return judgement
      const expected = forecast(time)
      const caution = 1 + 8 / (m.judged + 8)
      const margin = band * caution * scaleAt(expected, expected)
      judgement.expected = expected
      judgement.lower = expected - margin
      judgement.upper = expected + margin
      if (isMeasured(x)) judgement.score = Math.abs(x - expected) / (caution * scaleAt(expected, x))
      return judgement
    },
    learn(time, row) {
      const x = row[0]
      if (!isMeasured(x)) return
      if (Number.isNaN(m.slot)) m.slot = m.first = slotAt(time)
      if (slotAt(time) > m.slot) close(time)
      let taught = x
      if (m.fitted) {
        const expected = forecast(time)
        const scale = scaleAt(expected, x)
        const seen = Math.min(Math.abs(x - expected), SCALE_CLIP * scale)
        m.judged = Math.min(m.judged + 1, 1e9)
        m.variance += Math.max(1 / (m.judged + 10), 1 / 2000) * (seen * seen - m.variance)
        // While a run lasts, rows are taken as they are, so that the new level can be learned from them.
        const limit = m.run > 0 ? Infinity : 4 * scale
        taught = clamp(x, expected - limit, expected + limit)
      }
      m.sum += taught
      m.rows++
    },
    snapshot: () => copyState(m) as unknown as State,
  }
}

/** Free numbers to gains: α in 0.005 … 0.5, β in 0 … 0.1 of α, γ in 0.01 … 0.5. */
function toGains([a, b, c]: readonly number[]): Gains {
  const alpha = 0.005 + 0.495 / (1 + Math.exp(-a))
  return [alpha, (0.1 * alpha) / (1 + Math.exp(-b)), 0.01 + 0.49 / (1 + Math.exp(-c))]
}

function copy({ level, trend, season }: Smoothing): Smoothing {
  return { level, trend, season: season.slice() }
}

/** Level: mean of the first season; season: its smoothed distance (or ratio) from that mean, or the second's where the first is unknown. */
function initialise(means: Float32Array, phase: number, times: boolean): Smoothing {
  const slots = means.length / 2
  const seasons = [means.subarray(0, slots), means.subarray(slots)]
  const overall = mean(means)
  const [first, second] = seasons.map(mean).map(level => (Number.isNaN(level) ? overall : level))
  const relativeTo = (value: number, level: number) => (!times ? value - level : level > 0 ? value / level : 1)
  const season = new Float32Array(slots).fill(times ? 1 : 0)
  for (let i = 0; i < slots; i++) {
    let sum = 0
    let weights = 0
    for (let d = -1; d <= 1; d++) {
      const at = (i + d + slots) % slots
      const value = Number.isNaN(seasons[0][at]) ? relativeTo(seasons[1][at], second) : relativeTo(seasons[0][at], first)
      if (Number.isNaN(value)) continue
      const weight = d === 0 ? 2 : 1
      sum += weight * value
      weights += weight
    }
    if (weights > 0) season[(phase + i) % slots] = sum / weights
  }
  return { level: first, trend: 0, season }
}

function mean(values: Float32Array): number {
  let sum = 0
  let count = 0
  for (const value of values)
    if (!Number.isNaN(value)) {
      sum += value
      count++
    }
  return count > 0 ? sum / count : NaN
}

/** One step of smoothing, in error-correction form (Hyndman & Athanasopoulos, 8.5: ETS(A,Ad,A) and ETS(M,Ad,M)). */
function update(
  state: Smoothing,
  phase: number,
  value: number,
  expected: number,
  limit: number,
  [alpha, beta, gamma]: Gains,
  times: boolean,
): void {
  const error = Number.isNaN(value) ? 0 : clamp(value - expected, -limit, limit)
  const season = state.season[phase]
  const level = state.level + DAMPING * state.trend
  if (!times) {
    state.level = level + alpha * error
    state.trend = DAMPING * state.trend + beta * error
    state.season[phase] = season + gamma * (1 - alpha) * error
    return
  }
  // A season factor or level near zero says nothing of the other one.
  const factor = Math.max(season, 0.05)
  state.level = level + (alpha * error) / factor
  state.trend = DAMPING * state.trend + (beta * error) / factor
  if (level > 1e-12) state.season[phase] = clamp(season + (gamma * (1 - alpha) * error) / level, 0, 50)
}

/** Smooths the means from `state` (changed). `error` is the mean one-step error over the second season, clipped at `limit`. */
function smooth(
  means: Float32Array,
  phase: number,
  state: Smoothing,
  gains: Gains,
  times: boolean,
  limit: number,
): { error: number; errors: Float32Array } {
  const slots = means.length / 2
  const errors = new Float32Array(slots)
  let sum = 0
  let count = 0
  for (let i = 0; i < means.length; i++) {
    const at = (phase + i) % slots
    const level = state.level + DAMPING * state.trend
    const expected = times ? level * state.season[at] : level + state.season[at]
    const error = means[i] - expected
    if (i >= slots) errors[i - slots] = error
    if (i >= slots && !Number.isNaN(error)) {
      sum += Math.min(Math.abs(error), limit)
      count++
    }
    update(state, at, means[i], expected, limit, gains, times)
  }
  return { error: sum / count, errors }
}

/** Typical step between neighbouring means: the scale of what smoothing cannot know. */
function spread(means: Float32Array): number {
  const steps: number[] = []
  for (let i = 1; i < means.length; i++) {
    const step = Math.abs(means[i] - means[i - 1])
    if (step > 0) steps.push(step)
  }
  steps.sort((a, b) => a - b)
  return steps.length > 0 ? 1.4826 * steps[steps.length >> 1] : 0
}

/** Slots between neighbours that have rows, without the gaps of outages; 1 where every slot has. */
function usualGap(means: readonly number[]): number {
  const gaps: number[] = []
  let last = -1
  means.forEach((value, i) => {
    if (Number.isNaN(value)) return
    if (last >= 0) gaps.push(i - last)
    last = i
  })
  const usual = gaps.toSorted((a, b) => a - b)[gaps.length >> 1] ?? 1
  const regular = gaps.filter(gap => gap <= 1.5 * usual)
  return regular.reduce((sum, gap) => sum + gap, 0) / regular.length || 1
}
