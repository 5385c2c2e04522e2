import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import { logGamma } from '../math/log-gamma.ts'
import { mad } from '../math/mad.ts'
import { median } from '../math/median.ts'
import { changePoint } from './change-point.ts'

const detect = (values: number[], input = {}) =>
  changePoint.create(changePoint.config.parse(input)).detect(
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
const series = (rows: number, make: (i: number, noise: number) => number) => {
  const next = noise()
  return Array.from({ length: rows }, (_, i) => make(i, next()))
}

/** Log density of `x` after the rows `run`, from the textbook posterior of mean and variance (Murphy 2007, section 3), worked out anew. */
function density(run: number[], x: number): number {
  const n = run.length
  const mean = n === 0 ? 0 : run.reduce((a, b) => a + b, 0) / n
  const kappa = 1 + n
  const alpha = 0.5 + n / 2
  const beta = 0.5 + 0.5 * run.reduce((sum, y) => sum + (y - mean) ** 2, 0) + (n * mean * mean) / (2 * kappa)
  const scale = (beta * (kappa + 1)) / (alpha * kappa)
  const off = x - (n * mean) / kappa
  const freedom = 2 * alpha
  return (
    logGamma((freedom + 1) / 2) -
    logGamma(freedom / 2) -
    0.5 * Math.log(freedom * Math.PI * scale) -
    ((freedom + 1) / 2) * Math.log(1 + (off * off) / (freedom * scale))
  )
}

describe('change-point', () => {
  it('is the whole recursion over all run lengths, but for those of no weight', () => {
    const values = series(160, (i, x) => 20 + x + (i >= 120 ? 3 : 0))
    const recent = 10
    const { score } = detect(values, { runs: 1000, clip: 1e6, every: 100, recent })
    const centre = median(values.slice(0, 50))
    const unit = mad(values.slice(0, 50))
    const z = values.map(value => (value - centre) / unit)
    /** Probability of a run of so many rows before row t. */
    let runs = [1]
    for (let t = 0; t < z.length; t++) {
      const joint = runs.map((p, length) => p * Math.exp(density(z.slice(t - length, t), z[t])))
      const sum = joint.reduce((a, b) => a + b, 0)
      const after = joint.map(p => p / sum)
      if (t >= 50) {
        const young = after.slice(0, recent).reduce((a, b) => a + b, 0)
        const old = after.slice(recent).reduce((a, b) => a + b, 0)
        const stay = 0.99 ** recent
        const factor = young / old / ((1 - stay) / stay)
        const evidence = Math.sqrt(2 * Math.max(0, Math.log(factor)))
        const best = runs.indexOf(Math.max(...runs))
        const run = z.slice(t - best, t)
        const mean = run.reduce((a, b) => a + b, 0) / (1 + best)
        const middle = best === 0 ? 0 : run.reduce((a, b) => a + b, 0) / best
        const beta = 1 + run.reduce((a, b) => a + (b - middle) ** 2, 0) + (best * middle * middle) / (1 + best)
        const deviation = Math.max(Math.sqrt(beta / (1 + best)), (0.01 * Math.abs(centre + unit * mean)) / unit)
        const scale = Math.max(deviation, (0.001 * Math.abs(values[t])) / unit)
        expect(score[t]).toBeCloseTo(Math.max(Math.abs(z[t] - mean) / scale, evidence), 4)
      }
      runs = [0.01, ...after.map(p => p * 0.99)]
    }
  })

  it('keeps few run lengths without much of another score', () => {
    const values = series(600, (i, x) => 20 + x + (i >= 400 ? 2 : 0))
    const all = detect(values, { runs: 1000 }).score
    const few = detect(values).score
    for (let i = 50; i < 600; i++) expect(Math.abs(all[i] - few[i])).toBeLessThan(0.25)
  })

  it.each([
    ['level', (x: number) => 1.5 + x],
    ['variance', (x: number) => 3 * x],
  ])('finds a change of the %s', (_, make) => {
    const { score } = detect(series(1500, (i, x) => 20 + (i >= 1000 ? make(x) : x)))
    const calm = Math.max(...score.subarray(100, 1000))
    expect(score.subarray(1000, 1020).some(value => value > calm)).toBe(true)
    expect(Math.max(...score.subarray(1200))).toBeLessThan(2 * calm)
  })

  it('expects the new level within a few rows', () => {
    const { expected } = detect(series(1500, (i, x) => 20 + x + (i >= 1000 ? 10 : 0)))
    expect(Math.abs(expected[1010] - 30)).toBeLessThan(2)
  })

  it('golden scores: a change here moves alerts', () => {
    const { score } = detect(series(120, (i, x) => 20 + x + (i >= 110 ? 4 : 0)))
    expect(Array.from(score.slice(107, 116), value => Number(value.toFixed(3)))).toMatchInlineSnapshot(`
      [
        0.716,
        0.319,
        0.055,
        5.346,
        4.073,
        4.236,
        4.662,
        4.664,
        4.534,
      ]
    `)
  })
})
