import { describe, expect, it } from 'vitest'
import { DAY, MINUTE } from '../duration.ts'
import type { Frame } from '../frame/frame.ts'
import { fromValues } from '../frame/frame.ts'
import { seededRandom } from '../math/random.ts'
import type { State } from './detector.ts'
import { randomCutForest } from './random-cut-forest.ts'

const SIZE = 2000
const times = Float64Array.from({ length: SIZE }, (_, i) => i * 5 * MINUTE)
const detect = (input: Frame, options = {}) =>
  randomCutForest.create(randomCutForest.config.parse({ trees: 30, ...options })).detect(input, { start: 0, end: 1e12 }).columns

function tide(change = (x: number, _i: number) => x) {
  const random = seededRandom(11)
  return fromValues(
    times,
    times.map((time, i) => change(100 + 40 * Math.sin((2 * Math.PI * time) / DAY) + 4 * (random.next() - 0.5), i)),
  )
}
const rank = (score: Float64Array, at: number) => score.filter((value, i) => i >= 500 && value > score[at]).length

describe('random-cut-forest', () => {
  it('with a shingle, finds a value that is usual in itself but not after those before it', () => {
    // Half a day early: 100 + 40 where 100 - 40 belongs.
    const at = 6 * 288 + 216
    const input = tide((x, i) => (i === at ? 140 : x))
    expect(rank(detect(input).score, at)).toBe(0)
    expect(rank(detect(input, { shingle: 1 }).score, at)).toBeGreaterThan(20)
  })

  it('expects what follows the rows before, and is not strange for having had a spike', () => {
    const { score, expected, lower, upper } = detect(tide((x, i) => (i === 1500 ? 400 : x)))
    expect(rank(score, 1500)).toBe(0)
    for (let i = 1501; i < 1506; i++) expect(score[i]).toBeLessThan(score[1500] / 3)
    let inside = 0
    for (let i = 600; i < SIZE; i++) {
      expect(Math.abs(expected[i] - (100 + 40 * Math.sin((2 * Math.PI * times[i]) / DAY)))).toBeLessThan(25)
      if (lower[i] <= 100 + 40 * Math.sin((2 * Math.PI * times[i]) / DAY) && upper[i] >= expected[i]) inside++
    }
    expect(inside / (SIZE - 600)).toBeGreaterThan(0.9)
  })

  it('learns a new level', () => {
    const { score } = detect(tide((x, i) => (i >= 1000 ? x + 300 : x)))
    expect(score[1000]).toBeGreaterThan(5)
    expect(score.slice(1500).filter(value => value > 5).length).toBeLessThan(10)
  })

  it('names the column of many, whatever their units', () => {
    const random = seededRandom(4)
    const column = (size: number, c: number) => times.map((_, i) => size * (10 + random.next() + (c === 1 && i === 1800 ? 9 : 0)))
    const columns = { a: column(1, 0), b: column(1e-3, 1), c: column(1e6, 2), d: times.map(() => 5) }
    const { score, channel, value, share1 } = detect({ labels: {}, times, columns }, { shingle: 1 })
    expect(share1![1800]).toBeGreaterThan(0.7)
    expect(rank(score, 1800)).toBe(0)
    expect(channel![1800]).toBe(1)
    expect(value[1800]).toBe(columns.b[1800])
    const constant = { ...columns, d: times.map((_, i) => (i === 1900 ? 6 : 5)) }
    const moved = detect({ labels: {}, times, columns: constant }, { shingle: 1 })
    expect(moved.channel![1900]).toBe(3)
    expect(rank(moved.score, 1900)).toBeLessThan(2)
  })

  it('gives the rows after a spike to the column that had it, for as long as it is in the shingle', () => {
    const { share2 } = tides(
      () => false,
      (x, c, i) => (c === 2 && i === 1800 ? x + 500 : x),
    )
    for (let i = 1800; i < 1804; i++) expect(share2![i]).toBeGreaterThan(0.5)
  })

  /** Three columns of a tide, some rows of the second missing. */
  const tides = (isMissing: (i: number) => boolean, change = (x: number, _c: number, _i: number) => x) => {
    const random = seededRandom(12)
    const column = (c: number) =>
      times.map((time, i) => {
        const x = (c + 1) * (100 + 40 * Math.sin((2 * Math.PI * time) / DAY) + 4 * (random.next() - 0.5))
        return c === 1 && isMissing(i) ? NaN : change(x, c, i)
      })
    return detect({ labels: {}, times, columns: { a: column(0), b: column(1), c: column(2) } }, { trees: 20 })
  }

  // Rows 1,512 and 1,656 are a crest and a trough.
  it.each([
    [1512, 3],
    [1656, 12],
    [1512, 400],
  ])('at row %i is not alarmed by %i missing rows of one of three columns, nor deaf to the others', (from, rows) => {
    const isGap = (i: number) => i >= from && i < from + rows
    const { score, channel } = tides(isGap)
    const usual = Math.max(...score.subarray(600, 1500))
    expect(Math.max(...score.subarray(from, from + rows + 5))).toBeLessThan(1.2 * usual)
    expect(channel!.subarray(from, from + rows)).not.toContain(1)
    const at = from + (rows >> 1)
    const strange = tides(isGap, (x, c, i) => (c === 2 && i === at ? x + 150 : x))
    expect(strange.score[at]).toBeGreaterThan(2 * usual)
    expect(strange.channel![at]).toBe(2)
  })

  it.each([3, 12, 72])('is not alarmed by the end of %i missing rows of one column, in a tide', rows => {
    for (const to of [1440, 1512, 1584]) {
      const { score } = detect(tide((x, i) => (i >= to - rows && i < to ? NaN : x)))
      const usual = Math.max(...score.slice(600, 1300))
      expect(score[to]).toBeNaN()
      expect(Math.max(...score.slice(to + 1, to + 20))).toBeLessThan(1.2 * usual)
    }
  })

  it('goes on from a snapshot of before gaps were counted', () => {
    const { open } = randomCutForest.create(randomCutForest.config.parse({ trees: 10 }))
    const row = (i: number) => [Math.sin(i / 20), Math.cos(i / 20)]
    const first = open!()
    for (let i = 0; i < 400; i++) first.learn(times[i], row(i))
    const { guessed, missing, silence, ...old } = first.snapshot()
    expect([guessed, missing, silence]).toEqual([new Uint8Array(8), new Float64Array(2), 0])
    const second = open!(old as State)
    for (let i = 400; i < 450; i++) {
      const { score } = first.score(times[i], row(i))
      expect(second.score(times[i], row(i)).score).toBe(score)
      first.learn(times[i], row(i))
      second.learn(times[i], row(i))
    }
  })

  it('gives each seed its own forest', () => {
    const scores = [1, 1, 2].map(seed => detect(tide(), { seed }).score)
    expect(scores[0]).toEqual(scores[1])
    expect(scores[0]).not.toEqual(scores[2])
  })

  it('golden scores: a change here moves alerts', () => {
    const { score } = detect(tide((x, i) => (i === 1500 ? 400 : x)))
    expect([150, 170, 400, 800, 1200, 1499, 1500, 1501].map(i => Number(score[i].toFixed(3)))).toMatchInlineSnapshot(`
      [
        NaN,
        0,
        0.12,
        0.033,
        0,
        0.095,
        71.913,
        9.705,
      ]
    `)
  })
})
