import { z } from 'zod'
import { component } from '../component.ts'
import type { State } from '../detectors/detector.ts'
import { HOUR } from '../duration.ts'
import { InputError } from '../errors.ts'
import { isBeyondMeasure } from '../math/is-measured.ts'
import { duration } from '../schema.ts'
import { excessAt, fitTail } from './generalized-pareto.ts'
import { judged, type Rule, UNBOUNDED } from './rule.ts'

const config = z.strictObject({
  alarms: z.number().positive().default(1).meta({ description: 'false alarms to live with …' }),
  per: duration().prefault('1w').meta({ description: '… in so long a time, for each series' }),
  minimum: z.number().min(0).default(4).meta({ description: 'a score below it is never strange' }),
})

/** The default rule. Siffer et al. 2017 (SPOT): peaks over threshold on the tail of the scores, without labels; see `Tail` for where we depart. */
export const budget = component({
  type: 'budget',
  summary: 'At most so many false alarms a week, calibrated on the scores themselves.',
  config,
  examples: [{}, { alarms: 1, per: '1d', minimum: 3 }, { alarms: 2, per: '1w', minimum: 0 }],
  create: options => fromBudget(options),
})

function fromBudget(options: z.output<typeof config>): Rule {
  return {
    judge(scores, state) {
      const tail = new Tail(options, state)
      const { value } = scores.columns
      const strength = judged(scores).map((score, i) => tail.judge(scores.times[i], score, isBeyondMeasure(value[i])))
      return { strength, state: tail.snapshot() }
    },
  }
}

/** Rows before anything is said. */
const UNDECIDED = 20
/** Rows before the fitted tail is believed alone; until then a high multiple of the spread holds too. */
const UNSURE = 64
const UNSURE_MULTIPLE = 12
/** Block maxima kept; when all are used, pairs become one, until they span `MEMORY` periods of the budget. */
const BLOCKS = 256
const MEMORY = 8
/** Part of the block maxima that counts as the tail, and the least number of them. */
const TAIL_PART = 0.2
const TAIL_LEAST = 8
/** What is thought of tails before they are seen: a little heavier than exponential, worth so many excesses. */
const PRIOR_SHAPE = 0.2
const PRIOR_WEIGHT = 15
/** A limit from few blocks is widened by this part of one over the root of their number. */
const CAUTION = 4
/** A new highest score at this part of the limit waits so many rows before it is learned: it may be the first of an alarm. */
const SUSPECT_STRENGTH = 0.5
const SUSPECT_ROWS = 5
/** Calm rows that part one alarm from the next. */
const APART = 15
/** Alarms beyond the budget before they are believed to be usual here, and then learned as they are. */
const TOLERATED_ALARMS = 8
/** Strange rows in debt before they are learned like others: so many, or so long when rows are dense; a calm row pays back a tenth. */
const TOLERATED_ROWS = 300
const TOLERATED_TIME = 2 * HOUR

/**
 * The tail of the scores of one series, in bounded memory. Departs from SPOT: peaks are maxima of blocks of rows, so that a run of exceedances is
 * one alarm; the probability is per time rather than per row; and a fault does not teach. Of an alarm only its first row is learned, as one
 * more of the highest peaks that were no alarm, because the far extrapolation would make much of anything higher; but when alarms come far
 * more often than the budget, or strangeness does not end, they are learned in full. Nor do the rows that lead up to an alarm teach: a new
 * highest score just below the limit is learned only when some rows later no alarm has come of it.
 */
class Tail {
  readonly #alarms: number
  readonly #per: number
  readonly #minimum: number
  /** Closed blocks, oldest first. */
  #maxima: Float64Array
  #count: number
  /** Rows in a closed block. */
  #size: number
  #open: number
  #openRows: number
  #rows: number
  /** NaN while undecided. */
  #limit: number
  #last: number
  /** First differences of time; their median is the step. */
  #steps: number[]
  #step: number
  #calm: number
  #alarmDebt: number
  #rowDebt: number
  /** The highest score that waits to be learned, NaN for none, and the rows it has waited. */
  #suspect: number
  #suspectRows: number

  constructor({ alarms, per, minimum }: z.output<typeof config>, state: State | undefined) {
    if (state && state.version !== 1) throw new InputError(`state of budget must have version 1, got ${state.version}`)
    const from = (state ?? {}) as Partial<Record<string, number>> & { maxima?: Float64Array; steps?: Float64Array }
    this.#alarms = alarms
    this.#per = per
    this.#minimum = minimum
    this.#maxima = new Float64Array(BLOCKS)
    this.#maxima.set(from.maxima ?? [])
    this.#count = from.maxima?.length ?? 0
    this.#size = from.size ?? 1
    this.#open = from.open ?? NaN
    this.#openRows = from.openRows ?? 0
    this.#rows = from.rows ?? 0
    this.#limit = from.limit ?? NaN
    this.#last = from.last ?? NaN
    this.#steps = Array.from(from.steps ?? [])
    this.#step = from.step ?? NaN
    this.#calm = from.calm ?? APART
    this.#alarmDebt = from.alarmDebt ?? 0
    this.#rowDebt = from.rowDebt ?? 0
    this.#suspect = from.suspect ?? NaN
    this.#suspectRows = from.suspectRows ?? 0
  }

  snapshot(): State {
    return {
      version: 1,
      maxima: this.#maxima.slice(0, this.#count),
      size: this.#size,
      open: this.#open,
      openRows: this.#openRows,
      rows: this.#rows,
      limit: this.#limit,
      last: this.#last,
      steps: Float64Array.from(this.#steps),
      step: this.#step,
      calm: this.#calm,
      alarmDebt: this.#alarmDebt,
      rowDebt: this.#rowDebt,
      suspect: this.#suspect,
      suspectRows: this.#suspectRows,
    }
  }

  /** Strength of the row by what came before it; then learns it. `infinite`: its value is, so that it has no score. */
  judge(time: number, score: number, infinite: boolean): number {
    this.#learnStep(time)
    if (!Number.isFinite(score)) return infinite ? this.#judgeInfinite() : NaN
    const strength = score / this.#limit
    this.#rows++
    if (strength >= 1) this.#learnStrange(score)
    else this.#learnCalm(this.#holdBack(score, strength))
    return strength
  }

  /** Beyond every limit, unless this comes so often that it is usual here. The limit of finite scores learns nothing of it. */
  #judgeInfinite(): number {
    if (this.#rows < UNDECIDED) return NaN
    if (this.#calm >= APART) this.#owe()
    this.#calm = 0
    return this.#alarmDebt > TOLERATED_ALARMS ? NaN : UNBOUNDED
  }

  /** One more alarm; the debt is paid back as time passes. */
  #owe(): void {
    this.#alarmDebt = Math.min(this.#alarmDebt + 1, TOLERATED_ALARMS + 1)
  }

  #learnStep(time: number): void {
    if (this.#steps.length < 32 && time > this.#last) {
      this.#steps.push(time - this.#last)
      this.#step = this.#steps.toSorted((a, b) => a - b)[this.#steps.length >>> 1]
    }
    this.#last = time
  }

  /** What of a calm score may be learned now. */
  #holdBack(score: number, strength: number): number {
    let ready = score
    if (strength >= SUSPECT_STRENGTH && score > this.#findHighest()) {
      if (Number.isNaN(this.#suspect)) this.#suspectRows = 0
      this.#suspect = Math.max(score, Number.isNaN(this.#suspect) ? score : this.#suspect)
      ready = this.#findHighest()
    }
    if (Number.isNaN(this.#suspect) || this.#suspectRows++ < SUSPECT_ROWS) return ready
    const held = this.#suspect
    this.#suspect = NaN
    return Math.max(ready, held)
  }

  #learnCalm(score: number): void {
    this.#calm++
    if (this.#step > 0) this.#alarmDebt = Math.max(0, this.#alarmDebt - (this.#alarms * this.#step) / this.#per)
    this.#rowDebt = Math.max(0, this.#rowDebt - 0.1)
    this.#add(score)
  }

  #learnStrange(score: number): void {
    const first = this.#calm >= APART
    this.#calm = 0
    this.#suspect = NaN
    const tolerated = Math.max(TOLERATED_ROWS, TOLERATED_TIME / this.#step)
    this.#rowDebt = Math.min(this.#rowDebt, tolerated) + 1
    if (first) this.#owe()
    const usual = this.#alarmDebt > TOLERATED_ALARMS || this.#rowDebt > tolerated
    if (usual) this.#add(score)
    else if (first) this.#add(Math.min(score, this.#findHighest()))
  }

  #add(score: number): void {
    this.#open = this.#openRows === 0 ? score : Math.max(this.#open, score)
    if (++this.#openRows < this.#size) return
    if (this.#count === BLOCKS) this.#makeRoom()
    if (this.#openRows < this.#size) return
    this.#maxima[this.#count++] = this.#open
    this.#openRows = 0
    if (this.#rows >= UNDECIDED) this.#limit = this.#findLimit()
  }

  #makeRoom(): void {
    if (2 * this.#size * BLOCKS * this.#step > MEMORY * this.#per) {
      this.#maxima.copyWithin(0, 1)
      this.#count--
      return
    }
    for (let i = 0; i < BLOCKS / 2; i++) this.#maxima[i] = Math.max(this.#maxima[2 * i], this.#maxima[2 * i + 1])
    this.#count = BLOCKS / 2
    this.#size *= 2
  }

  #findHighest(): number {
    return this.#maxima.subarray(0, this.#count).reduce((a, b) => Math.max(a, b), -Infinity)
  }

  #findLimit(): number {
    const n = this.#count
    const sorted = this.#maxima.subarray(0, n).toSorted()
    const tail = Math.max(TAIL_LEAST, Math.floor(n * TAIL_PART))
    const threshold = sorted[n - 1 - tail]
    const excesses = sorted.subarray(n - tail).map(score => score - threshold)
    /** Probability, for one block, to hold a false alarm. */
    const p = -Math.expm1((-this.#alarms * this.#size * this.#step) / this.#per)
    const excess = excessAt(fitTail(excesses, PRIOR_SHAPE, PRIOR_WEIGHT), Math.min(1, (p * n) / tail))
    let limit = threshold + excess * (1 + CAUTION / Math.sqrt(n))
    // Ties: what is seen more often than the budget allows must stay below the limit, though it has no spread.
    limit = Math.max(limit, 1.05 * threshold, 1.001 * sorted[Math.max(0, n - 1 - Math.ceil(p * n))])
    if (n < UNSURE) {
      const median = sorted[n >>> 1]
      limit = Math.max(limit, median + UNSURE_MULTIPLE * (sorted[Math.floor(0.75 * n)] - median))
    }
    return Math.max(limit, this.#minimum, Number.EPSILON)
  }
}
