import { DAY } from '../../duration.ts'
import { isMeasured } from '../../math/is-measured.ts'
import type { Judgement, State, Stream } from '../detector.ts'
import type { Resonance, ResonanceState } from '../resonance/resonance.ts'
import { openResonance } from '../resonance/resonance.ts'
import { openDayView } from './day-view.ts'
import type { LastingState } from './lasting-departure.ts'
import { openLastingDeparture } from './lasting-departure.ts'
import { openLevelView } from './level-view.ts'
import { openRangeRule } from './range-rule.ts'
import { openResidualView } from './residual-view.ts'
import { openScoreHistogram } from './score-histogram.ts'

/** What the univariate default needs from outside: the stream that says the band, and local time less UTC. */
export interface UnivariateParts {
  readonly openBand: (snapshot?: State) => Stream
  readonly zone: (time: number) => number
}

/** Rows before the first score. */
const WARM_UP = 12
/** What was chosen with labels in sight. Everyone but a bench that moves it uses the values below. */
export interface UnivariateTuning {
  /** Weights of the logged views of season, time of day and level, where that of the residual is 1. */
  readonly season: number
  readonly day: number
  readonly level: number
  /** Each view is divided by the value that this part of its own past exceeds (not less than 1), found anew as the rows go by. */
  readonly beyond: number
  /** The ranking score is a mean over so many rows. */
  readonly smooth: number
  /** Rows over which a vote fades by 1 / e: votes that come one after the other add up. */
  readonly hold: number
  /** A value so far outside the range seen (as a part of it) casts a vote of so much. */
  readonly rangeTolerance: number
  readonly rangeVote: number
  /** Weights of the ranked novelty of short shapes, of the surprise of long ones, and of a departure that lasts. */
  readonly novelty: number
  readonly surprise: number
  readonly lasting: number
  /** In an alarm the row itself counts by so much more than in the score. */
  readonly fresh: number
  /** Votes of the past count at most so many times what is seen now, so that an alarm ends with its cause. */
  readonly now: number
  /** The sum of votes is divided by this more than its own usual height, the 90 % quantile, so that restless series must say more. */
  readonly restless: number
  /** A row whose log-sum exceeds its own upper quantile so many times is sudden, and worth at least `suddenVote` and what lies above. */
  readonly sudden: number
  readonly suddenVote: number
  /** On the first day everything is new: votes count so little, and fully from the end of the second on. */
  readonly young: number
}

export const UNIVARIATE_TUNING: UnivariateTuning = {
  season: 0.5,
  day: 0.5,
  level: 0.5,
  beyond: 0.01,
  smooth: 5,
  hold: 30,
  rangeTolerance: 0.05,
  rangeVote: 2,
  novelty: 0.5,
  surprise: 1,
  lasting: 0.5,
  fresh: 0.25,
  now: 2,
  restless: 2,
  sudden: 1.7,
  suddenVote: 1,
  young: 0.3,
}

/** Views: residual, season, time of day, level. */
const VIEWS = 4
const UPPER_MEMORY = 100_000
const REFRESH_FIRST = 50
const REFRESH = 1000
/** Rows of a block of each network, and whether it ranks novelties or tells surprises. */
const NETWORKS = [
  { block: 2, ranks: true },
  { block: 3, ranks: true },
  { block: 7, ranks: false },
]
const TRAINING = 104
const CATEGORIES = 96
/** Novelties are ranked among so many, at least `NOVELTY_FEW`. */
const NOVELTY_MEMORY = 20_000
const NOVELTY_FEW = 10
const USUAL = 0.9
const USUAL_MEMORY = 100_000
const USUAL_FEW = 300
/** Brings the votes, which are logarithms, to where scores in standard deviations are: 3 is odd, 6 is an anomaly. */
const ALARM_UNIT = 1.7

const MOST = 1e6

/** Votes: log-sum, range, departure, then one for each network. */
const VOTES = 3 + NETWORKS.length

/**
 * The default for one column. Four views (residual of an autoregression, seasonal, time of day, level), each divided by its own upper quantile,
 * are logged, summed and averaged over five rows: the score. The alarm adds to that sum the votes of a range rule, of shapes never seen before
 * and of a lasting departure from the time of day; each vote fades slowly, so that different signs of one event meet. A sudden row needs no
 * votes. An alarm is the exponential of all that: votes rank, and rules that look at the tail of alarms need the tail.
 */
export function openUnivariate(
  { openBand, zone }: UnivariateParts,
  snapshot?: State,
  tuning?: Partial<UnivariateTuning>,
): Stream {
  const tuned = { ...UNIVARIATE_TUNING, ...tuning }
  const { hold, rangeTolerance, rangeVote, fresh, now, restless, sudden, suddenVote, young } = tuned
  const viewWeights = [1, tuned.season, tuned.day, tuned.level]
  const smoothing = smoothingOver(tuned.smooth)
  const upperQuantile = 1 - tuned.beyond
  const known = snapshot?.version === 1 ? snapshot : undefined
  const inner = known?.views as readonly any[] | undefined
  const band = openBand(known?.band as State | undefined)
  const residual = openResidualView(inner?.[0])
  const day = openDayView(zone, inner?.[1])
  const level = openLevelView(20_000, 20_000, inner?.[2])
  const quantiles = viewWeights.map((_, i) => openScoreHistogram(UPPER_MEMORY, 0, (known?.quantiles as Float64Array[])?.[i]))
  const upper = known ? (known.upper as Float64Array).slice() : new Float64Array(VIEWS).fill(1)
  const range = openRangeRule(known?.range as Float64Array | undefined)
  const networks = NETWORKS.map(({ block }, i) =>
    openResonance({ block, training: TRAINING, categories: CATEGORIES }, (known?.networks as ResonanceState[])?.[i]),
  )
  const ranks = NETWORKS.map((_, i) => openScoreHistogram(NOVELTY_MEMORY, NOVELTY_FEW, (known?.ranks as Float64Array[])?.[i]))
  const lasting = openLastingDeparture(known?.lasting as LastingState | undefined)
  const totals = openScoreHistogram(USUAL_MEMORY, USUAL_FEW, known?.totals as Float64Array | undefined)
  const sums = known ? (known.sums as Float64Array).slice() : new Float64Array(smoothing.length - 1)
  const votes = known ? (known.votes as Float64Array).slice() : new Float64Array(VOTES)
  const suddens = openScoreHistogram(UPPER_MEMORY, 0, known?.suddens as Float64Array | undefined)
  // Rows, the row of the next refresh, usual height of the votes, of sudden rows, and the time of the first row.
  const n = known ? (known.n as Float64Array).slice() : Float64Array.of(0, REFRESH_FIRST, 0, 1, NaN)

  const judgement: Judgement = { score: NaN, alarm: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  const distances = new Float64Array(VIEWS)
  const novelties = new Float64Array(NETWORKS.length)
  const cast = new Float64Array(VOTES)
  const cell = new Float64Array(1)
  let logSum = 0
  let smooth = 0
  let total = 0
  let current = 0
  let seenTime = NaN
  let seenValue = NaN

  /** Looks at a row with all parts, once. */
  function look(time: number, x: number): void {
    if (time === seenTime && x === seenValue) return
    seenTime = time
    seenValue = x
    cell[0] = x
    const said = band.score(time, cell)
    judgement.expected = said.expected
    judgement.lower = said.lower
    judgement.upper = said.upper
    distances[0] = residual.look(time, x)
    distances[1] = said.score > 0 ? said.score : 0
    distances[2] = day.look(time, x)
    distances[3] = level.look(time, x)
    logSum = 0
    for (let i = 0; i < distances.length; i++) logSum += viewWeights[i] * Math.log1p(distances[i] / upper[i])
    smooth = smoothing[0] * logSum
    for (let i = 0; i < sums.length; i++) smooth += smoothing[i + 1] * sums[i]

    const fade = 1 - 1 / hold
    cast[0] = smooth + fresh * logSum
    cast[1] = range.look(x) > rangeTolerance ? rangeVote : 0
    cast[2] = tuned.lasting * voteOf(lasting.look(distances[2]))
    for (let i = 0; i < networks.length; i++) {
      const { block, ranks: ranked } = NETWORKS[i]
      const answer: Resonance = networks[i].look(x)
      novelties[i] = answer.novelty
      if (ranked) {
        const tail = answer.novelty > 0 ? ranks[i].tail(answer.novelty) + Math.log10(block) : 0
        cast[3 + i] = tuned.novelty * voteOf(tail)
      } else cast[3 + i] = tuned.surprise * answer.surprise
    }
    total = 0
    current = 0
    for (let i = 0; i < VOTES; i++) {
      current += i === 0 ? logSum : cast[i]
      total += cast[i] = Math.max(cast[i], fade * votes[i])
    }
  }

  return {
    score(time, row) {
      const x = row[0]
      judgement.value = x
      judgement.score = judgement.alarm = NaN
      if (!isMeasured(x)) {
        cell[0] = NaN
        const { expected, lower, upper } = band.score(time, cell)
        return Object.assign(judgement, { expected, lower, upper })
      }
      look(time, x)
      if (n[0] < WARM_UP) return judgement
      judgement.score = Math.min(MOST, Math.expm1(smooth))
      const voted = (youthAt(time - n[4], young) * restless * Math.min(total, now * current)) / (restless + n[2])
      const above = logSum - sudden * n[3]
      const sum = above > 0 ? above + Math.max(voted, suddenVote) : voted
      judgement.alarm = Math.min(MOST, ALARM_UNIT * Math.expm1(sum))
      return judgement
    },

    learn(time, row) {
      const x = row[0]
      if (!isMeasured(x)) return
      if (Number.isNaN(n[4])) n[4] = time
      look(time, x)
      // For so few, loops are faster than the methods of typed arrays.
      for (let i = 0; i < VOTES; i++) votes[i] = cast[i]
      for (let i = sums.length - 1; i > 0; i--) sums[i] = sums[i - 1]
      sums[0] = logSum
      for (let i = 0; i < distances.length; i++) quantiles[i].add(distances[i])
      if (n[0] >= n[1]) {
        n[1] = n[0] + (n[0] < 2000 ? REFRESH_FIRST : REFRESH)
        for (let i = 0; i < upper.length; i++) upper[i] = Math.max(1, quantiles[i].quantile(upperQuantile))
        n[3] = Math.max(1, suddens.quantile(upperQuantile))
        if (n[0] > USUAL_FEW) n[2] = totals.quantile(USUAL)
      }
      band.learn(time, row)
      residual.learn(time, x)
      day.learn(time, x)
      level.learn(time, x)
      range.learn(time, x)
      for (let i = 0; i < networks.length; i++) {
        networks[i].learn(x)
        // A perfect match is no novelty: ranked are those that are.
        if (novelties[i] > 0) ranks[i].add(novelties[i])
      }
      lasting.learn()
      totals.add(total)
      suddens.add(logSum)
      n[0] = Math.min(n[0] + 1, 2 ** 48)
      seenTime = NaN
    },

    snapshot: () => ({
      version: 1,
      band: band.snapshot(),
      views: [residual.snapshot(), day.snapshot(), level.snapshot()],
      quantiles: quantiles.map(histogram => histogram.snapshot()),
      upper: upper.slice(),
      range: range.snapshot(),
      networks: networks.map(network => network.snapshot()),
      ranks: ranks.map(histogram => histogram.snapshot()),
      lasting: lasting.snapshot(),
      totals: totals.snapshot(),
      suddens: suddens.snapshot(),
      sums: sums.slice(),
      votes: votes.slice(),
      n: n.slice(),
    }),
  }
}

/** Newest row first; the first counts most, so that a spike ranks where it is: for five rows .22, .21, .2, .19, .18. */
function smoothingOver(rows: number): number[] {
  const size = Math.max(1, Math.round(rows))
  return Array.from({ length: size }, (_, i) => Math.round((1e6 * (1 + ((size - 1) / 2 - i) / 20)) / size) / 1e6)
}

/** What votes are worth at this age (ms). */
function youthAt(age: number, young: number): number {
  if (!(age >= DAY)) return young
  return age < 2 * DAY ? young + (1 - young) * (age / DAY - 1) ** 2 : 1
}

/** One in three rows says nothing; one in 300 has a vote of 1. */
function voteOf(tail: number): number {
  return tail > 0.5 ? (tail - 0.5) ** 2 / 4 : 0
}
