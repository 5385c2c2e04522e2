import { z } from 'zod'
import { component } from '../component.ts'
import { DAY } from '../duration.ts'
import { clamp } from '../math/clamp.ts'
import { isMeasured } from '../math/is-measured.ts'
import type { CutForest, CutForestState } from '../models/random-cut-forest.ts'
import { growCutForest } from '../models/random-cut-forest.ts'
import { copyState } from '../state.ts'
import { clearContributions } from './contributions.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  trees: z.int().min(5).max(500).default(50).describe('more trees: steadier scores, more time and memory'),
  sample: z.int().min(32).max(4096).default(256).describe('points that each tree remembers'),
  shingle: z.int().min(1).max(64).default(4).describe('rows in a point: 1 sees values only, more sees shapes'),
  memory: z.int().min(32).default(2560).describe('rows after which a remembered one has lost 1/e of its weight'),
  band: z.number().positive().default(4).describe('half width of the band in spreads of what the trees expect'),
  seed: z.int().min(0).max(4_294_967_295).default(1),
})
type Config = z.output<typeof config>

/** Of the expected value: smaller differences are rounding. */
const FLOOR = 0.01
/** A value of one column is remembered at most so many spreads from what was expected … */
const CLIP = 4
/** … doubled after so many rows on end, so that a new level is learned. */
const PATIENCE = 4
/** Rows over which level and spread of a column are averaged. */
const SLOW = 500
/** The same for the displacement. Of 500 and 2,000 the better on NAB. */
const SLOWER = 2000
/** A displacement teaches at most so many spreads of it. */
const DISPLACEMENT_CLIP = 4
/** A missing column is held for so many rows, then what the trees hold where the rest of the row fits. */
const HELD = 2
/** After more rows of which nothing is known, the rows before them are no shape with those behind. */
const BRIDGED = 2
/** Rows that are only learned from, after the first displacement, until its spread is known. */
const WARM_UP = 30

/**
 * Random cut forest over shingles (Guha, Mishra, Roy & Schrijvers 2016): the score is the collusive displacement, how many remembered
 * points must make way in a tree for this one, above its usual mean, in standard deviations of it (0 where it is below). Expected is what
 * the trees hold where the rest of the shingle fits best (median), and the band their spread. One column: what is remembered of a row is
 * clipped around the expectation, so that the rows after a spike do not look strange for having it in their shingle. Several columns: each
 * counts in its own spreads; a missing one is remembered as expected and cuts nothing off. A column contributes the displacement by cuts in its
 * values, those of all rows of the shingle (a cut is in a dimension with the chance of its length: definition 1). `channel`, whose value and band are
 * of the newest row, has the largest part of that row alone: after a spike they may differ for as long as it is in the shingle. After more than two rows without any value the shingle starts anew. Undecided until half a sample and 30 rows
 * are seen. A snapshot has (46 + 8 × dimensions) bytes × trees × sample: 1 MB by default.
 */
export const randomCutForest = component({
  type: 'random-cut-forest',
  summary: 'How much a point and the rows before it stand apart from those remembered, by random cuts.',
  config,
  create: options => fromStream({ lookback: DAY, multivariate: true, open: snapshot => openForest(options, snapshot) }),
  examples: [{}, { trees: 10, sample: 64, shingle: 1, seed: 7 }],
})

interface Memory extends Record<string, unknown> {
  version: 1
  /** The last rows, oldest first, as they were remembered; newest columns last. */
  shingle: Float64Array
  /** Of several columns: 1 where the shingle is a guess, and rows since each column was known. */
  guessed: Uint8Array
  missing: Float64Array
  /** Rows on end of which nothing is known. */
  silence: number
  rows: number
  run: number
  counts: Float64Array
  means: Float64Array
  spreads: Float64Array
  /** Usual displacement, and its variance. */
  usual: number
  variance: number
  judged: number
}

/** A displacement moves by a point whatever the data: less is no spread. */
const spreadOf = ({ variance }: Memory) => Math.max(Math.sqrt(variance), 1)

function openForest({ trees, sample, shingle, memory, band, seed }: Config, snapshot?: State): Stream {
  let m: Memory | undefined
  let forest: CutForest | undefined
  let point = new Float64Array(0)
  let weights = new Float64Array(0)
  /** The weights of what is known. */
  let sight = new Float64Array(0)
  let shares = new Float64Array(0)
  const found = new Float64Array(trees)
  let scored = new Float64Array(0)
  let scoredAt = -1
  let displacement = NaN
  let imputed = -1
  let expected = NaN
  let spread = NaN
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }

  if (snapshot?.version === 1 && 'forest' in snapshot) {
    const { forest: state, ...rest } = copyState(snapshot) as unknown as Memory & { forest: CutForestState }
    start(rest.means.length, rest as Memory, state)
  }

  function start(columns: number, memoryOf?: Memory, state?: CutForestState): void {
    const dimensions = columns * shingle
    m = memoryOf ?? {
      version: 1,
      shingle: new Float64Array(dimensions),
      guessed: new Uint8Array(columns > 1 ? dimensions : 0),
      missing: new Float64Array(columns),
      silence: 0,
      rows: 0,
      run: 0,
      counts: new Float64Array(columns),
      means: new Float64Array(columns),
      spreads: new Float64Array(columns),
      usual: 0,
      variance: 0,
      judged: 0,
    }
    m.guessed ??= new Uint8Array(columns > 1 ? dimensions : 0)
    m.missing ??= new Float64Array(columns)
    m.silence ??= 0
    forest = growCutForest({ trees, sample, dimensions, memory, seed }, state)
    point = new Float64Array(dimensions)
    weights = new Float64Array(dimensions).fill(1)
    sight = new Float64Array(dimensions).fill(1)
    shares = new Float64Array(dimensions)
    scored = new Float64Array(dimensions)
  }

  /** Puts the row behind the remembered ones into `point`; false when nothing of it is known. */
  function fill(now: Memory, row: ArrayLike<number>): boolean {
    const { shingle: last, means, spreads, counts, missing, guessed } = now
    const columns = means.length
    const newest = point.length - columns
    let known = 0
    point.set(last.subarray(columns))
    for (let c = 0; c < columns; c++) {
      const measured = isMeasured(row[c])
      if (measured) known++
      point[newest + c] = measured ? row[c] : counts[c] > 0 ? last[newest + c] : means[c]
      if (columns === 1) continue
      const weight = 1 / Math.max(spreads[c], FLOOR * Math.abs(means[c]), 1e-9)
      for (let i = c; i < weights.length; i += columns) {
        weights[i] = counts[c] > 0 ? weight : 1
        const known = i < newest ? guessed[i + columns] === 0 : measured
        sight[i] = known ? weights[i] : 0
      }
    }
    if (known > 0 && known < columns && forest!.seen() >= sample / 2)
      for (let c = 0; c < columns; c++) {
        if (isMeasured(row[c]) || missing[c] < HELD || counts[c] === 0) continue
        impute(forest!, newest + c)
        point[newest + c] = expected
      }
    return known > 0
  }

  /** Sets `displacement` and `shares` of `point`, unless they are those of the last call. */
  function displace(forest: CutForest): void {
    if (scoredAt === forest.seen() && scored.every((value, i) => value === (sight[i] === 0 ? Infinity : point[i]))) return
    displacement = forest.displacement(point, sight, m!.means.length > 1 ? shares : undefined)
    for (let i = 0; i < scored.length; i++) scored[i] = sight[i] === 0 ? Infinity : point[i]
    scoredAt = forest.seen()
  }

  /** Sets `expected` and `spread` of a dimension of `point`. What a single column is expected to be next hangs on what was learned only. */
  function impute(forest: CutForest, at: number): void {
    if (imputed === forest.seen() && m!.means.length === 1) return
    imputed = forest.seen()
    forest.impute(point, at, found)
    found.sort()
    const middle = (trees - 1) / 2
    expected = (found[Math.floor(middle)] + found[Math.ceil(middle)]) / 2
    const quartiles = found[Math.floor(0.75 * trees)] - found[Math.floor(0.25 * trees)]
    spread = Math.max(quartiles / 1.349, FLOOR * Math.abs(expected), 1e-12)
  }

  return {
    score(_time, row) {
      judgement.value = row[0] ?? NaN
      judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
      delete judgement.channel
      const contributions = clearContributions(judgement, row.length)
      if (!m || !forest || forest.seen() < sample / 2) return judgement
      const known = fill(m, row)
      if (known ? m.silence > BRIDGED && shingle > 1 : row.length > 1) return judgement
      let channel = Math.max(0, Array.prototype.findIndex.call(row, isMeasured))
      if (known) {
        displace(forest)
        if (m.judged >= WARM_UP) judgement.score = Math.max(0, displacement - m.usual) / spreadOf(m)
        const newest = point.length - row.length
        for (let c = channel + 1; c < row.length; c++) if (shares[newest + c] > shares[newest + channel]) channel = c
        if (row.length > 1) judgement.channel = channel
        if (contributions) for (let i = 0; i < shares.length; i++) contributions[i % row.length] += shares[i]
        if (contributions) for (let c = 0; c < row.length; c++) if (!isMeasured(row[c])) contributions[c] = 0
        judgement.value = row[channel]
      }
      const at = point.length - row.length + channel
      impute(forest, at)
      const margin = band * spread
      judgement.expected = expected
      judgement.lower = expected - margin
      judgement.upper = expected + margin
      return judgement
    },
    learn(_time, row) {
      if (!m || !forest) start(row.length)
      const { means, spreads, counts, shingle: last } = m!
      if (!fill(m!, row)) {
        m!.silence = Math.min(m!.silence + 1, 1e9)
        return
      }
      const columns = means.length
      const newest = point.length - columns
      const anew = m!.silence > BRIDGED && shingle > 1
      m!.silence = 0
      if (anew) for (let i = newest - 1; i >= 0; i--) point[i] = point[i + columns]
      if (!anew && forest!.seen() >= sample / 2) {
        displace(forest!)
        const count = (m!.judged = Math.min(m!.judged + 1, SLOWER))
        const limit = count > WARM_UP ? DISPLACEMENT_CLIP * spreadOf(m!) : Infinity
        const error = clamp(displacement - m!.usual, -limit, limit)
        m!.usual += error / count
        m!.variance += (error * error - m!.variance) / count
      }
      if (columns === 1 && !anew && forest!.seen() >= sample / 2) {
        impute(forest!, newest)
        const limit = CLIP * spread * 2 ** (m!.run / PATIENCE)
        const clipped = clamp(point[newest], expected - limit, expected + limit)
        m!.run = clipped === point[newest] ? 0 : Math.min(m!.run + 1, 1000)
        point[newest] = clipped
      }
      last.set(point)
      if (anew) imputed = -1
      if (columns > 1) {
        m!.guessed.copyWithin(0, columns)
        for (let c = 0; c < columns; c++) {
          const measured = isMeasured(row[c])
          m!.guessed[newest + c] = measured ? 0 : 1
          m!.missing[c] = measured ? 0 : Math.min(m!.missing[c] + 1, 1e9)
        }
      }
      if (++m!.rows >= shingle && !anew) forest!.learn(point, weights)
      for (let c = 0; c < columns; c++) {
        if (!isMeasured(row[c])) continue
        const count = Math.min(++counts[c], SLOW)
        const limit = count > 30 ? CLIP * Math.max(spreads[c], FLOOR * Math.abs(means[c]), 1e-12) : Infinity
        const error = clamp(row[c] - means[c], -limit, limit)
        means[c] += error / count
        if (count > 1) spreads[c] += (Math.abs(error) - spreads[c]) / count
      }
      m!.rows = Math.min(m!.rows, 1e9)
    },
    snapshot: () => (m ? ({ ...copyState(m), forest: forest!.state() } as State) : { version: 1 as const }),
  }
}
