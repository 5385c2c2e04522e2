import { z } from 'zod'
import { component } from '../component.ts'
import { DAY } from '../duration.ts'
import { isMeasured } from '../math/is-measured.ts'
import { median } from '../math/median.ts'
import { quantile } from '../math/quantile.ts'
import { seededRandom } from '../math/random.ts'
import type { HalfSpaceTrees } from '../models/half-space-trees.ts'
import { buildHalfSpaceTrees } from '../models/half-space-trees.ts'
import type { WindowProfile } from '../models/window-profile.ts'
import { placeRow, profileWindow } from '../models/window-profile.ts'
import { copyState } from '../state.ts'
import { clearContributions } from './contributions.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { contributeForest } from './forest-contributions.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  trees: z.int().min(5).max(500).default(25),
  depth: z.int().min(2).max(12).default(8).describe('halvings of the space'),
  window: z.int().min(64).max(16_384).default(1000).describe('rows of the reference window, and of the latest one'),
  seed: z.int().min(0).max(4_294_967_295).default(1),
})
type Config = z.output<typeof config>

/** Rows of the first window; each next one has twice as many, up to `window`. */
const FIRST_WINDOW = 125
/** A row moves the mean mass of the trees by about this much: a smaller spread is none. */
const SPREAD_FLOOR = 0.25

/**
 * Streaming half-space trees (Tan, Ting & Liu 2011): rows are judged by the masses of a reference window while the latest window fills,
 * which then takes its place. The paper knows the ranges of the data; here each new reference is counted into trees drawn
 * anew over its own ranges, so the latest window is kept as rows and not as masses. The score is the usual mass of the reference window less
 * that of the row, in standard deviations by the lower side, plus log2(1 + spreads outside the reference's 1 … 99 %), because all that
 * is outside has the same mass. Undecided for 125 rows; windows double until they have their size, four
 * times the paper's by default (better on ASD and SMD). Expected is the reference's median, the band its 1 … 99 %. A column contributes how much
 * mass its halvings take from the row (see `HalfSpaceTrees`) and how far it is outside; `channel`, whose band it is, is the column farthest from
 * its median, and may be another one where values are strange only together.
 * A stream keeps two windows: 16 bytes × window × columns.
 */
export const halfSpaceTrees = component({
  type: 'half-space-trees',
  summary: 'How few rows of the window before lie in the same part of space (half-space trees).',
  config,
  create: options => fromStream({ lookback: DAY, multivariate: true, open: snapshot => openTrees(options, snapshot) }),
  examples: [{}, { trees: 10, depth: 6, window: 128, seed: 3 }],
})

interface Memory extends Record<string, unknown> {
  version: 1
  columns: number
  latest: Float64Array
  filled: number
  reference: Float64Array
  /** Rows of the reference. */
  size: number
  /** References so far. */
  turns: number
}

function openTrees({ trees, depth, window, seed }: Config, snapshot?: State): Stream {
  let m: Memory | undefined
  let space: HalfSpaceTrees | undefined
  let profile: WindowProfile | undefined
  let usual = NaN
  let spread = NaN
  let whole = new Float64Array(0)
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }

  if (snapshot?.version === 1 && 'columns' in snapshot) {
    m = copyState(snapshot) as unknown as Memory
    if (m.turns > 0) build(m)
  }

  function start(columns: number): Memory {
    const none = () => new Float64Array(window * columns).fill(NaN)
    return { version: 1, columns, latest: none(), filled: 0, reference: none(), size: 0, turns: 0 }
  }

  /** The trees hang on the reference and its number only, so that a snapshot need not hold them. */
  function build({ reference, size, columns, turns }: Memory): void {
    profile = profileWindow(reference, size, columns)
    whole = new Float64Array(columns)
    const { low, high, spread: width } = profile
    const ranges = {
      low: low.map((x, c) => (Number.isNaN(x) ? 0 : x - width[c])),
      high: high.map((x, c) => (Number.isNaN(x) ? 1 : x + width[c])),
    }
    const known = reference.subarray(0, size * columns).map((cell, i) => fillCell(cell, i % columns))
    space = buildHalfSpaceTrees(known, size, ranges, { trees, depth }, seededRandom(seed + turns))
    const masses = Float64Array.from({ length: size }, (_, i) => space!.mass(known.subarray(i * columns, (i + 1) * columns)))
    usual = median(masses)
    spread = Math.max((usual - quantile(masses, 0.1)) / 1.2816, SPREAD_FLOOR)
  }

  function fillCell(cell: number, column: number): number {
    if (isMeasured(cell)) return cell
    const { middle } = profile!
    return Number.isNaN(middle[column]) ? 0 : middle[column]
  }

  return {
    score(_time, row) {
      judgement.value = row[0] ?? NaN
      judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
      delete judgement.channel
      const contributions = clearContributions(judgement, row.length)
      if (!space || !profile) return judgement
      let known = false
      for (let c = 0; c < row.length; c++) {
        known ||= isMeasured(row[c])
        whole[c] = fillCell(row[c], c)
      }
      const { channel, outside } = placeRow(whole, profile)
      judgement.value = row[channel]
      judgement.expected = profile.middle[channel]
      judgement.lower = profile.low[channel]
      judgement.upper = profile.high[channel]
      if (row.length > 1) judgement.channel = channel
      if (!known) return judgement
      const below = Math.max(0, usual - space.mass(whole)) / spread
      judgement.score = below + Math.log2(1 + outside)
      if (contributions) contributeForest(contributions, row, whole, profile, below, space)
      return judgement
    },
    learn(_time, row) {
      m ??= start(row.length)
      const { columns, latest, filled } = m
      let known = false
      for (let c = 0; c < columns; c++) {
        const measured = isMeasured(row[c])
        known ||= measured
        latest[filled * columns + c] = measured ? row[c] : NaN
      }
      if (!known) return
      m.filled++
      if (m.filled < Math.min(window, FIRST_WINDOW * 2 ** m.turns)) return
      m.reference.set(latest)
      m.size = m.filled
      m.filled = 0
      m.turns++
      build(m)
    },
    snapshot: () => (m ? (copyState(m) as unknown as State) : { version: 1 }),
  }
}
