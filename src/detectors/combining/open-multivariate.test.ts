import { describe, expect, it } from 'vitest'
import { DAY } from '../../duration.ts'
import { detectorLaws } from '../../testing/detector-laws.ts'
import type { State, Stream } from '../detector.ts'
import { fromStream } from '../from-stream.ts'
import { seasonal } from '../seasonal.ts'
import { openChannelLevels } from './channel-levels.ts'
import { openMultivariate } from './open-multivariate.ts'

const parts = { zone: () => 0, openBand: seasonal.create(seasonal.config.parse({})).open! }
const MINUTE = 60_000

/** Channels that follow a daily tide and a shared load, with noise of their own; the last two never move. */
function makeRows(size: number, channels: number): number[][] {
  let state = 11
  const random = () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647 - 0.5
  }
  let load = 0
  return Array.from({ length: size }, (_, i) => {
    load = 0.9 * load + random()
    return Array.from({ length: channels }, (_, c) =>
      c >= channels - 2 && channels > 4 ? 3 : 50 * (c + 1) + 5 * Math.sin((2 * Math.PI * i) / 1440) + load + 0.3 * random(),
    )
  })
}

function follow(stream: Stream, rows: readonly (readonly number[])[], from = 0) {
  return rows.map((row, i) => {
    const { contributions, ...judgement } = stream.score((from + i) * MINUTE, row)
    stream.learn((from + i) * MINUTE, row)
    return { ...judgement, contributions: contributions!.slice() }
  })
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length

describe('openMultivariate', () => {
  it.each([2, 3, 6])('finds a channel that leaves the others, of %i', channels => {
    const rows = makeRows(1500, channels)
    for (let i = 1400; i < 1410; i++) rows[i][1] -= 6
    const said = follow(openMultivariate(parts), rows)
    const calm = said.slice(1000, 1390)
    const at = said.slice(1000).reduce((best, { alarm }, i) => (alarm! > said[best].alarm! ? i + 1000 : best), 1000)
    expect(at).toBeGreaterThanOrEqual(1400)
    expect(at).toBeLessThan(1411)
    expect(said[1400].channel).toBe(1)
    expect(said[1400].value).toBe(rows[1400][1])
    expect(said[1400].upper).toBeGreaterThan(rows[1400][1])
    expect(said[1400].lower).toBeGreaterThan(rows[1400][1])
    expect(said[1409].score).toBeGreaterThan(2 * mean(calm.map(({ score }) => score)))
  })

  it('keeps a departure that lasts above what is usual, although the next row is predicted from it', () => {
    const rows = makeRows(2000, 8)
    for (let i = 1500; i < 2000; i++) rows[i] = rows[i].map(x => x + 60)
    const said = follow(openMultivariate(parts), rows)
    const before = mean(said.slice(1000, 1500).map(({ score }) => score))
    const inside = mean(said.slice(1700).map(({ score }) => score))
    expect(inside).toBeGreaterThan(1.2 * before)
  })

  it('divides the square of its alarm among the channels', () => {
    const rows = makeRows(1500, 6)
    rows[1200][4] = NaN
    rows[1400][1] -= 6
    const said = follow(openMultivariate(parts), rows)
    const sumOf = (values: Float64Array) => values.reduce((a, b) => a + b, 0)
    for (const { alarm, contributions } of said)
      expect(Math.sqrt(sumOf(contributions))).toBeCloseTo(Number.isNaN(alarm) ? 0 : alarm! / 2, 9)
    expect(said[1200].contributions[4]).toBe(0)
    expect(said[1400].contributions[1] / sumOf(said[1400].contributions)).toBeGreaterThan(0.9)
  })

  it('gives a departure that lasts to the channel that departed, also when the band has followed it', () => {
    const rows = makeRows(2000, 8)
    for (let i = 1500; i < 2000; i++) rows[i][2] += 120
    const said = follow(openMultivariate(parts), rows).slice(1520)
    const leaders = said.filter(({ contributions }) => contributions.indexOf(Math.max(...contributions)) === 2)
    expect(leaders.length / said.length).toBeGreaterThan(0.5)
  })

  it('takes what columns contribute by themselves where one of them makes the alarm', () => {
    const rows = makeRows(1500, 2)
    for (let i = 1400; i < 1410; i++) rows[i][1] -= 6
    const said = follow(openMultivariate(parts), rows)
    const kinds = said.slice(200).map(({ contributions, alarm }) => {
      const isJoint = Math.abs(2 * Math.hypot(...contributions.map(Math.sqrt)) - alarm!) < 1e-9
      const isAlone = Math.abs(Math.sqrt(Math.max(...contributions)) - alarm!) < 1e-9
      return isJoint ? 'joint' : isAlone ? 'alone' : 'neither'
    })
    expect(new Set(kinds)).toEqual(new Set(['joint', 'alone']))
    expect(said[1400].contributions[1]).toBeGreaterThan(said[1400].contributions[0])
  })

  it('is undecided at first and on rows without values, and knows rows with some', () => {
    const rows = makeRows(700, 5)
    rows[300] = rows[300].map(() => NaN)
    rows[301][2] = NaN
    const said = follow(openMultivariate(parts), rows)
    expect(said.slice(0, 30).every(({ score, alarm }) => Number.isNaN(score) && Number.isNaN(alarm))).toBe(true)
    expect([said[300].score, said[300].alarm]).toEqual([NaN, NaN])
    expect(said.slice(120).filter(({ score, alarm }) => Number.isNaN(score + alarm!))).toHaveLength(1)
  })

  it('says little of what never moved', () => {
    const rows = Array.from({ length: 600 }, (_, i) => [5, 0, 1e6, i < 590 ? 7 : 9, 0])
    const said = follow(openMultivariate(parts), rows)
    expect(said.slice(200, 590).every(({ alarm }) => alarm === 0)).toBe(true)
    expect(said[590].alarm).toBeGreaterThan(6)
    expect(said[590].alarm).toBeLessThan(1000)
    expect(said[590].channel).toBe(3)
  })

  it.each([2, 7])('goes on from a snapshot with %i columns', channels => {
    const rows = makeRows(500, channels)
    const whole = openMultivariate(parts)
    const all = follow(whole, rows)
    const first = openMultivariate(parts)
    follow(first, rows.slice(0, 333))
    const second = openMultivariate(parts, structuredClone(first.snapshot()) as State)
    expect(follow(second, rows.slice(333), 333)).toEqual(all.slice(333))
    expect(second.snapshot()).toEqual(whole.snapshot())
  })
})

/** Rows of one value as rows of many that follow it, so that the laws of one column can be asked of many. */
const widened = (width: number) =>
  fromStream({
    lookback: DAY,
    open: snapshot => {
      const stream = openMultivariate(parts, snapshot)
      const widen = (row: ArrayLike<number>) => Array.from({ length: width }, (_, c) => (c % 4 === 3 ? 5 : (c + 1) * row[0] - c))
      return {
        score: (time, row) => ({ ...stream.score(time, widen(row)), value: row[0] }),
        learn: (time, row) => stream.learn(time, widen(row)),
        snapshot: () => stream.snapshot(),
      }
    },
  })

describe('openMultivariate with six columns', () => {
  for (const law of detectorLaws) {
    // A column that never changes is always known.
    if (law.name === 'says NaN of a row without a value') continue
    it(law.name, () => law.check(widened(6)))
  }
})

describe('openChannelLevels', () => {
  it('knows mean and deviation like its naive twin while nothing is clipped', () => {
    const rows = makeRows(300, 3)
    const levels = openChannelLevels(3)
    const squares = new Float64Array(3)
    rows.forEach((row, i) => {
      if (i >= 40) {
        const past = rows.slice(0, i)
        const distances = row.map((x, j) => {
          const centre = mean(past.map(other => other[j]))
          const deviation = Math.sqrt(mean(past.map(other => (other[j] - centre) ** 2)))
          return Math.abs(x - centre) / Math.max(deviation, 0.01 * centre, 0.001 * x)
        })
        expect(levels.look(row, squares)).toBeCloseTo(Math.hypot(...distances), 6)
        distances.forEach((distance, c) => expect(squares[c]).toBeCloseTo(distance ** 2, 6))
      } else expect(levels.look(row, squares)).toBe(NaN)
      levels.learn(row)
    })
    expect(levels.snapshot()).toHaveLength(9)
  })
})
