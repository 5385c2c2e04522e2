import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import { adaptiveResonance } from './adaptive-resonance.ts'

const detect = (values: number[], input = {}) =>
  adaptiveResonance.create(adaptiveResonance.config.parse(input)).detect(
    fromValues(
      [...values.keys()].map(i => i * 60_000),
      values,
    ),
    { start: 0, end: 1e12 },
  ).columns

/** A wave of 48 rows; from row `at` on it goes on with twice the frequency for a while. */
const wave = (at: number) =>
  Array.from({ length: 2000 }, (_, i) => 100 + 20 * Math.sin((2 * Math.PI * i * (i >= at && i < at + 48 ? 2.5 : 1)) / 48))

describe('adaptive-resonance', () => {
  it('is undecided until its training window is full', () => {
    const { score } = detect(wave(1e9), { block: 2, training: 50 })
    expect(score.slice(0, 100).every(Number.isNaN)).toBe(true)
    expect(score.slice(100).every(Number.isFinite)).toBe(true)
  })

  it('is silent on what repeats and speaks of a shape never seen', () => {
    const { score } = detect(wave(1500))
    expect(score.slice(400, 1500).every(value => value === 0)).toBe(true)
    const first = score.findIndex((value, i) => i >= 1500 && value > 0)
    expect(first).toBeGreaterThanOrEqual(1500)
    expect(first).toBeLessThan(1560)
  })

  it('trains anew when the series leaves its scale for good', () => {
    const moved = wave(1e9).map((value, i) => (i < 700 ? value : 40 * value))
    const { score } = detect(moved.map((value, i) => (i >= 1700 && i < 1712 ? 6000 : value)))
    expect(score.slice(800, 1700).filter(value => value > 0).length).toBeLessThan(5)
    expect(Math.max(...score.slice(1700, 1720))).toBeGreaterThan(0)
  })

  it('golden scores: a change here moves alerts', () => {
    const values = Array.from(
      { length: 1200 },
      (_, i) => 50 + 10 * Math.sin(i / 9) + ((i * 37) % 11) / 4 + (i % 400 > 380 ? 25 : 0),
    )
    const { score } = detect(values)
    const said = [...score.entries()].filter(([, value]) => value > 0).map(([i, value]) => [i, Number(value.toFixed(3))])
    expect(said).toMatchInlineSnapshot(`
      [
        [
          383,
          7.107,
        ],
        [
          782,
          3.744,
        ],
        [
          1181,
          6.468,
        ],
      ]
    `)
  })
})
