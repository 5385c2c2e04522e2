import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import { absence } from './absence.ts'

const score = (values: number[], input = {}) =>
  absence.create(absence.config.parse(input)).detect(
    fromValues(
      [...values.keys()].map(i => i * 60_000),
      values,
    ),
    { start: 0, end: 1e12 },
  ).columns.score
const busy = (count: number) => Array.from({ length: count }, (_, i) => 10 + ((i * 7) % 5))
const gone = (count: number) => Array<number>(count).fill(NaN)

describe('absence', () => {
  it('does not fire at one missing scrape, fires at the third', () => {
    expect([...score([...busy(50), NaN, ...busy(2)])].slice(50)).toEqual([expect.closeTo(1 / 3), 0, 0])
    expect([...score([...busy(50), ...gone(4)])].slice(50)).toEqual([1, 2, 3, 4].map(rows => expect.closeTo(rows / 3)))
    expect([...score([...busy(50), ...gone(4)], { patience: '10m' })].slice(50)).toEqual(
      [1, 2, 3, 4].map(rows => expect.closeTo(rows / 10)),
    )
  })

  it('knows nothing of a series that was never there', () => {
    expect(score(gone(20)).every(Number.isNaN)).toBe(true)
  })

  it('gets used to series that come and go', () => {
    const sparse = Array.from({ length: 40 }, () => [...busy(10), ...gone(10)]).flat()
    const scores = score(sparse)
    expect(Math.max(...scores.slice(400))).toBeLessThan(1)
    const last = score([...sparse, ...busy(10), ...gone(60)])
    expect(last.at(-1)).toBeGreaterThan(2)
  })

  it('is not taught by one outage', () => {
    const scores = score([...busy(50), ...gone(500), ...busy(200), ...gone(20)])
    expect(scores.at(-1)).toBeGreaterThan(1)
  })

  it('takes the value of a target that is down as absence, when told', () => {
    const up = [...Array<number>(30).fill(1), 0, 0, 0, 0]
    expect([...score(up, { down: 0 })].slice(29)).toEqual([0, ...[1, 2, 3, 4].map(rows => expect.closeTo(rows / 3))])
    expect(Math.max(...score(up).slice(10))).toBe(0)
  })

  it('notices that a lively series stands still, not that a calm one does', () => {
    const scores = score([...busy(200), ...Array<number>(90).fill(12)])
    expect(scores[220]).toBeLessThan(1)
    expect(scores.at(-1)).toBeGreaterThan(1)
    expect(Math.max(...score(Array<number>(400).fill(3)).slice(10))).toBe(0)
  })
})
