import { DAY, HOUR, MINUTE, WEEK } from '../duration.ts'
import { autocorrelation } from '../math/autocorrelation.ts'
import { clamp } from '../math/clamp.ts'
import { mad } from '../math/mad.ts'
import { median } from '../math/median.ts'
import { movingMean } from '../math/moving-mean.ts'
import { powerAt } from '../math/power-at.ts'
import type { Frame } from './frame.ts'

/** A rhythm of a series. */
export interface Season {
  /** ms. */
  readonly period: number
  /** 0 … 1: the share of what moves, beside trend and other seasons, that comes again one period later (an autocorrelation). */
  readonly strength: number
}

/** Resolutions that are looked at, each so many times coarser than the one before, down to bins of so few rows. */
const COARSER = 8
const LEVELS = 5
/** Bins of the finest resolution at most (the newest), and those of each that are correlated, at so many lags. */
const BINS = 131_072
const CORRELATED = 16_384
const LAGS = 256
/** Bins in a cycle at least, where there is a resolution that has them: what moves faster is averaged away before a season is judged. */
const BINS_IN_CYCLE = 24
const SEASONS = 4
/** Of all that moves: a season of a smaller share is not worth a name, and a multiple of one found needs more. */
const SHARE = 0.01
const SHARE_OF_MULTIPLE = 0.04
/** Periods that people and machines keep; a period found so near to one that the data cannot tell them apart is that one. */
const HUMAN = [1, 5, 10, 15, 20, 30]
  .map(n => n * MINUTE)
  .concat(
    [1, 2, 3, 4, 6, 8, 12].map(n => n * HOUR),
    [DAY, WEEK],
  )
/** Cycles that must carry a season, or half of them where there are fewer. */
const CARRIERS = 3
/** Rhythms that are expected, so that less evidence is enough. */
const EXPECTED: readonly number[] = [DAY, WEEK]

/** A series in bins of `width` ms; a bin without a known row is NaN. */
interface Level {
  readonly width: number
  readonly bins: Float64Array
}

interface Candidate {
  readonly period: number
  readonly strength: number
}

/**
 * The seasons of the first column, strongest first; none when nothing comes again. Candidates are hills of the autocorrelation, and always day
 * and week (after Vlachos, Yu & Castelli 2005, section 3, which goes from periodogram to autocorrelation); a candidate must come again cycle by
 * cycle, by more than its number of cycles would give to a random walk, and its periodogram must have lines at its harmonics and not between
 * them; two or three events that happen to be equally far from each other are none. A found season is taken away before the next is looked for. Needs two cycles of a day, three of a week, four of anything else, and
 * four rows in a cycle.
 */
export function findSeasons(frame: Frame): readonly Season[] {
  const values = Object.values(frame.columns)[0]
  if (!values || frame.times.length < 16) return []
  const whole = makeBins(frame.times, values)
  const found: { readonly period: number; readonly part: Float64Array }[] = []
  let rest = whole
  while (found.length < SEASONS) {
    const moves = power(rest.bins) / power(whole.bins)
    const candidate = pick(makeLevels(rest), found, moves)
    if (!candidate) break
    const part = fold(rest, candidate.period)
    found.push({ period: candidate.period, part })
    rest = { ...rest, bins: minus(rest.bins, part) }
  }
  return found
    .map(({ period }, at): Season => {
      const own = found.reduce((bins, other, k) => (k === at ? bins : minus(bins, other.part)), whole.bins)
      return { period, strength: clamp(repeats(levelFor(makeLevels({ ...whole, bins: own }), period), period, 1), 0, 1) }
    })
    .filter(({ strength }) => strength > 0)
    .toSorted((a, b) => b.strength - a.strength)
}

const minus = (a: Float64Array, b: Float64Array) => a.map((value, i) => value - b[i])

function power(bins: Float64Array): number {
  let [sum, known] = [0, 0]
  for (const value of bins) {
    if (Number.isNaN(value)) continue
    sum += value * value
    known++
  }
  return sum / known
}

/** The newest rows on their grid, without their line and with outliers clipped. */
function makeBins(times: Float64Array, values: Float64Array): Level {
  const newest = times[times.length - 1]
  const width = median(times.subarray(1).map((time, i) => time - times[i]))
  const size = Math.min(BINS, Math.round((newest - times[0]) / width) + 1)
  const sums = new Float64Array(size)
  const counts = new Float64Array(size)
  for (let i = times.length - 1; i >= 0; i--) {
    const at = size - 1 - Math.round((newest - times[i]) / width)
    if (at < 0) break
    if (!Number.isFinite(values[i])) continue
    sums[at] += values[i]
    counts[at]++
  }
  return { width, bins: clipped(straightened(sums.map((sum, i) => sum / counts[i]))) }
}

function makeLevels(finest: Level): readonly Level[] {
  const levels = [finest]
  while (levels.length < LEVELS) {
    const { width, bins } = levels.at(-1)!
    const size = Math.floor(bins.length / COARSER)
    if (size < 2 * BINS_IN_CYCLE) break
    const first = bins.length - size * COARSER
    const means = Float64Array.from({ length: size }, (_, i) => mean(bins, first + i * COARSER, first + (i + 1) * COARSER))
    levels.push({ width: width * COARSER, bins: means })
  }
  return levels
}

function mean(bins: Float64Array, from: number, to: number): number {
  let [sum, known] = [0, 0]
  for (let i = from; i < to; i++) {
    if (Number.isNaN(bins[i])) continue
    sum += bins[i]
    known++
  }
  return sum / known
}

/** The coarsest resolution that still shows the course of a cycle. */
function levelFor(levels: readonly Level[], period: number): Level {
  return levels.findLast(({ width }) => period >= BINS_IN_CYCLE * width) ?? levels[0]
}

/** Minus the line through the medians of the first and the last third (Tukey's resistant line, in one pass). */
function straightened(bins: Float64Array): Float64Array {
  const third = Math.max(1, Math.floor(bins.length / 3))
  const left = median(bins.subarray(0, third))
  const right = median(bins.subarray(bins.length - third))
  const slope = (right - left) / (bins.length - third)
  if (!Number.isFinite(slope)) return bins
  return bins.map((value, i) => value - slope * i)
}

function clipped(bins: Float64Array): Float64Array {
  const centre = median(bins)
  const scale = mad(bins)
  if (!(scale > 0)) return bins.map(value => value - centre)
  return bins.map(value => clamp(value - centre, -8 * scale, 8 * scale))
}

function pick(levels: readonly Level[], taken: readonly { readonly period: number }[], moves: number): Candidate | undefined {
  const valid: Candidate[] = []
  const seen = new Set<number>()
  for (const [k, { width, bins }] of levels.entries())
    for (const rough of hills(width, bins.subarray(Math.max(0, bins.length - CORRELATED)), k)) {
      const level = levelFor(levels, rough)
      if (!(repeats(level, rough, 1) >= limitFor(level, rough) / 2)) continue
      const period = settle(level, rough)
      if (seen.has(period) || taken.some(other => Math.abs(other.period / period - 1) < 0.1)) continue
      seen.add(period)
      const strength = examine(level, period)
      const share = taken.some(other => divides(other.period, period)) ? SHARE_OF_MULTIPLE : SHARE
      if (strength > 0 && strength * moves >= share) valid.push({ period, strength })
    }
  const best = valid.toSorted((a, b) => b.strength - a.strength)[0]
  if (!best) return undefined
  // What repeats each day repeats each week too: the shortest period that explains enough is the season, the rest is found afterwards.
  const enough = ({ period, strength }: Candidate) => strength >= (EXPECTED.includes(period) ? 0.3 : 0.6) * best.strength
  return valid.filter(one => divides(one.period, best.period) && enough(one)).toSorted((a, b) => a.period - b.period)[0] ?? best
}

function divides(short: number, long: number): boolean {
  const times = long / short
  return Math.round(times) > 1 && Math.abs(times - Math.round(times)) < 0.05
}

/** Periods (ms) at which the autocorrelation has a hill, each level telling of those it sees best; and the expected ones. */
function hills(width: number, bins: Float64Array, k: number): readonly number[] {
  const longest = Math.min(LAGS, bins.length >> 1)
  const shortest = k === 0 ? 4 : LAGS / COARSER
  const r = autocorrelation(highPass(bins, 2 * longest), longest)
  const found: { lag: number; height: number }[] = []
  for (let lag = shortest; lag < longest; lag++) {
    const reach = Math.max(1, Math.floor(lag / 16))
    const near = r.subarray(Math.max(1, lag - reach), lag + reach + 1)
    if (!(r[lag] > 0) || near.some(other => other > r[lag])) continue
    const valley = r.subarray(lag >> 1, lag).reduce((least, other) => (other < least ? other : least), Infinity)
    if (r[lag] - valley > 0.03) found.push({ lag: lag + peakOffset(r, lag), height: r[lag] - valley })
  }
  const highest = found.toSorted((a, b) => b.height - a.height)
  const shortestHigh = found.filter(({ height }) => height >= 0.5 * highest[0].height)
  const lags = new Set([...highest.slice(0, 6), ...shortestHigh.slice(0, 4)].map(({ lag }) => lag))
  const fits = (period: number) => period >= shortest * width && period < LAGS * width
  return [...[...lags].map(lag => lag * width), ...EXPECTED.filter(fits)]
}

/** Where between its neighbours a peak is (−0.5 … 0.5), by the parabola through the three. */
function peakOffset(r: Float64Array, lag: number): number {
  const [a, b, c] = [r[lag - 1], r[lag], r[lag + 1] ?? NaN]
  const bend = a - 2 * b + c
  return bend < 0 ? clamp((a - c) / (2 * bend), -0.5, 0.5) : 0
}

/** The period more exactly, from where its multiples repeat; a human one when the data cannot tell them apart. */
function settle(level: Level, rough: number): number {
  const { width } = level
  const bins = level.bins.subarray(Math.max(0, level.bins.length - CORRELATED))
  let period = rough
  for (let times = 2; times <= 16 && times * period <= (bins.length * width) / 2; times *= 2) {
    const lag = Math.round((times * period) / width)
    const reach = Math.max(1, Math.floor(lag / times / 8))
    const from = lag - reach
    const r = Float64Array.from({ length: 2 * reach + 3 }, (_, i) => correlation(bins, from - 1 + i))
    let top = -1
    for (let i = 1; i < r.length - 1; i++) if (r[i] > 0 && (top < 0 || r[i] > r[top])) top = i
    if (top <= 1 || top === r.length - 2) break
    period = ((from - 1 + top + peakOffset(r, top)) * width) / times
  }
  const cycles = (bins.length * width) / period
  const tolerance = Math.max(width / 2, (0.5 * period) / cycles)
  const human = HUMAN.filter(one => one >= 2 * width && Math.abs(one - period) <= Math.min(tolerance, period / 16))
  const nearest = human.toSorted((a, b) => Math.abs(a - period) - Math.abs(b - period))[0]
  if (nearest !== undefined && repeats(level, nearest, 1) >= 0.95 * repeats(level, period, 1)) return nearest
  const whole = Math.round(period / width) * width
  return Math.abs(whole - period) <= Math.max(0.1 * width, period / cycles / 8) ? whole : period
}

function correlation(bins: Float64Array, lag: number): number {
  if (lag < 1 || lag >= bins.length) return NaN
  let [product, before, after] = [0, 0, 0]
  for (let i = lag; i < bins.length; i++) {
    const [a, b] = [bins[i - lag], bins[i]]
    if (Number.isNaN(a) || Number.isNaN(b)) continue
    product += a * b
    before += a * a
    after += b * b
  }
  return product / Math.sqrt(before * after)
}

/** Correlation of what moves faster than the period with itself `cycles` periods later. */
function repeats({ width, bins }: Level, period: number, cycles: number): number {
  const fast = highPass(bins, period / width)
  const lag = (cycles * period) / width
  const low = Math.floor(lag)
  const share = lag - low
  // A lag between two places has the correlation of both, in proportion.
  return share < 1e-9 ? correlation(fast, low) : (1 - share) * correlation(fast, low) + share * correlation(fast, low + 1)
}

function highPass(bins: Float64Array, lag: number): Float64Array {
  const trend = movingMean(bins, Math.max(2, Math.round(lag)))
  return bins.map((value, i) => value - trend[i])
}

/** Correlation that so few cycles of a random walk hardly reach; day and week need less. */
function limitFor({ width, bins }: Level, period: number): number {
  const cycles = (bins.length * width) / period
  return clamp((EXPECTED.includes(period) ? 0.8 : 1.2) / Math.sqrt(Math.max(0, cycles - 1)), 0.08, 0.9)
}

/** The strength of a season of this period, 0 when there is none to believe in. */
function examine(level: Level, period: number): number {
  const { width, bins } = level
  const cycles = (bins.length * width) / period
  const expected = EXPECTED.includes(period)
  if (cycles < (period === DAY ? 2 : period === WEEK ? 3 : 4) - 1e-9) return 0
  const once = repeats(level, period, 1)
  if (!(once >= limitFor(level, period))) return 0
  if (cycles >= 3.5 && !(repeats(level, period, 2) >= 0.6 * once)) return 0
  if (!expected && carriers(level, period) < Math.min(CARRIERS, (cycles - 1) / 2)) return 0
  return cycles < 3 || lines(level, period) >= (expected ? 2 : 4) ? once : 0
}

/** Over how many cycles that what comes again is spread, were it evenly (Kish's effective size of their products with the cycle before). */
function carriers({ width, bins }: Level, period: number): number {
  const fast = highPass(bins, period / width)
  const lag = Math.max(1, Math.round(period / width))
  let [sum, squares] = [0, 0]
  for (let to = fast.length; to > lag; to -= lag) {
    let product = 0
    for (let i = Math.max(lag, to - lag); i < to; i++) {
      const both = fast[i] * fast[i - lag]
      if (!Number.isNaN(both)) product += both
    }
    sum += product
    squares += product * product
  }
  return sum > 0 ? (sum * sum) / squares : 0
}

/** How much more power the harmonics of the period have than the frequencies halfway between them. */
function lines({ width, bins }: Level, period: number): number {
  const frequency = width / period
  const fast = highPass(bins, 1 / frequency)
  const harmonics = Math.max(1, Math.min(6, Math.floor(0.45 / frequency)))
  let [on, between] = [0, 0]
  for (let h = 1; h <= harmonics; h++) {
    on += powerAt(fast, h * frequency)
    between += (powerAt(fast, (h - 0.5) * frequency) + powerAt(fast, (h + 0.5) * frequency)) / 2
  }
  return between > 0 ? on / between : Infinity
}

/** The mean course of one period, put along the whole series; between two phases their proportion, 0 where nothing is known of them. */
function fold({ width, bins }: Level, period: number): Float64Array {
  const phases = Math.max(2, Math.ceil(period / width - 1e-6))
  const sums = new Float64Array(phases)
  const weights = new Float64Array(phases)
  const fast = highPass(bins, period / width)
  const phaseAt = (i: number) => (((i * width) / period) % 1) * phases
  for (let i = 0; i < fast.length; i++) {
    if (Number.isNaN(fast[i])) continue
    const phase = phaseAt(i)
    const low = Math.floor(phase)
    const share = phase - low
    sums[low % phases] += (1 - share) * fast[i]
    weights[low % phases] += 1 - share
    sums[(low + 1) % phases] += share * fast[i]
    weights[(low + 1) % phases] += share
  }
  const course = sums.map((sum, k) => (weights[k] > 1e-6 ? sum / weights[k] : 0))
  return fast.map((_, i) => {
    const phase = phaseAt(i)
    const low = Math.floor(phase)
    return course[low % phases] + (phase - low) * (course[(low + 1) % phases] - course[low % phases])
  })
}
