import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import { factorCholesky, solveCholesky } from '../math/cholesky.ts'
import { nearestNeighbours } from './nearest-neighbours.ts'

const detect = (values: ArrayLike<number>, input = {}) =>
  nearestNeighbours.create(nearestNeighbours.config.parse(input)).detect(
    fromValues(
      Array.from({ length: values.length }, (_, i) => i * 60_000),
      values,
    ),
    { start: 0, end: 1e12 },
  ).columns

const noise = (i: number) => (Math.sin(i * 12.9898) * 43758.5453) % 1
const wave = (length: number) => Array.from({ length }, (_, i) => 50 + 10 * Math.sin(i / 5) + noise(i))

/** By definition: distances with the inverse covariance, sorted; rows ranked among all calibration scores. */
function naive(values: readonly number[], window: number, k: number, training: number): number[] {
  const ready = window - 1 + training
  const windowAt = (row: number) => values.slice(row - window + 1, row + 1)
  const usual: number[] = []
  let factor = new Float64Array(0) as Float64Array
  return values.map((_, row) => {
    if (row < ready) return NaN
    const last = Math.max(ready - 1, row - training)
    const searched = Array.from({ length: training }, (_, i) => windowAt(last - i))
    if ((row - ready) % training === 0) {
      const mean = Array.from({ length: window }, (_, i) => searched.reduce((sum, w) => sum + w[i], 0) / training)
      const covariance = new Float64Array(window * window)
      for (let i = 0; i < window; i++)
        for (let j = 0; j < window; j++)
          covariance[i * window + j] = searched.reduce((sum, w) => sum + (w[i] - mean[i]) * (w[j] - mean[j]), 0) / training
      const trace = Array.from({ length: window }, (_, i) => covariance[i * window + i]).reduce((a, b) => a + b) / window
      factor = factorCholesky(covariance, window, 0.01 * trace + (0.01 * mean[0]) ** 2 + 1e-12)
    }
    const distances = searched.map(other => {
      const difference = Float64Array.from(windowAt(row), (value, i) => value - other[i])
      const solved = solveCholesky(factor, window, difference.slice())
      return difference.reduce((sum, value, i) => sum + value * solved[i], 0)
    })
    const sum = distances
      .sort((a, b) => a - b)
      .slice(0, k)
      .reduce((a, b) => a + b)
    const below = usual.slice(-training).filter(value => value < sum).length
    const share = usual.length >= 50 ? below / Math.min(usual.length, training) : NaN
    usual.push(sum)
    return share
  })
}

describe('nearest-neighbours', () => {
  it('ranks distances as the definition does', () => {
    const values = wave(900).map((value, i) => (i > 400 && i < 410 ? value + 8 : value))
    const { score } = detect(values, { window: 5, neighbours: 7, training: 120 })
    const shares = naive(values, 5, 7, 120)
    expect(score.subarray(0, 174).every(Number.isNaN)).toBe(true)
    const decided = [...shares.keys()].filter(i => i >= 180 && shares[i] < 0.95)
    expect(decided.length).toBeGreaterThan(500)
    // Below the tail the score is the normal deviate of the rank alone, so both must be in the same order.
    const byShare = new Map<string, number>()
    for (const i of decided.filter(i => i >= 300)) {
      const key = shares[i].toFixed(9)
      const first = byShare.get(key)
      if (first === undefined) byShare.set(key, score[i])
      else expect(score[i], `row ${i}`).toBeCloseTo(first, 9)
    }
    const sorted = [...byShare].sort(([a], [b]) => Number(a) - Number(b)).map(([, value]) => value)
    for (let i = 1; i < sorted.length; i++) expect(sorted[i]).toBeGreaterThan(sorted[i - 1])
  })

  it('tells a huge distance from a large one', () => {
    const values = wave(2000).map((value, i) => (i === 1500 ? value + 15 : i === 1800 ? value + 150 : value))
    const { score } = detect(values)
    expect(score[1500]).toBeGreaterThan(6)
    expect(score[1800]).toBeGreaterThan(4 * score[1500])
    expect(Math.max(...score.subarray(1000, 1500))).toBeLessThan(6)
  })

  it('expects what followed the neighbours', () => {
    const values = wave(1500)
    const { expected } = detect(values)
    for (let i = 1000; i < 1500; i++) expect(Math.abs(expected[i] - values[i])).toBeLessThan(4)
  })

  it('wants twice as many windows as neighbours', () => {
    expect(() => nearestNeighbours.config.parse({ neighbours: 40, training: 60 })).toThrow(
      'must be at least twice the neighbours',
    )
  })

  it('golden scores: a change here moves alerts', () => {
    const { score } = detect(
      wave(300).map((value, i) => (i === 290 ? 75 : value)),
      { window: 4, neighbours: 5, training: 100 },
    )
    expect(Array.from(score.slice(288, 297), value => Number(value.toFixed(3)))).toMatchInlineSnapshot(`
      [
        0.062,
        0.075,
        27.815,
        41.584,
        35.987,
        22.664,
        0.463,
        0.162,
        0.477,
      ]
    `)
  })
})
