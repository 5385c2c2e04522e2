import { isMeasured } from '../../math/is-measured.ts'
import { buildCellBits } from '../../models/htm/cell-bits.ts'
import { openSdrClassifier, type SdrClassifierState } from '../../models/htm/sdr-classifier.ts'
import { openValueBuckets, type ValueBucketsState } from '../../models/htm/value-buckets.ts'
import { contributionOf } from '../contributions.ts'

/** Says which values the next row will have, out of the state of a temporal memory. */
export interface NextValues {
  /**
   * The column whose value was least expected, or the `known` one, with its value and what was expected of it (NaN while too little was seen); changes
   * nothing. Unless one is known, fills in how unexpected each value was: `contributionOf` nats, 0 where it is missing.
   */
  judge(row: ArrayLike<number>, known?: number, contributions?: Float64Array): Strangest
  /** Takes a row, the cells that it made active (column by column) and the bits that it was encoded to. */
  learn(row: ArrayLike<number>, cells: ArrayLike<number>, input: Uint8Array): void
  state(): NextValuesState
}

/** The object is the caller's until the next call. */
export interface Strangest {
  channel: number
  value: number
  expected: number
  lower: number
  upper: number
}

export interface NextValuesOptions {
  /** For each column, what its usual values lie in. */
  readonly ranges: readonly { readonly lower: number; readonly upper: number }[]
  /** Of the temporal memory. */
  readonly columns: number
  readonly cells: number
  /** Bits that a row is encoded to. */
  readonly inputs: number
}

/** Plain data from which it goes on; by far the most of it are the weights, 4 bytes for each bit, bucket and column. */
export interface NextValuesState {
  readonly learned: number
  readonly classifier: SdrClassifierState
  readonly buckets: readonly ValueBucketsState[]
}

/** Bits that cells are folded into. On NAB's taxi more made no difference. */
const CELL_BITS = 2048
/** Greater ones err no less and are too sure: of 1, 1.5, 2 and 3 the greatest whose band holds 95 of 100 values on a tide and three files of NAB. */
const RATE = 1.5
/** 64 foretell no better on average, for twice the time. */
const BUCKETS = 32
const LEAST_BUCKETS = 8
/** Weights of all columns together; many columns have fewer buckets each. */
const WEIGHTS = 1_000_000
/** Rows until it says anything. */
const WARM_UP = 100
/** Beyond the usual range on each side, in ranges. */
const MARGIN = 0.2
/** The band holds 95 of 100 values. */
const TAIL = 0.025

/**
 * An SDR classifier with a field for each column, one row ahead (Cui, Ahmad & Hawkins 2016). Departure: with a single column it sees the bits of the
 * input beside the cells, since pooled columns tell values less well apart.
 */
export function openNextValues({ ranges, columns, cells, inputs }: NextValuesOptions, from?: NextValuesState): NextValues {
  const cellBits = buildCellBits({ columns, cells, size: Math.min(CELL_BITS, columns * cells), columnBits: 'none' })
  // The bits of many columns are many, and mostly about others.
  const seen = ranges.length === 1 ? inputs : 0
  const bits = cellBits.size + seen
  const count = Math.max(LEAST_BUCKETS, Math.min(BUCKETS, Math.floor(WEIGHTS / bits / ranges.length)))
  const classifier = openSdrClassifier({ bits, buckets: count, fields: ranges.length, steps: 1, rate: RATE }, from?.classifier)
  const next = classifier.predict(1)
  const found = new Int32Array(ranges.length)
  const fields = ranges.map(({ lower, upper }, c) => {
    const margin = MARGIN * (upper - lower)
    const buckets = openValueBuckets({ count, lower: lower - margin, upper: upper + margin }, from?.buckets[c])
    return { buckets, lower: lower - margin, upper: upper + margin, next: next.subarray(c * count, (c + 1) * count) }
  })
  let learned = from?.learned ?? 0
  let set = new Uint32Array(0)
  const strangest: Strangest = { channel: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }

  /** Nats, and for a value beyond all buckets how far in widths of one. */
  function surpriseOf({ buckets, lower, upper, next }: (typeof fields)[number], value: number): number {
    const beyond = Math.max(0, value - upper, lower - value) / ((upper - lower) / count)
    return beyond - Math.log(next[buckets.bucketOf(value)])
  }

  return {
    judge(row, known = -1, contributions?) {
      let place = known
      let most = -1
      for (let c = 0; c < fields.length && known < 0; c++) {
        if (!isMeasured(row[c])) continue
        const surprise = surpriseOf(fields[c], row[c])
        if (contributions) contributions[c] = contributionOf(surprise)
        if (surprise <= most) continue
        most = surprise
        place = c
      }
      const isKnown = learned >= WARM_UP && (place >= 0 || fields.length === 1)
      const { buckets, next } = fields[Math.max(0, place)]
      strangest.channel = place >= 0 ? place : NaN
      strangest.value = row[Math.max(0, place)]
      strangest.expected = isKnown ? buckets.expected(next) : NaN
      strangest.lower = isKnown ? buckets.quantile(next, TAIL) : NaN
      strangest.upper = isKnown ? buckets.quantile(next, 1 - TAIL) : NaN
      return strangest
    },
    learn(row, active, input) {
      const folded = cellBits.fold(active)
      if (set.length < folded.length + seen) set = new Uint32Array(2 * folded.length + seen)
      set.set(folded)
      let size = folded.length
      for (let i = 0; i < seen; i++) if (input[i]) set[size++] = cellBits.size + i
      const present = set.subarray(0, size)
      for (let c = 0; c < fields.length; c++) found[c] = fields[c].buckets.bucketOf(isMeasured(row[c]) ? row[c] : NaN)
      classifier.update(present, found)
      for (let c = 0; c < fields.length; c++) if (found[c] >= 0) fields[c].buckets.learn(row[c])
      next.set(classifier.predict(1))
      learned++
    },
    state: () => ({
      learned,
      classifier: classifier.state(),
      buckets: fields.map(({ buckets }) => buckets.state()),
    }),
  }
}
