import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import { factorCholesky, solveCholesky } from '../math/cholesky.ts'
import { autoregressive } from './autoregressive.ts'

const detect = (values: number[], input = {}) =>
  autoregressive.create(autoregressive.config.parse(input)).detect(
    fromValues(
      [...values.keys()].map(i => i * 60_000),
      values,
    ),
    { start: 0, end: 1e12 },
  ).columns

function noise(seed = 3) {
  let state = seed
  const random = () => (state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296) / 4_294_967_296
  return () => (random() + random() + random() + random() - 2) * Math.sqrt(3)
}

/** x = 1.2 x₋₁ − 0.5 x₋₂ + noise of deviation 1, around 100. */
function process(rows: number): number[] {
  const next = noise()
  const values = [0, 0]
  while (values.length < rows) values.push(1.2 * values.at(-1)! - 0.5 * values.at(-2)! + next())
  return values.map(value => value + 100)
}

/** Weights by ridge regression over all rows before `end`, the obvious way; newest lag first, then the constant, for values minus 100. */
function regress(values: number[], lags: number, end: number): Float64Array {
  const n = lags + 1
  const normal = new Float64Array(n * n)
  const right = new Float64Array(n)
  for (let t = lags; t < end; t++) {
    const row = [...Array.from({ length: lags }, (_, k) => values[t - 1 - k] - 100), 1]
    for (let i = 0; i < n; i++) {
      right[i] += row[i] * (values[t] - 100)
      for (let j = 0; j < n; j++) normal[i * n + j] += row[i] * row[j]
    }
  }
  return solveCholesky(factorCholesky(normal, n, 1e-4 * (end - lags)), n, right)
}

describe('autoregressive', () => {
  it.each([
    ['recursive', 0.03],
    ['scheduled', 0.03],
  ])('%s: predicts what regression over all rows predicts, and errors score in deviations', (fit, tolerance) => {
    const values = process(4000)
    const { expected, score } = detect(values, { fit, lags: 3, forget: 1, history: 4000 })
    // The last fit of the schedule is at 2,400 rows.
    const weights = regress(values, 3, fit === 'recursive' ? 3999 : 2400)
    let squares = 0
    for (let t = 3000; t < 4000; t++) {
      const wanted = 100 + weights[3] + [0, 1, 2].reduce((sum, k) => sum + weights[k] * (values[t - 1 - k] - 100), 0)
      if (score[t] < 3) expect(Math.abs(expected[t] - wanted)).toBeLessThan(3 * tolerance)
      squares += score[t] ** 2
    }
    expect(weights[0]).toBeGreaterThan(1.1)
    expect(squares / 1000).toBeGreaterThan(0.8)
    expect(squares / 1000).toBeLessThan(1.2)
  })

  it.each(['recursive', 'scheduled'])('%s: a spike is no echo, and a new level is learned in a few rows', fit => {
    const spike = process(2000).map((value, i) => (i === 1500 ? value + 200 : value))
    const { score } = detect(spike, { fit })
    expect(score[1500]).toBeGreaterThan(100)
    expect(Math.max(...score.slice(1501, 1530))).toBeLessThan(8)
    const shift = detect(
      process(2000).map((value, i) => (i >= 1500 ? value + 200 : value)),
      { fit },
    )
    expect(Math.min(...shift.score.slice(1500, 1503))).toBeGreaterThan(50)
    expect(Math.max(...shift.score.slice(1540, 1600))).toBeLessThan(8)
  })

  it('bridges short gaps, and starts anew after long ones', () => {
    const values = process(2000).map((value, i) => ((i >= 1500 && i < 1505) || (i >= 1600 && i < 1700) ? NaN : value))
    const { score, expected } = detect(values)
    expect(score[1505]).toBeLessThan(6)
    expect(expected[1650]).toBeNaN()
    expect(score[1700]).toBeNaN()
    expect(Math.max(...score.slice(1701, 1720))).toBeLessThan(8)
  })

  it.each(['recursive', 'scheduled'])('%s: takes rows that are not there as rows without a value', fit => {
    const isGap = (i: number) => (i >= 1500 && i < 1506) || (i >= 1600 && i < 1700)
    const values = process(2000).map((value, i) => (isGap(i) ? NaN : value + 30 * Math.sin(i / 50)))
    const rows = [...values.keys()].filter(i => !isGap(i))
    const { detect: judge, open } = autoregressive.create(autoregressive.config.parse({ fit, history: 1000 }))
    const absent = judge(
      fromValues(
        rows.map(i => i * 60_000),
        rows.map(i => values[i]),
      ),
      { start: 0, end: 1e12 },
    ).columns
    const { score, expected } = detect(values, { fit, history: 1000 })
    expect(absent.score[1500]).toBeLessThan(6)
    expect(absent.score[rows.indexOf(1700)]).toBeNaN()
    // Refits are scheduled by the rows that came, so that those of the two part with time.
    const until = fit === 'recursive' ? rows.length : rows.indexOf(1740)
    expect(absent.score.slice(0, until)).toEqual(Float64Array.from(rows.slice(0, until), i => score[i]))
    expect(absent.expected.slice(0, until)).toEqual(Float64Array.from(rows.slice(0, until), i => expected[i]))
    const stream = open!()
    for (let i = 0; i < 500; i++) stream.learn(i * 60_000, [values[i]])
    const before = structuredClone(stream.snapshot())
    stream.score(505 * 60_000, [values[505]])
    expect(stream.snapshot()).toEqual(before)
    const { time: _time, step: _step, ...old } = before
    const other = open!(old)
    expect({ ...other.score(500 * 60_000, [values[500]]) }).toEqual({ ...stream.score(500 * 60_000, [values[500]]) })
  })

  it('is not disturbed by rows that come a little late, or one that is not there', () => {
    const values = process(1000)
    const times = Float64Array.from(values, (_, i) => i * 60_000 + (i % 7 === 0 ? 25_000 : 0) + (i >= 800 ? 60_000 : 0))
    const { detect: judge } = autoregressive.create(autoregressive.config.parse({}))
    expect(judge(fromValues(times, values), { start: 0, end: 1e12 }).columns.score).toEqual(detect(values).score)
  })

  it('does not run away from a wild series', () => {
    const next = noise(9)
    const values = Array.from({ length: 20_000 }, (_, i) => Math.exp(8 * next()) * (i % 5000 < 300 ? 0 : 1))
    const { expected } = detect(values)
    const most = Math.max(...values)
    const known = expected.filter(value => !Number.isNaN(value))
    expect(known.length).toBeGreaterThan(19_900)
    expect(Math.max(...known.map(Math.abs)) / most).toBeLessThan(10)
  })

  it('golden scores: a change here moves alerts', () => {
    const { score } = detect(process(400).map((value, i) => (i === 390 ? value + 30 : value)))
    expect(Array.from(score.slice(386, 396), value => Number(value.toFixed(3)))).toMatchInlineSnapshot(`
      [
        0.005,
        0.282,
        0.133,
        1.206,
        17.999,
        5.421,
        0.505,
        0.627,
        1.077,
        1.531,
      ]
    `)
  })
})
