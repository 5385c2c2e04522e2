import { z } from 'zod'
import { component } from '../component.ts'
import { HOUR } from '../duration.ts'
import { isMeasured } from '../math/is-measured.ts'
import { copyState } from '../state.ts'
import { clearContributions, contributionOf } from './contributions.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  kind: z
    .enum(['additive', 'multiplicative'])
    .default('additive')
    .describe('multiplicative: a replica usually has a share of what its peers have; for positive values'),
  alpha: z
    .number()
    .gt(0)
    .max(1)
    .default(0.01)
    .describe('weight of the newest row in the usual distance of a replica from its peers, and in its spread'),
  clip: z.number().positive().default(3).describe('a distance teaches at most so many spreads'),
  band: z.number().positive().default(4).describe('half width of the band in spreads'),
})
type Config = z.output<typeof config>

/** Fewer say nothing of who is wrong. */
const FEWEST = 3
/** Rows of a replica before its first score. */
const WARM_UP = 30
/** Of the expected value: smaller distances are rounding. */
const FLOOR = 0.01
/** Of the value seen: keeps a fleet that was flat at zero from dividing by zero. */
const SEEN_FLOOR = 0.001

/**
 * One replica against the others: the columns of the frame are replicas of one thing (pods behind one service), and each is held to the
 * median of the others at the same time, as in peer group analysis (Bolton & Hand 2001, section 3). What all do together, such as a tide, a
 * release or an attack, is no anomaly. A replica may differ as it usually does: its usual distance (or ratio) and the spread of that
 * are learned with clipped errors. The score is |distance| in spreads; `channel` is the strangest replica, and expected is the median of the
 * others with its usual distance. A replica contributes its squared distance in spreads. A replica is only strange when it is far from the middle of all, too: with three of them an outlier
 * drags the median of the others of each of its peers. Undecided while fewer than three replicas are known. 24 bytes a replica.
 */
export const peerGroup = component({
  type: 'peer-group',
  summary: 'Distance of each replica from the median of the others at the same time, beyond its usual distance.',
  config,
  create: options =>
    fromStream({
      lookback: HOUR,
      multivariate: true,
      takesColumns: true,
      fewestColumns: FEWEST,
      open: snapshot => openPeerGroup(options, snapshot),
    }),
  examples: [{}, { kind: 'multiplicative', alpha: 0.05 }],
})

interface Memory extends Record<string, unknown> {
  version: 1
  /** Rows that taught, by replica. */
  counts: number[]
  /** Usual distance from the median of the others; a ratio when multiplicative. */
  offsets: number[]
  variances: number[]
}

function openPeerGroup({ kind, alpha, clip, band }: Config, snapshot?: State): Stream {
  const m: Memory =
    snapshot?.version === 1 ? (copyState(snapshot) as unknown as Memory) : { version: 1, counts: [], offsets: [], variances: [] }
  const times = kind === 'multiplicative'
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  const levelled: number[] = []
  const sorted: number[] = []

  /** What replica `c` would be if its peers were at `middle`. */
  const expect = (c: number, middle: number) =>
    !(m.counts[c] > 0) ? middle : times ? middle * m.offsets[c] : middle + m.offsets[c]
  const scaleAt = (c: number, expected: number, x: number, middle: number) =>
    Math.max(
      Math.sqrt(m.variances[c] ?? 0) * (times ? Math.abs(middle) : 1),
      FLOOR * Math.abs(expected),
      SEEN_FLOOR * Math.abs(x),
      1e-12,
    )

  /** Puts each replica where it would be without its usual distance, and sorts. Returns how many are known. */
  function level(row: ArrayLike<number>): number {
    sorted.length = 0
    for (let c = 0; c < row.length; c++) {
      const known = isMeasured(row[c])
      const ratio = m.counts[c] > 0 ? m.offsets[c] : 1
      levelled[c] = !known ? NaN : !times ? row[c] - (m.counts[c] > 0 ? m.offsets[c] : 0) : ratio > 1e-6 ? row[c] / ratio : NaN
      if (!Number.isNaN(levelled[c])) sorted.push(levelled[c])
    }
    sorted.sort((a, b) => a - b)
    return sorted.length
  }

  /** Median of the levelled replicas without the one at `levelled[c]`. */
  function middleOfOthers(c: number): number {
    const n = sorted.length
    if (Number.isNaN(levelled[c])) return middleOf()
    const at = sorted.indexOf(levelled[c])
    const without = (i: number) => sorted[i < at ? i : i + 1]
    return (without((n - 2) >> 1) + without((n - 1) >> 1)) / 2
  }
  const middleOf = () => (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2

  return {
    score(_time, row) {
      judgement.value = row[0] ?? NaN
      judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
      delete judgement.channel
      const contributions = clearContributions(judgement, row.length)
      if (level(row) < FEWEST) return judgement
      const all = middleOf()
      for (let c = 0; c < row.length; c++) {
        if (!(m.counts[c] >= WARM_UP) || !isMeasured(row[c])) continue
        const middle = middleOfOthers(c)
        const expected = expect(c, middle)
        const scale = scaleAt(c, expected, row[c], middle)
        const error = Math.min(Math.abs(row[c] - expected), Math.abs(row[c] - expect(c, all)))
        const score = error / scale
        if (contributions) contributions[c] = contributionOf(score)
        if (score <= judgement.score) continue
        const margin = band * scaleAt(c, expected, expected, middle)
        judgement.score = score
        judgement.value = row[c]
        judgement.expected = expected
        judgement.lower = expected - margin
        judgement.upper = expected + margin
        judgement.channel = c
      }
      return judgement
    },
    learn(_time, row) {
      while (m.counts.length < row.length) for (const list of [m.counts, m.offsets, m.variances]) list.push(0)
      if (level(row) < FEWEST) return
      const all = middleOf()
      // Distances first: what one replica teaches must not move the others within the row.
      const distances = Array.from(row, (x, c) => {
        const others = middleOfOthers(c)
        const middle = Math.abs(x - expect(c, others)) < Math.abs(x - expect(c, all)) ? others : all
        return { middle, distance: times ? x / middle : x - middle }
      })
      for (let c = 0; c < row.length; c++) {
        const { middle, distance } = distances[c]
        if (!isMeasured(row[c]) || !isMeasured(distance)) continue
        const count = m.counts[c]
        const gain = Math.max(alpha, 1 / (count + 1))
        const scale = scaleAt(c, expect(c, middle), row[c], middle) / (times ? Math.abs(middle) : 1)
        const limit = count >= WARM_UP ? clip * scale : Infinity
        const error = Math.max(-limit, Math.min(limit, distance - m.offsets[c]))
        m.offsets[c] += gain * error
        m.variances[c] = count > 0 ? (1 - gain) * (m.variances[c] + gain * error * error) : 0
        m.counts[c] = Math.min(count + 1, 1e9)
      }
    },
    snapshot: () => copyState(m) as unknown as State,
  }
}
