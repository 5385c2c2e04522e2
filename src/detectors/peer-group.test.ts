import { describe, expect, it } from 'vitest'
import { DAY, MINUTE } from '../duration.ts'
import type { Frame } from '../frame/frame.ts'
import { median } from '../math/median.ts'
import { seededRandom } from '../math/random.ts'
import { peerGroup } from './peer-group.ts'

const SIZE = 600
const wave = (i: number) => 100 + 60 * Math.sin((2 * Math.PI * i * MINUTE) / DAY)

/** Replicas that share a tide, each with its own offset, share and noise. */
function fleet(
  replicas: readonly { offset?: number; share?: number; noise?: number }[],
  change = (x: number, _i: number, _c: number) => x,
) {
  const random = seededRandom(3)
  const times = Float64Array.from({ length: SIZE }, (_, i) => i * MINUTE)
  const columns: Record<string, Float64Array> = {}
  replicas.forEach(({ offset = 0, share = 1, noise = 1 }, c) => {
    columns[`pod-${c}`] = times.map((_, i) => change(wave(i) * share + offset + noise * (2 * random.next() - 1), i, c))
  })
  return { labels: {}, times, columns } satisfies Frame
}
const detect = (input: Frame, options = {}) =>
  peerGroup.create(peerGroup.config.parse(options)).detect(input, { start: 0, end: SIZE * MINUTE }).columns
const largest = (values: ArrayLike<number>) => Math.max(...Array.from(values).filter(value => !Number.isNaN(value)))

describe('peer-group', () => {
  it('names the replica that differs, with what it should have been', () => {
    const input = fleet([{}, { offset: 20 }, {}, { offset: -5 }], (x, i, c) => (c === 1 && i >= 500 && i < 505 ? x - 20 : x))
    const { score, channel, value, expected, lower, upper } = detect(input)
    for (let i = 500; i < 505; i++) {
      expect(channel![i]).toBe(1)
      expect(value[i]).toBe(input.columns['pod-1'][i])
      expect(Math.abs(expected[i] - (wave(i) + 20))).toBeLessThan(2)
      expect(value[i]).toBeLessThan(lower[i])
      expect(upper[i] - expected[i]).toBeCloseTo(expected[i] - lower[i])
      expect(score[i]).toBeGreaterThan(8)
    }
    expect(largest(score.slice(60, 500))).toBeLessThan(5)
    expect(largest(score.slice(506))).toBeLessThan(5)
  })

  it('says nothing of what all replicas do together', () => {
    const { score } = detect(fleet([{}, { offset: 20 }, {}], (x, i) => (i >= 500 ? x + 300 : x)))
    expect(largest(score.slice(500))).toBeLessThan(5)
  })

  it('does not blame a steady replica for a shaky one that drags the median of three', () => {
    const input = fleet([{ noise: 10 }, { noise: 0.1 }, { noise: 0.1 }], (x, i, c) => (c === 0 && i === 500 ? x + 60 : x))
    const { score, channel } = detect(input)
    expect(channel![500]).toBe(0)
    expect(score[500]).toBeGreaterThan(4)
  })

  it('multiplicative knows a replica by its share of the tide, additive does not', () => {
    const big = fleet([{}, {}, {}, { share: 3 }], (x, i, c) => (c === 3 && i === 420 ? x * 0.7 : x))
    expect(largest(detect(big, { kind: 'multiplicative' }).score.slice(60, 420))).toBeLessThan(6)
    expect(detect(big, { kind: 'multiplicative' }).score[420]).toBeGreaterThan(10)
    expect(detect(big, { kind: 'multiplicative' }).score[420]).toBeGreaterThan(2 * detect(big).score[420])
  })

  it('needs three replicas, and goes on without one that is gone', () => {
    expect(detect(fleet([{}, {}])).score.every(Number.isNaN)).toBe(true)
    const { score, channel } = detect(
      fleet([{}, {}, {}, {}], (x, i, c) => (c === 2 && i >= 300 ? NaN : c === 0 && i === 500 ? x + 30 : x)),
    )
    expect(score.slice(40).every(Number.isFinite)).toBe(true)
    expect(channel![500]).toBe(0)
    const two = detect(fleet([{}, {}, {}], (x, i, c) => (c === 2 && i >= 300 && i < 400 ? NaN : x)))
    expect(two.score.slice(300, 400).every(Number.isNaN)).toBe(true)
    expect(two.score.slice(400).every(Number.isFinite)).toBe(true)
  })

  it('learns little from an outage of one replica', () => {
    const { expected, channel } = detect(fleet([{}, {}, {}], (x, i, c) => (c === 0 && i >= 400 && i < 440 ? 0 : x)))
    expect(channel![439]).toBe(0)
    expect(Math.abs(expected[439] - wave(439))).toBeLessThan(15)
  })

  it('agrees with a naive twin while nothing is clipped', () => {
    const input = fleet([{}, { offset: 9 }, {}, {}, { offset: -30 }])
    const { score, channel, ...others } = detect(input, { clip: 1e6 })
    const columns = Object.values(input.columns)
    const offsets = columns.map(() => 0)
    const variances = columns.map(() => 0)
    for (let i = 0; i < SIZE; i++) {
      const levelled = columns.map((column, c) => column[i] - offsets[c])
      const found = columns.map((column, c) => {
        const candidates = [median(levelled.filter((_, o) => o !== c)), median(levelled)]
        const errors = candidates.map(middle => column[i] - middle - offsets[c])
        const error = Math.abs(errors[0]) < Math.abs(errors[1]) ? errors[0] : errors[1]
        const floor = Math.max(0.01 * Math.abs(candidates[0] + offsets[c]), 0.001 * Math.abs(column[i]))
        return { error, score: Math.abs(error) / Math.max(Math.sqrt(variances[c]), floor) }
      })
      const best = found.reduce((most, { score }, c) => (score > found[most].score ? c : most), 0)
      if (i >= 30) {
        expect(score[i]).toBeCloseTo(found[best].score, 9)
        expect(channel![i]).toBe(best)
        const whole = found.reduce((sum, { score }) => sum + score ** 2, 0)
        found.forEach(({ score }, c) => expect(others[`share${c}`]![i]).toBeCloseTo(score ** 2 / whole, 9))
      }
      const gain = Math.max(0.01, 1 / (i + 1))
      found.forEach(({ error }, c) => {
        offsets[c] += gain * error
        variances[c] = i > 0 ? (1 - gain) * (variances[c] + gain * error * error) : 0
      })
    }
  })

  it('goes on from its snapshot', () => {
    const { open } = peerGroup.create(peerGroup.config.parse({}))
    const input = fleet([{}, { offset: 4 }, {}])
    const row = (i: number) => Object.values(input.columns).map(column => column[i])
    const stream = open!()
    for (let i = 0; i < 300; i++) stream.learn(input.times[i], row(i))
    const other = open!(stream.snapshot())
    for (let i = 300; i < 320; i++) {
      expect({ ...other.score(input.times[i], row(i)) }).toEqual({ ...stream.score(input.times[i], row(i)) })
      for (const each of [stream, other]) each.learn(input.times[i], row(i))
    }
  })

  it('golden scores: a change here moves alerts', () => {
    const { score } = detect(fleet([{}, { offset: 20 }, {}, {}]))
    expect([29, 30, 100, 200, 300, 400, 599].map(i => Number(score[i].toFixed(3)))).toMatchInlineSnapshot(`
      [
        NaN,
        0.939,
        0.918,
        0.654,
        0.412,
        0.267,
        0.479,
      ]
    `)
  })
})
