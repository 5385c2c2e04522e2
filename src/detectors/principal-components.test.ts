import { describe, expect, it } from 'vitest'
import type { Frame } from '../frame/frame.ts'
import { symmetricEigen } from '../math/symmetric-eigen.ts'
import { principalComponents } from './principal-components.ts'

function noise(seed = 3) {
  let state = seed
  const random = () => (state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296) / 4_294_967_296
  return () => (random() + random() + random() + random() - 2) * Math.sqrt(3)
}

/** Five columns that move with one load, each in its own unit and with noise of a tenth of it. */
function service(rows: number): Frame {
  const next = noise()
  const columns = [1, 50, 0.02, 3e6, -4].map(() => new Float64Array(rows))
  for (let i = 0; i < rows; i++) {
    const load = Math.sin(i / 40) + 0.3 * next()
    ;[1, 50, 0.02, 3e6, -4].forEach((unit, c) => {
      columns[c][i] = unit * (10 + load + 0.1 * next())
    })
  }
  return {
    labels: {},
    times: Float64Array.from({ length: rows }, (_, i) => i * 60_000),
    columns: Object.fromEntries(columns.map((column, c) => [`c${c}`, column])),
  }
}

const detect = (frame: Frame, input = {}) =>
  principalComponents.create(principalComponents.config.parse(input)).detect(frame, { start: 0, end: 1e12 }).columns

function change(frame: Frame, name: string, make: (value: number, i: number) => number): Frame {
  return { ...frame, columns: { ...frame.columns, [name]: frame.columns[name].map(make) } }
}

describe('principal-components', () => {
  it('is the remainder of the obvious way: covariance of all rows, eigenvectors, projection', () => {
    const frame = service(400)
    const { score, expected, channel, ...others } = detect(frame, { memory: 1_000_000, clip: 1000 })
    const columns = Object.values(frame.columns)
    // The last fit is at 400 rows, the one before at 200.
    const fitted = 200
    const means = columns.map(column => column.subarray(0, fitted).reduce((a, b) => a + b, 0) / fitted)
    const covariance = (a: number, b: number) => {
      let sum = 0
      for (let i = 0; i < fitted; i++) sum += (columns[a][i] - means[a]) * (columns[b][i] - means[b])
      return sum / fitted
    }
    const deviations = columns.map((_, c) => Math.sqrt(covariance(c, c)))
    const correlation = Float64Array.from({ length: 25 }, (_, k) => {
      const [a, b] = [Math.floor(k / 5), k % 5]
      return covariance(a, b) / deviations[a] / deviations[b]
    })
    const { values, vectors } = symmetricEigen(correlation, 5)
    expect(values[0] / 5).toBeGreaterThan(0.9)
    const spread = columns.map((_, c) => Math.sqrt([1, 2, 3, 4].reduce((sum, k) => sum + values[k] * vectors[k * 5 + c] ** 2, 0)))
    const remainder = (i: number) => {
      const z = columns.map((column, c) => (column[i] - means[c]) / deviations[c])
      const dot = z.reduce((sum, x, c) => sum + x * vectors[c], 0)
      return z.map((x, c) => (x - dot * vectors[c]) / spread[c])
    }
    let power = 1
    for (let i = fitted; i < 300; i++) {
      const rest = remainder(i)
      const size = Math.sqrt(rest.reduce((sum, x) => sum + x * x, 0) / 5)
      expect(score[i]).toBeCloseTo(size / Math.sqrt(power), 6)
      const strangest = rest.reduce((best, x, c) => (Math.abs(x) > Math.abs(rest[best]) ? c : best), 0)
      expect(channel![i]).toBe(strangest)
      rest.forEach((x, c) => expect(others[`share${c}`]![i]).toBeCloseTo((x / size) ** 2 / 5, 6))
      const unexplained = (columns[strangest][i] - expected[i]) / deviations[strangest] / spread[strangest]
      expect(unexplained).toBeCloseTo(rest[strangest], 6)
      const seen = Math.min(size, 3 * Math.sqrt(power))
      power += (1 / (i - fitted + 51)) * (seen * seen - power)
    }
  })

  it('finds a column that leaves the others, inside its usual range, and says which', () => {
    const frame = change(service(2000), 'c3', (value, i) => (i === 1500 ? 3e6 * 9.4 : value))
    const { score, channel, value, lower, upper } = detect(frame)
    expect(score.indexOf(Math.max(...score.subarray(400)))).toBe(1500)
    expect(channel![1500]).toBe(3)
    expect(value[1500]).toBe(frame.columns.c3[1500])
    expect(value[1500] < lower[1500] || value[1500] > upper[1500]).toBe(true)
  })

  it('goes on when some columns are missing, and says nothing when all are', () => {
    const frame = change(service(1000), 'c1', (value, i) => (i >= 600 ? NaN : value))
    const { score } = detect(frame)
    expect(score.slice(600).every(Number.isFinite)).toBe(true)
    const nothing = Object.keys(frame.columns).reduce(
      (all, name) => change(all, name, (value, i) => (i === 700 ? NaN : value)),
      frame,
    )
    expect(detect(nothing).score[700]).toBeNaN()
  })

  /** Rows of a tide that all columns share, `from` … `to` missing of one. */
  const withGap = (from: number, to: number) => change(service(1200), 'c1', (value, i) => (i >= from && i < to ? NaN : value))

  it('is neither stranger nor calmer for a column that is missing', () => {
    const whole = detect(service(1200)).score
    const { score, channel } = detect(withGap(600, 1200))
    expect(score.slice(0, 600)).toEqual(whole.slice(0, 600))
    const sizeOf = (values: Float64Array) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length)
    expect(sizeOf(score.slice(600)) / sizeOf(whole.slice(600))).toBeGreaterThan(0.9)
    expect(sizeOf(score.slice(600)) / sizeOf(whole.slice(600))).toBeLessThan(1.1)
    expect(Math.max(...score.slice(600))).toBeLessThan(1.3 * Math.max(...whole.slice(600)))
    expect(channel!.slice(600)).not.toContain(1)
    const strange = detect(change(withGap(600, 1200), 'c3', (value, i) => (i === 900 ? 3e6 * 10.6 : value)))
    expect(strange.score.indexOf(Math.max(...strange.score.subarray(400)))).toBe(900)
    expect(strange.channel![900]).toBe(3)
  })

  it('says nothing where no more columns are known than components, and forgets nothing in a gap', () => {
    const alone = ['c1', 'c2', 'c3', 'c4'].reduce(
      (all, name) => change(all, name, (value, i) => (i >= 500 && i < 900 ? NaN : value)),
      service(1200),
    )
    const { score } = detect(alone)
    expect(score.slice(500, 900).every(Number.isNaN)).toBe(true)
    expect(Math.max(...score.slice(900))).toBeLessThan(4)
  })

  it('has no ear for a column before it is known long enough, and has one then', () => {
    const late = change(service(3000), 'c4', (value, i) => (i < 600 ? NaN : i === 2500 ? value + 4 : value))
    const { score, channel } = detect(late)
    expect(Math.max(...score.slice(300, 2500))).toBeLessThan(5)
    expect(score[2500]).toBeGreaterThan(1.5 * Math.max(...score.slice(2000, 2500)))
    expect(channel![2500]).toBe(4)
  })

  it('bears columns that never move, and notices when one does, as one voice of many', () => {
    const frame = change(service(1000), 'c2', (_, i) => (i >= 800 ? 1e-3 : 0))
    const { score, channel } = detect(frame)
    expect(score.subarray(200, 800).every(value => value < 5)).toBe(true)
    expect(score[800]).toBeGreaterThan(5)
    expect(channel![800]).toBe(2)
  })

  it('continues from its snapshot with many columns', () => {
    const frame = service(900)
    const { open } = principalComponents.create(principalComponents.config.parse({}))
    const row = (i: number) => Object.values(frame.columns).map(column => column[i])
    const stream = open!()
    for (let i = 0; i < 500; i++) stream.learn(frame.times[i], row(i))
    const other = open!(structuredClone(stream.snapshot()))
    for (let i = 500; i < 900; i++) {
      const { score } = other.score(frame.times[i], row(i))
      expect(stream.score(frame.times[i], row(i)).score).toBe(score)
      stream.learn(frame.times[i], row(i))
      other.learn(frame.times[i], row(i))
    }
  })

  it('of one column finds a shape that is unusual, at usual heights', () => {
    const next = noise()
    const values = Float64Array.from({ length: 3000 }, (_, i) => {
      const phase = i >= 2500 && i < 2510 ? i * 2.5 : i / 4
      return 50 + 10 * Math.sin(phase) + next()
    })
    const frame = { labels: {}, times: values.map((_, i) => i * 60_000), columns: { value: values } }
    const { score, channel } = detect(frame)
    const at = score.indexOf(Math.max(...score.subarray(400)))
    expect(at).toBeGreaterThanOrEqual(2500)
    expect(at).toBeLessThan(2526)
    expect(channel).toBeUndefined()
  })

  it('golden scores: a change here moves alerts', () => {
    const { score } = detect(change(service(420), 'c0', (value, i) => (i === 410 ? value + 1 : value)))
    expect(Array.from(score.slice(406, 414), value => Number(value.toFixed(3)))).toMatchInlineSnapshot(`
      [
        0.788,
        1.181,
        0.521,
        1.668,
        4.21,
        1.035,
        1.006,
        0.67,
      ]
    `)
  })
})
