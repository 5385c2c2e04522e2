import { describe, expect, it } from 'vitest'
import { kMeans as cluster } from '../math/k-means.ts'
import { mad } from '../math/mad.ts'
import { median } from '../math/median.ts'
import { seededRandom } from '../math/random.ts'
import { emptyScale, learnScale, scaleOf } from '../math/running-scale.ts'
import { kMeans } from './k-means.ts'

const detect = (columns: Record<string, number[]>, input = {}) => {
  const rows = Object.values(columns)[0].length
  const frame = {
    labels: {},
    times: Float64Array.from({ length: rows }, (_, i) => i * 60_000),
    columns: Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, Float64Array.from(values)])),
  }
  return kMeans.create(kMeans.config.parse(input)).detect(frame, { start: 0, end: 1e12 }).columns
}

const noise = (i: number) => (Math.sin(i * 12.9898) * 43758.5453) % 1
const wave = (length: number, turn = 5) => Array.from({ length }, (_, i) => 50 + 10 * Math.sin(i / turn) + noise(i * turn))

/** By definition, on one column, between row 400 and the next search for typical windows at row 800. */
function naive(values: readonly number[], window: number, k: number): number[] {
  const known = values.slice(0, 400)
  const centre = median(known)
  const scale = Math.max(mad(known), known.reduce((sum, value) => sum + Math.abs(value - centre), 0) / 400)
  const parts = Array.from({ length: window }, (_, i) => 0.2 ** (1 - i / (window - 1)))
  const whole = parts.reduce((a, b) => a + b)
  const windowAt = (row: number) =>
    values
      .slice(row - window + 1, row + 1)
      .map((value, i) => Math.sqrt(parts[i] / whole) * Math.min(20, Math.max(-20, (value - centre) / scale)))
  const trained = Array.from({ length: 401 - window }, (_, i) => windowAt(399 - i))
  const { centres, count } = cluster(Float64Array.from(trained.flat()), window, k, seededRandom(400).next)
  const typical = Array.from({ length: count }, (_, c) => [...centres.subarray(c * window, (c + 1) * window)])
  const distance = (point: number[]) =>
    Math.min(...typical.map(other => Math.hypot(...point.map((value, i) => value - other[i]))))
  const usual = emptyScale()
  for (const point of trained.reverse()) learnScale(usual, distance(point), 2000, 0.05)
  return values.map((_, row) => {
    if (row < 400) return NaN
    const here = distance(windowAt(row))
    const score = Math.max(0, here - usual.level) / scaleOf(usual, 0.05)
    learnScale(usual, here, 2000, 0.05)
    return score
  })
}

describe('k-means', () => {
  it('is the distance from the nearest typical window by definition', () => {
    const values = wave(700).map((value, i) => (i >= 600 && i < 610 ? value + 25 : value))
    const { score } = detect({ value: values }, { window: 10, clusters: 4 })
    const wanted = naive(values, 10, 4)
    for (let i = 400; i < 700; i++) expect(score[i], `row ${i}`).toBeCloseTo(wanted[i], 6)
    expect(score[600]).toBeGreaterThan(5)
  })

  it('finds columns that part, and names the column', () => {
    const [a, b, c] = [wave(1500), wave(1500), wave(1500, 9)]
    for (let i = 1200; i < 1220; i++) b[i] = 100 - b[i]
    const { score, channel, value, expected, ...others } = detect({ a, b, c })
    const highest = score.indexOf(Math.max(...score.subarray(1000)))
    expect(highest).toBeGreaterThanOrEqual(1200)
    expect(highest).toBeLessThan(1225)
    expect(channel![highest]).toBe(1)
    expect(value[highest]).toBe(b[highest])
    expect(others.share1![highest]).toBeGreaterThan(0.5)
    expect(Math.abs(expected[highest] - value[highest])).toBeGreaterThan(5)
  })

  it('takes a missing value as its last one', () => {
    const [a, b] = [wave(1000), wave(1000, 9)]
    for (let i = 900; i < 905; i++) b[i] = NaN
    const { score, share1 } = detect({ a, b })
    expect(share1!.subarray(899, 906).map(Math.sign)).toEqual(Float64Array.of(1, 0, 0, 0, 0, 0, 1))
    expect(score.subarray(900).every(Number.isFinite)).toBe(true)
    expect(Math.max(...score.subarray(900))).toBeLessThan(4)
  })

  it('wants a history of ten windows', () => {
    expect(() => kMeans.config.parse({ window: 100, history: 500 })).toThrow('must be at least ten windows')
  })

  it('golden scores: a change here moves alerts', () => {
    const { score } = detect(
      { value: wave(300).map((value, i) => (i === 290 ? 90 : value)) },
      { window: 5, clusters: 4, history: 300 },
    )
    expect(Array.from(score.slice(288, 297), value => Number(value.toFixed(3)))).toMatchInlineSnapshot(`
      [
        0.264,
        0,
        21.652,
        16.908,
        13.265,
        10.396,
        8.164,
        0,
        0.879,
      ]
    `)
  })
})
