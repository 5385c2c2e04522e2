import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import { spectralResidual } from './spectral-residual.ts'

const detect = (values: ArrayLike<number>, input = {}) =>
  spectralResidual.create(spectralResidual.config.parse(input)).detect(
    fromValues(
      Array.from({ length: values.length }, (_, i) => i * 60_000),
      values,
    ),
    { start: 0, end: 1e12 },
  ).columns

const noise = (i: number) => (Math.sin(i * 12.9898) * 43758.5453) % 1
const wave = (length: number) => Array.from({ length }, (_, i) => 50 + 10 * Math.sin(i / 9) + noise(i))

/** Score of the last of the rows, by the equations of the paper and sums by definition. */
function naive(rows: readonly number[], n: number, local: number): number {
  const before = rows.slice(-6, -1)
  const last = before[4]
  const slopes = Array.from({ length: 5 }, (_, i) => (last - rows.at(-3 - i)!) / (i + 1))
  const ahead = before[0] + slopes.reduce((a, b) => a + b)
  const x = [...rows.slice(-(n - 5)), ahead, ahead, ahead, ahead, ahead]
  const mean = x.reduce((a, b) => a + b) / n
  const sd = Math.sqrt(x.reduce((a, b) => a + (b - mean) ** 2, 0) / n)
  const angle = (k: number, i: number) => (2 * Math.PI * k * i) / n
  const spectrum = x.map((_, k) => ({
    re: x.reduce((sum, value, i) => sum + ((value - mean) / sd) * Math.cos(angle(k, i)), 0),
    im: x.reduce((sum, value, i) => sum - ((value - mean) / sd) * Math.sin(angle(k, i)), 0),
  }))
  const log = spectrum.map(({ re, im }) => Math.log(Math.hypot(re, im)))
  log[0] = log[1]
  const residual = log.map((value, k) => value - (log.at(k - 1)! + value + log[(k + 1) % n]) / 3)
  const phase = spectrum.map(({ re, im }) => Math.atan2(im, re))
  const saliency = x.map((_, i) => {
    let sum = 0
    for (let k = 1; k < n; k++) sum += Math.exp(residual[k]) * Math.cos(angle(k, i) + phase[k])
    return Math.abs(sum / n)
  })
  const at = n - 6
  const usual = saliency.slice(at - local, at).reduce((a, b) => a + b) / local
  return Math.max(0, saliency[at] - usual) / usual
}

describe('spectral residual', () => {
  it('equals the equations of the paper', () => {
    const values = wave(150).map((value, i) => (i === 140 ? value + 30 : value))
    const { score } = detect(values, { window: 64, local: 15 })
    expect(score.subarray(0, 58).every(Number.isNaN)).toBe(true)
    for (let i = 70; i < 150; i++) expect(score[i], `row ${i}`).toBeCloseTo(naive(values.slice(0, i + 1), 64, 15), 6)
  })

  it('does not depend on level and size', () => {
    const here = detect(wave(200), { window: 64 }).score
    const there = detect(
      wave(200).map(value => 1000 - 7 * value),
      { window: 64 },
    ).score
    for (let i = 60; i < 200; i++) expect(there[i]).toBeCloseTo(here[i], 6)
  })

  it('marks a spike and the begin of a shift above the limit of the paper, which is 3', () => {
    const values = wave(1000).map((value, i) => value + (i === 700 ? 40 : 0) + (i >= 900 ? 40 : 0))
    const { score } = detect(values, { window: 256 })
    expect(score[700]).toBeGreaterThan(10)
    expect(score[900]).toBeGreaterThan(10)
    expect(score.subarray(400, 700).filter(value => value > 10)).toHaveLength(0)
  })

  it('wants an even length', () => expect(() => spectralResidual.config.parse({ window: 101 })).toThrow('multiple of 2'))

  it('golden scores: a change here moves alerts', () => {
    const { score } = detect(
      wave(80).map((value, i) => (i === 75 ? 80 : value)),
      { window: 64, local: 15 },
    )
    expect(Array.from(score.slice(72), value => Number(value.toFixed(3)))).toMatchInlineSnapshot(`
      [
        0,
        0,
        0,
        16.12,
        7.441,
        0.684,
        0,
        0,
      ]
    `)
  })
})
