import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import { emptyScale, learnScale, scaleOf } from '../math/running-scale.ts'
import { matrixProfile } from './matrix-profile.ts'

const create = (input = {}) => matrixProfile.create(matrixProfile.config.parse(input))
const detect = (values: ArrayLike<number>, input = {}) =>
  create(input).detect(
    fromValues(
      Array.from({ length: values.length }, (_, i) => i * 60_000),
      values,
    ),
    { start: 0, end: 1e12 },
  ).columns

const noise = (i: number) => (Math.sin(i * 12.9898) * 43758.5453) % 1
/** A beat with noise: a bump of 25 rows, over and over. */
const beats = (length: number) => Array.from({ length }, (_, i) => 30 + 10 * Math.exp(-(((i % 25) - 8) ** 2) / 10) + noise(i))

/** By definition: both windows normalised, every earlier window that does not overlap compared. */
function naive(values: readonly number[], m: number, history: number): number[] {
  const normalised = values.map((_, end) => {
    const window = values.slice(Math.max(0, end - m + 1), end + 1)
    if (window.length < m || window.some(Number.isNaN)) return undefined
    const mean = window.reduce((a, b) => a + b) / m
    const sd = Math.sqrt(window.reduce((a, b) => a + (b - mean) ** 2, 0) / m)
    return sd <= 1e-9 * Math.abs(mean) ? 'constant' : window.map(value => (value - mean) / sd)
  })
  const scale = emptyScale()
  return normalised.map((here, t) => {
    const last = Math.min(history - 1, t - m + 1)
    if (!here || last < 3 * m) return NaN
    let nearest = Infinity
    for (let k = m; k <= last; k++) {
      const there = normalised[t - k]
      if (!there) continue
      let squared = m
      if (here === 'constant' && there === 'constant') squared = 0
      else if (here !== 'constant' && there !== 'constant') squared = here.reduce((sum, z, i) => sum + (z - there[i]) ** 2, 0)
      nearest = Math.min(nearest, squared)
    }
    if (nearest === Infinity) return NaN
    const distance = Math.sqrt(nearest / (2 * m))
    const score = scale.count < 20 ? NaN : Math.max(0, distance - scale.level) / scaleOf(scale, 0.02)
    learnScale(scale, distance, 2000, 0.02)
    return score
  })
}

function expectNear(actual: Float64Array, wanted: readonly number[]): void {
  for (let i = 0; i < wanted.length; i++)
    if (Number.isNaN(wanted[i])) expect(actual[i], `row ${i}`).toBeNaN()
    else expect(actual[i], `row ${i}`).toBeCloseTo(wanted[i], 5)
}

describe('matrix profile', () => {
  it.each([
    ['beats', beats(900)],
    ['a high level', beats(900).map(value => value + 1e6)],
    ['a level that grows', beats(900).map((value, i) => value + i * 1000)],
    ['a stuck stretch', beats(900).map((value, i) => ((i > 300 && i < 420) || i > 800 ? 31 : value))],
    ['a dead start', beats(900).map((value, i) => (i < 300 ? 0 : value))],
  ])('equals the definition on %s', (_, values) => {
    expectNear(detect(values, { window: 30, history: 400 }).score, naive(values, 30, 400))
  })

  it('stays exact after a value beyond all others has come and gone', () => {
    const values = beats(2600).map((value, i) => (i === 400 ? 1e9 : value))
    const { score } = detect(values, { window: 20, history: 300 })
    expectNear(score.subarray(2400), naive(values, 20, 300).slice(2400))
  })

  it('bridges a missing row, and is undecided for a window after a longer gap', () => {
    const hole = beats(900).map((value, i) => (i === 500 ? NaN : value))
    expect(detect(hole, { window: 30, history: 400 }).score.subarray(501).every(Number.isFinite)).toBe(true)
    const gap = beats(900).map((value, i) => (i >= 500 && i < 600 ? NaN : value))
    const { score } = detect(gap, { window: 30, history: 400 })
    expect(score.subarray(500, 629).every(Number.isNaN)).toBe(true)
    expect(score.subarray(630).every(Number.isFinite)).toBe(true)
  })

  it('finds a beat that is left out, which no level would show', () => {
    const values = beats(1500).map((value, i) => (i >= 1200 && i < 1225 ? 30 + noise(i) : value))
    const { score } = detect(values, { window: 50, history: 1000 })
    const at = score.reduce((best, value, i) => (value > (score[best] || 0) ? i : best), 0)
    expect(at).toBeGreaterThanOrEqual(1205)
    expect(at).toBeLessThan(1275)
  })

  it('expects what followed the nearest shape', () => {
    const values = beats(1000)
    const { expected, lower, upper } = detect(values, { window: 50, history: 600 })
    const last = 900
    let inside = 0
    for (let i = last; i < 1000; i++) {
      expect(Math.abs(expected[i] - values[i])).toBeLessThan(4)
      if (values[i] >= lower[i] && values[i] <= upper[i]) inside++
    }
    expect(inside).toBeGreaterThan(90)
  })

  it('wants a history of at least four windows', () => {
    expect(() => matrixProfile.config.parse({ window: 100, history: 300 })).toThrow('must be at least four windows')
  })

  it('golden scores: a change here moves alerts', () => {
    const values = beats(400).map((value, i) => (i >= 380 ? 35 - noise(i) : value))
    const { score } = detect(values, { window: 25, history: 200 })
    expect(
      Array.from(
        score.slice(378, 400).filter((_, i) => i % 3 === 0),
        value => Number(value.toFixed(3)),
      ),
    ).toMatchInlineSnapshot(`
      [
        0,
        0.643,
        6.507,
        8.81,
        15.327,
        21.597,
        28.129,
        31.422,
      ]
    `)
  })
})
