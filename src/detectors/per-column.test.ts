import { describe, expect, it } from 'vitest'
import type { Stream } from './detector.ts'
import { ewma } from './ewma.ts'
import { fromStream } from './from-stream.ts'
import { openPerColumn, perColumn } from './per-column.ts'

const one = ewma.create(ewma.config.parse({}))
const times = Float64Array.from({ length: 60 }, (_, i) => i * 60_000)
const wave = (by: number, spikeAt: number) => times.map((_, i) => (i === spikeAt ? 300 : 50 + 3 * Math.sin(i * by)))
const columns = { a: wave(1.3, 40), b: wave(2.1, 50), empty: new Float64Array(60).fill(NaN) }

describe('perColumn', () => {
  it('is as strange as the strangest column, whose value and band it carries', () => {
    const all = perColumn(one).detect({ labels: {}, times, columns }, { start: 0, end: 1e12 }).columns
    const [a, b] = [columns.a, columns.b].map(
      value => one.detect({ labels: {}, times, columns: { value } }, { start: 0, end: 1e12 }).columns,
    )
    for (let i = 0; i < 60; i++) {
      const most = b.score[i] > a.score[i] ? b : a
      expect([all.score[i], all.value[i], all.expected[i], all.upper[i]]).toEqual(
        Number.isNaN(a.score[i])
          ? [NaN, all.value[i], NaN, NaN]
          : [most.score[i], most.value[i], most.expected[i], most.upper[i]],
      )
    }
    expect([all.value[40], all.value[50]]).toEqual([300, 300])
    expect([all.channel![40], all.channel![50], all.channel![0]]).toEqual([0, 1, 0])
  })

  it('alarms as the column that alarms most, whichever is strangest', () => {
    const said = (score: number, alarm: number) =>
      fromStream({
        lookback: 1,
        open: () => ({
          score: (_, { 0: x }) => ({ score: score * x, alarm: alarm / x, value: x, expected: NaN, lower: NaN, upper: NaN }),
          learn: () => {},
          snapshot: () => ({ version: 1 }),
        }),
      })
    const two = { labels: {}, times: Float64Array.of(0, 1), columns: { a: Float64Array.of(1, 4), b: Float64Array.of(2, 2) } }
    const all = perColumn(said(1, 8)).detect(two, { start: 0, end: 2 }).columns
    expect([...all.score, ...all.channel!, ...all.alarm!]).toEqual([2, 4, 1, 0, 8, 4])
    expect(perColumn(one).detect(two, { start: 0, end: 2 }).columns.alarm).toBeUndefined()
    expect(perColumn(said(1, 8)).detect(two, { start: 5, end: 9 }).columns.alarm).toHaveLength(0)
  })

  it('has a column contribute the square of its alarm, or of its score without one; nothing while undecided', () => {
    const said = (alarms: boolean): Stream => ({
      score: (_, { 0: x }) => ({ score: x, ...(alarms && { alarm: 2 / x }), value: x, expected: NaN, lower: NaN, upper: NaN }),
      learn: () => {},
      snapshot: () => ({ version: 1 }),
    })
    const judge = (alarms: boolean, row: number[]) => openPerColumn(() => said(alarms)).score(0, row).contributions
    expect(judge(false, [1, NaN, 3])).toEqual(Float64Array.of(1, 0, 9))
    expect(judge(true, [1, NaN, 4])).toEqual(Float64Array.of(4, 0, 0.25))
    expect(judge(false, [NaN, NaN])).toEqual(Float64Array.of(0, 0))
    expect(judge(false, [1e300, 0])![0]).toBeLessThan(Infinity)
    expect(judge(false, [5])).toBeUndefined()
  })

  it('needs a stream', () => {
    const { open: _, ...closed } = one
    expect(() => perColumn(closed)).toThrow(TypeError)
  })
})
