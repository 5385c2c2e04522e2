import { clearContributions } from '../contributions.ts'
import type { Judgement, State, Stream } from '../detector.ts'
import { openPerColumn } from '../per-column.ts'
import { openVectorAutoregressive, vectorAutoregressive } from '../vector-autoregressive.ts'
import type { ChannelLevels, LevelsState } from './channel-levels.ts'
import { openChannelLevels } from './channel-levels.ts'
import type { ScoreHistogram } from './score-histogram.ts'
import { openScoreHistogram } from './score-histogram.ts'
import type { UnivariateParts } from './univariate.ts'
import { openUnivariate } from './univariate.ts'

/** With so few columns each is looked at by itself as well: one relation between two metrics cannot stand for their shapes and seasons. */
const FEW = 3
/** What was chosen with labels in sight. Everyone but a bench that moves it uses the values below. */
export interface MultivariateTuning {
  /** Weight of the levels beside the residual, both in their own medians. */
  readonly levels: number
  /** The ranking score is an exponential mean of squares over so many rows. */
  readonly smooth: number
  /** Of the vector autoregression. */
  readonly ridge: number
  readonly clip: number
  readonly memory: number
}

const autoregression = vectorAutoregressive.config.parse({ smooth: 1 })

export const MULTIVARIATE_TUNING: MultivariateTuning = {
  levels: 0.2,
  smooth: 10,
  ridge: autoregression.ridge,
  clip: autoregression.clip,
  memory: autoregression.memory,
}

/** Scores by which the medians forget, and the rows after which they are found anew. */
const MEDIAN_MEMORY = 20_000
const REFRESH_FIRST = 50
const REFRESH = 1000
/** Of the root of the number of channels: where nothing ever moved, a small move is not endlessly strange. */
const LEAST_MEDIAN = 0.2
/** Brings a strangeness of calm rows (1) to where scores in standard deviations are. */
const UNIT = 2
/** Turns a strangeness into a score of the univariate default, a product of its views, so that the larger of both can be taken. */
const toProduct = (strangeness: number) => (1 + strangeness / 3) ** 2.5 - 1

/**
 * The default for several columns. Two views of all of them: what a vector autoregression did not predict, and how far all are from their usual
 * levels; each in units of its own median, which anomalies hardly move. The alarm is the length of both; the score the root of the exponential
 * mean of its squares over ten rows. Up to three columns, the univariate default looks at each of them too, and the largest counts.
 * Band and `channel` are those of the channel that was predicted worst, or, where a column alone is stranger, its own. Contributions are the squares
 * of which the alarm is the length, or those of the columns by themselves where one of them makes the alarm. The largest is another column than
 * `channel` where a level weighs more than what was not predicted: in a departure that lasts, which the band follows and the levels do not.
 */
export function openMultivariate(parts: UnivariateParts, snapshot?: State, tuning?: Partial<MultivariateTuning>): Stream {
  const { levels: levelWeight, smooth, ridge, clip, memory } = { ...MULTIVARIATE_TUNING, ...tuning }
  const known = snapshot?.version === 1 ? snapshot : undefined
  const residual = openVectorAutoregressive({ ...autoregression, ridge, clip, memory }, known?.residual as State | undefined)
  const medians: ScoreHistogram[] = [0, 1].map(i =>
    openScoreHistogram(MEDIAN_MEMORY, 0, (known?.medians as Float64Array[] | undefined)?.[i]),
  )
  // Rows, mean of squares, and both medians as they are in use.
  const n = known ? (known.n as Float64Array).slice() : Float64Array.of(0, NaN, NaN, NaN)
  let width = (known?.width as number | undefined) ?? 0
  let levels: ChannelLevels | undefined
  let alone: Stream | undefined
  if (width > 0) open(known?.levels as LevelsState, known?.alone as State | undefined)

  function open(levelsState?: LevelsState, aloneState?: State): void {
    levels = openChannelLevels(width, levelsState)
    if (width <= FEW) alone = openPerColumn(state => openUnivariate(parts, state), aloneState)
  }

  const unknown: Judgement = { score: NaN, alarm: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN, channel: NaN }
  const judgement = { ...unknown }
  const lengths = [NaN, NaN]
  let levelSquares = new Float64Array(width)

  /** Strangeness of the row, 1 when calm; leaves the lengths of both views behind. */
  function look(said: Judgement, row: ArrayLike<number>): number {
    lengths[0] = said.alarm ?? NaN
    lengths[1] = levels?.look(row, levelSquares) ?? NaN
    const level = lengths[1] / n[3]
    return Math.hypot(lengths[0] / n[2], Number.isNaN(level) ? 0 : levelWeight * level)
  }
  function contribute(said: Judgement, contributions: Float64Array): void {
    if (Number.isNaN(lengths[0] / n[2])) return
    addParts(contributions, said.contributions!, (lengths[0] / n[2]) ** 2)
    if (!Number.isNaN(lengths[1] / n[3])) addParts(contributions, levelSquares, ((levelWeight * lengths[1]) / n[3]) ** 2)
  }
  const smoothed = (strangeness: number) => (Number.isNaN(n[1]) ? strangeness ** 2 : n[1] + (strangeness ** 2 - n[1]) / smooth)

  return {
    score(time, row) {
      const said = residual.score(time, row)
      const strangeness = look(said, row)
      const { value, expected, lower, upper, channel = NaN } = said
      Object.assign(judgement, { value, expected, lower, upper, channel })
      judgement.score = UNIT * Math.sqrt(smoothed(strangeness))
      judgement.alarm = UNIT * strangeness
      const contributions = clearContributions(judgement, row.length)
      if (contributions) contribute(said, contributions)
      if (!alone) return judgement
      const single = alone.score(time, row)
      judgement.score = toProduct(judgement.score / UNIT)
      if (!(single.alarm! <= judgement.alarm)) {
        if (!Number.isNaN(single.alarm!)) {
          judgement.alarm = single.alarm!
          if (single.contributions) contributions?.set(single.contributions)
        }
        if (!Number.isNaN(single.alarm!) || Number.isNaN(expected)) {
          const { value, expected, lower, upper, channel = NaN } = single
          Object.assign(judgement, { value, expected, lower, upper, channel })
        }
      }
      if (!(single.score <= judgement.score) && !Number.isNaN(single.score)) judgement.score = single.score
      return judgement
    },
    learn(time, row) {
      if (!levels) {
        width = row.length
        levelSquares = new Float64Array(width)
        open()
      }
      const strangeness = look(residual.score(time, row), row)
      if (!Number.isNaN(strangeness)) n[1] = smoothed(strangeness)
      if (!Number.isNaN(lengths[0])) {
        medians.forEach((median, i) => median.add(lengths[i]))
        n[0] = Math.min(n[0] + 1, 1e9)
        const often = n[0] < REFRESH ? REFRESH_FIRST : REFRESH
        if (n[0] % often === 0)
          medians.forEach((median, i) => (n[2 + i] = Math.max(median.quantile(0.5), LEAST_MEDIAN * Math.sqrt(width))))
      }
      residual.learn(time, row)
      levels!.learn(row)
      alone?.learn(time, row)
    },
    snapshot: () => ({
      version: 1,
      width,
      residual: residual.snapshot(),
      medians: medians.map(median => median.snapshot()),
      n: n.slice(),
      ...(levels ? { levels: levels.snapshot() } : {}),
      ...(alone ? { alone: alone.snapshot() } : {}),
    }),
  }
}

/** Adds `whole` to the columns, divided as their squares are. */
function addParts(contributions: Float64Array, squares: Float64Array, whole: number): void {
  let sum = 0
  for (let c = 0; c < squares.length; c++) sum += squares[c]
  if (!(sum > 0)) return
  const part = whole / sum
  for (let c = 0; c < squares.length; c++) contributions[c] += part * squares[c]
}
