import { z } from 'zod'
import { component } from '../component.ts'
import { DAY } from '../duration.ts'
import { isMeasured } from '../math/is-measured.ts'
import { median } from '../math/median.ts'
import { quantile } from '../math/quantile.ts'
import { seededRandom } from '../math/random.ts'
import type { IsolationForest } from '../models/isolation-forest.ts'
import { growIsolationForest } from '../models/isolation-forest.ts'
import type { WindowProfile } from '../models/window-profile.ts'
import { placeRow, profileWindow } from '../models/window-profile.ts'
import { copyState } from '../state.ts'
import { clearContributions } from './contributions.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { contributeForest } from './forest-contributions.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  trees: z.int().min(5).max(1000).default(100),
  sample: z.int().min(16).max(4096).default(256).describe('rows that each tree is grown on'),
  window: z.int().min(64).max(65_536).default(4096).describe('rows that the samples are drawn from: the newest ones'),
  refit: z.int().min(16).default(1024).describe('rows between growing the forest anew, once the window is full'),
  seed: z.int().min(0).max(4_294_967_295).default(1),
})
type Config = z.output<typeof config>

/** Rows before the first forest; it is grown anew at each doubling until the schedule of `refit` begins. */
const FIRST_FIT = 128
/** Scores of the forest move by this much with its random cuts: a smaller spread is none. */
const SPREAD_FLOOR = 0.02
/** Rows of the window on which the usual score is measured. */
const JUDGED = 256

/**
 * Isolation forest (Liu, Ting & Zhou 2008) over a window of rows, each column a dimension, grown anew at fixed row counts. The score is that of
 * the forest above its usual median, in standard deviations by the upper side (their 90 % quantile), plus log2(1 + spreads outside the window's 1 … 99 %): all cuts lie inside
 * what was seen, so that a forest cannot tell a value a little outside from one far outside, nor one that leaves a constant. Undecided for
 * 128 rows. Expected is the window's median, the band its 1 … 99 %. A column contributes how much its cuts shorten the paths of the row (see
 * `IsolationForest`) and how far it is outside; `channel`, whose band it is, is the column farthest from its median, and may be another one where
 * values are strange only together. A stream keeps two windows: 16 bytes × window × columns.
 */
export const isolationForest = component({
  type: 'isolation-forest',
  summary: 'How few random cuts set a row apart from those of a window (isolation forest).',
  config,
  create: options => fromStream({ lookback: DAY, multivariate: true, open: snapshot => openForest(options, snapshot) }),
  examples: [{}, { trees: 25, sample: 64, window: 512, refit: 256, seed: 3 }],
})

interface Memory extends Record<string, unknown> {
  version: 1
  columns: number
  seen: number
  /** Ring of the newest rows. */
  rows: Float64Array
  /** The ring as it was at the last fit, `fitted` rows. */
  grownOn: Float64Array
  fitted: number
  fits: number
}

function openForest({ trees, sample, window, refit, seed }: Config, snapshot?: State): Stream {
  let m: Memory | undefined
  let forest: IsolationForest | undefined
  let profile: WindowProfile | undefined
  let usual = NaN
  let spread = NaN
  let filled = new Float64Array(0)
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }

  if (snapshot?.version === 1 && 'columns' in snapshot) {
    m = copyState(snapshot) as unknown as Memory
    if (m.fitted > 0) grow(m)
  }

  function start(columns: number): Memory {
    const size = window * columns
    const none = () => new Float64Array(size).fill(NaN)
    return { version: 1, columns, seen: 0, rows: none(), grownOn: none(), fitted: 0, fits: 0 }
  }

  /** The forest of a fit hangs on the rows it was grown on and on its number only, so that a snapshot need not hold it. */
  function grow({ grownOn, fitted, columns, fits }: Memory): void {
    profile = profileWindow(grownOn, fitted, columns)
    filled = new Float64Array(columns)
    const known = Float64Array.from(grownOn.subarray(0, fitted * columns), (cell, i) => fillCell(cell, i % columns))
    const random = seededRandom(seed + fits)
    forest = growIsolationForest(known, fitted, columns, { trees, sample }, random)
    const step = Math.max(1, fitted / JUDGED)
    const scores: number[] = []
    for (let i = 0; i < fitted; i += step) {
      const at = Math.floor(i) * columns
      scores.push(forest.score(known.subarray(at, at + columns)))
    }
    usual = median(scores)
    spread = Math.max((quantile(scores, 0.9) - usual) / 1.2816, SPREAD_FLOOR)
  }

  function fillCell(cell: number, column: number): number {
    if (isMeasured(cell)) return cell
    const { middle } = profile!
    return Number.isNaN(middle[column]) ? 0 : middle[column]
  }

  const isDue = (seen: number) =>
    seen >= window ? (seen - window) % refit === 0 : seen >= FIRST_FIT && Number.isInteger(Math.log2(seen / FIRST_FIT))

  return {
    score(_time, row) {
      judgement.value = row[0] ?? NaN
      judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
      delete judgement.channel
      const contributions = clearContributions(judgement, row.length)
      if (!forest || !profile) return judgement
      let known = false
      for (let c = 0; c < row.length; c++) {
        known ||= isMeasured(row[c])
        filled[c] = fillCell(row[c], c)
      }
      const { channel, outside } = placeRow(filled, profile)
      judgement.value = row[channel]
      judgement.expected = profile.middle[channel]
      judgement.lower = profile.low[channel]
      judgement.upper = profile.high[channel]
      if (row.length > 1) judgement.channel = channel
      if (!known) return judgement
      const above = Math.max(0, forest.score(filled) - usual) / spread
      judgement.score = above + Math.log2(1 + outside)
      if (contributions) contributeForest(contributions, row, filled, profile, above, forest)
      return judgement
    },
    learn(_time, row) {
      m ??= start(row.length)
      const { columns, rows } = m
      let known = false
      const at = (m.seen % window) * columns
      for (let c = 0; c < columns; c++) {
        const measured = isMeasured(row[c])
        known ||= measured
        rows[at + c] = measured ? row[c] : NaN
      }
      if (!known) return
      m.seen++
      if (!isDue(m.seen)) return
      m.grownOn.set(rows)
      m.fitted = Math.min(m.seen, window)
      m.fits++
      grow(m)
    },
    snapshot: () => (m ? (copyState(m) as unknown as State) : { version: 1 }),
  }
}
