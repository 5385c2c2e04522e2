import { finish } from '../../models/boosted-trees/fit-boosted-trees.ts'
import type { Rows } from '../../models/networks/windows.ts'
import { copyState } from '../../state.ts'
import { clearContributions } from '../contributions.ts'
import type { Judgement, Models, State, Stream } from '../detector.ts'
import { openColdStart } from './cold-start.ts'
import { countDrift } from './drift.ts'
import { isKnown } from './fit-learned.ts'
import type { LearnedModel, LearnedOptions, LearnedState, MakeModel } from './learned-state.ts'
import { keptRows, PRIOR, readModel, scalingOf } from './learned-state.ts'
import { countSince, startLife, takeModels, wantsFit } from './model-life.ts'
import { capError, errorOf, errorScale } from './row-errors.ts'
import type { Expectation } from './row-model.ts'
import { columnOf, scaleColumn, scaleRows, scaleSeen, scaleValue } from './scaling.ts'

const ERROR_GAIN = 0.0002
/** A row lets a squared scale grow by at most this part: an outage of 20 rows doubles it, one of 300 rows is the new usual. */
const GROWTH = 0.04
/** Of the windows of validation, at the end, so many tell the first deviation of errors. */
const TAIL = 48
const NONE = new Float32Array(0)

/**
 * Goes row by row with a network that learns the last rows, on a schedule that depends on the count of rows alone. Centre (median) and unit (median
 * deviation) of each column are those of the rows that are learned. A column's strangeness is |error| in its usual size; the score is the root mean
 * square of those of all known columns, `channel` the largest, and a column contributes the square of its own. Until there is a network, rows are judged by a plain detector; see `openColdStart`.
 *
 * A stream that is given models judges with the one in force, keeps its rows for `fitLearned`, and says when a fit is due; see `wantsFit`. Weights are not in
 * its snapshot.
 */
export function openLearned(makeModel: MakeModel, options: LearnedOptions, snapshot?: State, models?: Models): Stream {
  const { warmUp, memory, refit, band, smooth, coldStart } = options
  const given = snapshot?.version === 1 ? snapshot : undefined
  let m: LearnedState = given ? (copyState(given) as unknown as LearnedState) : start(0)
  let model = m.columns > 0 ? makeModel(m.columns) : undefined
  /** What it was given to judge with. */
  let fitted: LearnedModel | undefined
  if (m.columns > 0) takeGiven()
  let cold = m.columns > 0 && isCold() ? openCold(given?.cold as State | undefined) : undefined
  let window = NONE
  /** Of the row that comes next, and that row when the model needed to see it: what was scored is learned next. */
  let ahead: Expectation | undefined
  let isAhead = false
  let looked = new Float64Array(0)
  /** Energy of the row that was looked at last, by the usual sizes of errors when the model was fitted; for those of now follow a drift. */
  let energyThen = NaN
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN, alarm: NaN }

  function start(columns: number): LearnedState {
    return {
      version: 1,
      columns,
      rows: 0,
      nextFit: warmUp,
      values: new Float64Array(columns * memory).fill(NaN),
      centre: new Float64Array(columns),
      unit: new Float64Array(columns).fill(1),
      variance: new Float64Array(columns).fill(1),
      judged: 0,
      energy: NaN,
      weights: NONE,
    }
  }

  function weights(): Float32Array {
    return models ? (fitted?.weights ?? NONE) : m.weights
  }

  function isCold(): boolean {
    return coldStart && weights().length === 0
  }

  function takeGiven(): void {
    delete m.cold
    if (!models) {
      for (const name of ['life', 'times', 'inherited']) delete m[name]
      return
    }
    m.weights = NONE
    m.times ??= new Float64Array(memory).fill(NaN)
    m.life ??= startLife()
    fitted = readModel(models.model?.state, m.columns)
    const was = m.life.version
    const change = takeModels(m.life, models, fitted !== undefined, time => countSince(m.times!, m.rows, time))
    // What is judged by other means than before is not smoothed with it.
    if (change === 'drop' || (change === 'adopt' && Number.isNaN(was))) m.energy = NaN
    if (change === 'adopt') adopt(fitted!)
  }

  /** Scales by its own rows where they are enough, and takes the sizes of errors that are usual for the model. */
  function adopt(from: LearnedModel): void {
    Object.assign(m, scalingOf(keptRows(m, memory), from, options))
    m.variance = from.variance.slice()
    m.judged = PRIOR
    m.life!.recent.fill(0)
    // So many rows as a first fit wants say more of a stream's scale than those of another.
    m.inherited = m.rows < warmUp
  }

  /** Goes on where it was; without that, through the rows that are kept, where their times are. */
  function openCold(state?: State): ReturnType<typeof openColdStart> {
    const opened = openColdStart(m.columns, state)
    if (state || !m.times) return opened
    for (let r = Math.max(0, m.rows - memory); r < m.rows; r++) {
      const from = (r % memory) * m.columns
      const time = m.times[r % memory]
      if (!Number.isNaN(time)) opened.learn(time, m.values.subarray(from, from + m.columns))
    }
    return opened
  }

  /** The window that ends with this row, scaled; undefined where most of it is unknown. */
  function windowWith(row?: ArrayLike<number>): Rows | undefined {
    const { columns } = m
    const span = model!.span
    if (window.length !== span * columns) window = new Float32Array(span * columns)
    for (let i = 0; i < span - 1; i++) {
      const r = m.rows - span + 1 + i
      const from = (r % memory) * columns
      for (let c = 0; c < columns; c++) window[i * columns + c] = r < 0 ? NaN : scaleSeen(m, m.values[from + c], c)
    }
    for (let c = 0; c < columns; c++) window[(span - 1) * columns + c] = row ? scaleSeen(m, row[c], c) : NaN
    return isKnown(window, columns) ? { values: window, columns } : undefined
  }

  function expectationOf(row: ArrayLike<number>): Expectation | undefined {
    if (isAhead && (!model!.needsLast || isLooked(row))) return ahead
    const rows = model!.needsLast ? windowWith(row) : windowWith()
    ahead = rows && copyOf(model!.expect(weights(), rows))
    looked = Float64Array.from(row)
    isAhead = true
    return ahead
  }

  function isLooked(row: ArrayLike<number>): boolean {
    for (let c = 0; c < m.columns; c++) if (!Object.is(looked[c], row[c])) return false
    return true
  }

  const errorAt = (row: ArrayLike<number>, c: number, { expected, deviation }: Expectation) =>
    errorOf(scaleValue(m, row[c], c), expected[c], deviation[c])

  function fit(): void {
    const { columns } = m
    const values = keptRows(m, memory)
    for (let c = 0; c < columns; c++) scaleColumn(m, columnOf(values, columns, c), c)
    const rows = scaleRows(m, values, columns)
    if (m.weights.length === 0) m.energy = NaN
    m.weights = finish(model!.fit({ values: rows, columns }, m.weights, m.rows))
    judgeTail(rows, values.length / columns)
  }

  /** Errors of the last rows, which were learned least. */
  function judgeTail(rows: Float32Array, count: number): void {
    const { columns } = m
    const { span } = model!
    const errors = Array.from({ length: columns }, () => [] as number[])
    const every = Math.max(1, Math.floor((0.15 * count) / TAIL))
    for (let i = 0; i < TAIL; i++) {
      const from = count - span - i * every
      if (from < 0) break
      const values = rows.subarray(from * columns, (from + span) * columns)
      const { expected, deviation } = model!.expect(m.weights, { values, columns })
      for (let c = 0; c < columns; c++) {
        const value = values[(span - 1) * columns + c]
        if (!Number.isNaN(value)) errors[c].push(Math.abs(value - expected[c]) / deviation[c])
      }
    }
    for (let c = 0; c < columns; c++)
      if (errors[c].length > 0) m.variance[c] = errors[c].reduce((sum, error) => sum + error * error, 0) / errors[c].length
    m.judged = PRIOR
  }

  /** Says the row in `judgement` and returns its energy: the mean square of the strangeness of its known columns; NaN while undecided. */
  function look(time: number, row: ArrayLike<number>): number {
    energyThen = NaN
    judgement.value = row[0]
    judgement.expected = judgement.lower = judgement.upper = NaN
    if (row.length > 1) judgement.channel = NaN
    const contributions = clearContributions(judgement, row.length)
    if (row.length !== m.columns) return NaN
    if (cold) return cold.look(time, row, judgement)
    if (weights().length === 0) return NaN
    const expectation = expectationOf(row)
    if (!expectation) return NaN
    let strangest = -1
    let most = -1
    let sum = 0
    let sumThen = 0
    let known = 0
    for (let c = 0; c < m.columns; c++) {
      const raw = errorAt(row, c, expectation)
      if (Number.isNaN(raw)) continue
      const error = raw / errorScale(m.variance[c])
      known++
      const square = capError(error, m.columns) ** 2
      sum += square
      if (contributions) contributions[c] = square
      if (fitted) sumThen += capError(raw / errorScale(fitted.variance[c]), m.columns) ** 2
      if (error > most) {
        most = error
        strangest = c
      }
    }
    const c = Math.max(0, strangest)
    const expected = m.centre[c] + m.unit[c] * expectation.expected[c]
    const margin = band * m.unit[c] * errorScale(m.variance[c]) * expectation.deviation[c]
    judgement.value = row[c]
    judgement.expected = expected
    judgement.lower = expected - margin
    judgement.upper = expected + margin
    if (known === 0) return NaN
    if (row.length > 1) judgement.channel = c
    energyThen = sumThen / known
    return sum / known
  }

  function learnErrors(row: ArrayLike<number>): void {
    const expectation = expectationOf(row)
    if (!expectation) return
    m.judged = Math.min(m.judged + 1, 1e9)
    const gain = Math.max(1 / m.judged, ERROR_GAIN)
    for (let c = 0; c < m.columns; c++) {
      const error = errorAt(row, c, expectation)
      if (Number.isNaN(error)) continue
      m.variance[c] += Math.min(GROWTH * errorScale(m.variance[c]) ** 2, gain * (error * error - m.variance[c]))
    }
  }

  function keepRow(time: number, row: ArrayLike<number>): void {
    const to = m.rows % memory
    for (let c = 0; c < m.columns; c++) m.values[to * m.columns + c] = row[c]
    if (m.times) m.times[to] = time
    if (m.life) m.life.fresh++
    m.rows++
    isAhead = false
  }

  function fitWhenDue(): void {
    if (m.rows < m.nextFit) return
    fit()
    cold = undefined
    m.nextFit = m.rows + Math.min(m.rows, refit)
  }

  const smoothed = (energy: number) => (Number.isNaN(m.energy) ? energy : m.energy + (energy - m.energy) / smooth)

  return {
    score(time, row) {
      const energy = look(time, row)
      judgement.score = Math.sqrt(smoothed(energy))
      judgement.alarm = Math.sqrt(energy)
      return judgement
    },
    learn(time, row) {
      if (m.columns === 0) {
        m = start(row.length)
        model = makeModel(row.length)
        takeGiven()
        cold = isCold() ? openCold() : undefined
      }
      if (row.length !== m.columns) return
      const energy = look(time, row)
      if (!Number.isNaN(energy)) m.energy = smoothed(energy)
      if (weights().length > 0) learnErrors(row)
      if (fitted) countDrift(m.life!.recent, Math.sqrt(energyThen), fitted.deciles)
      cold?.learn(time, row)
      keepRow(time, row)
      if (!models) fitWhenDue()
      else if (fitted && m.inherited && m.rows >= warmUp) adopt(fitted)
    },
    snapshot: () => ({ ...(copyState(m) as unknown as State), ...(cold ? { cold: cold.snapshot() } : {}) }),
    wants: () => (models && m.life ? wantsFit(m.life, { rows: m.rows, warmUp, refit }, fitted) : undefined),
  }
}

const copyOf = ({ expected, deviation }: Expectation): Expectation => ({
  expected: expected.slice(),
  deviation: deviation.slice(),
})
