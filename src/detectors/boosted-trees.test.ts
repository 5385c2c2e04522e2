import { describe, expect, it } from 'vitest'
import { DAY, HOUR, MINUTE, WEEK } from '../duration.ts'
import type { Frame } from '../frame/frame.ts'
import { fromValues } from '../frame/frame.ts'
import { seededRandom } from '../math/random.ts'
import { fromZone } from '../math/zone-offset.ts'
import { boostedTrees } from './boosted-trees.ts'

const START = Date.UTC(2024, 0, 1)
const ALWAYS = { start: -Infinity, end: Infinity }
const STEP = 10 * MINUTE

const make = (options: object) => boostedTrees.create(boostedTrees.config.parse(options))

function series(rows: number, value: (time: number, i: number) => number, start = START): Frame<'value'> {
  const times = Float64Array.from({ length: rows }, (_, i) => start + i * STEP)
  return fromValues(times, times.map(value))
}

function noise(seed: number): () => number {
  const random = seededRandom(seed)
  return () => random.next() + random.next() + random.next() - 1.5
}

const meanOf = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length

/** Mean absolute error of what was expected in the rows from `from` on. */
function errorFrom(from: number, { columns }: ReturnType<ReturnType<typeof make>['detect']>): number {
  return meanOf(columns.value.slice(from).map((value, i) => Math.abs(value - columns.expected[from + i])))
}

describe('boosted-trees', () => {
  it('keeps its golden scores', () => {
    const random = noise(1)
    const input = series(900, (time, i) => 50 + 10 * Math.sin((2 * Math.PI * time) / DAY) + random() + (i === 850 ? 15 : 0))
    const { columns } = make({ lags: 6, trees: 20, depth: 3 }).detect(input, ALWAYS)
    const shown = [199, 200, 500, 849, 850, 851, 899].map(i => Number(columns.alarm![i].toFixed(3)))
    expect(shown).toMatchInlineSnapshot(`
      [
        0.071,
        2.291,
        0.909,
        0.618,
        25.326,
        0.825,
        0.219,
      ]
    `)
  })

  it('expects better than the last value and than the mean of the last ones', () => {
    const random = noise(2)
    const input = series(3000, time => 50 + 10 * Math.sin((2 * Math.PI * time) / (4 * HOUR)) + 2 * random())
    const scores = make({}).detect(input, ALWAYS)
    const { value } = input.columns
    const from = 1600
    const naive = meanOf(value.slice(from).map((x, i) => Math.abs(x - value[from + i - 1])))
    const level = meanOf(value.slice(from).map((x, i) => Math.abs(x - meanOf(value.slice(from + i - 12, from + i)))))
    expect(errorFrom(from, scores)).toBeLessThan(0.7 * Math.min(naive, level))
    // What cannot be expected at all.
    expect(errorFrom(from, scores)).toBeGreaterThan(0.8)
  })

  it('knows a jump by the clock of its zone, on working days', () => {
    const berlin = fromZone('Europe/Berlin')
    const random = noise(3)
    const isOpen = (time: number) => {
      const wall = time + berlin(time)
      const weekday = (Math.floor(wall / DAY) + 3) % 7
      return weekday < 5 && wall % DAY >= 8 * HOUR && wall % DAY < 18 * HOUR
    }
    // Summer time begins on 31 March 2024.
    const start = Date.UTC(2024, 2, 4)
    const input = series(6 * 1008, time => (isOpen(time) ? 100 : 20) + random(), start)
    const opening = [...input.times.keys()].filter(i => i > 4 * 1008 && isOpen(input.times[i]) && !isOpen(input.times[i - 1]))
    const worst = (timezone: string) => {
      const { alarm } = make({ timezone, history: 3000 }).detect(input, ALWAYS).columns
      return opening.map(i => alarm![i]).sort((a, b) => a - b)[Math.floor(opening.length / 2)]
    }
    expect(worst('Europe/Berlin')).toBeLessThan(4)
    expect(worst('UTC')).toBeGreaterThan(10)
  })

  it('uses what another metric said a row ago', () => {
    const random = noise(4)
    const lead = Float64Array.from({ length: 2500 }, () => 20 * random())
    const times = lead.map((_, i) => START + i * STEP)
    const own = lead.map((_, i) => 100 + (i > 0 ? lead[i - 1] : 0) + 0.5 * random())
    const input: Frame = { labels: {}, times, columns: { own, lead, idle: lead.map(() => random()) } }
    const detector = make({ others: 1 })
    const alone = make({ others: 0 })
    const at = own.findIndex((x, i) => i > 2400 && x > 108 && x < 112)
    const broken: Frame = { ...input, columns: { ...input.columns, own: own.map((x, i) => (i === at ? 200 - x : x)) } }
    const rank = (scores: Float64Array) => scores.slice(2000).filter(score => score > scores[at]).length
    expect(rank(detector.detect(broken, ALWAYS).columns.score)).toBe(0)
    expect(rank(alone.detect(broken, ALWAYS).columns.score)).toBeGreaterThan(5)
    const { channel, share0 } = detector.detect(broken, ALWAYS).columns
    expect(channel![at]).toBe(0)
    expect(share0![at]).toBeGreaterThan(0.9)
  })

  it('takes a new level for usual after some rows, and judges by it', () => {
    const random = noise(5)
    const input = series(2500, (_, i) => (i < 2000 ? 100 : 300) + random())
    const { alarm, expected } = make({}).detect(input, ALWAYS).columns
    expect(alarm![2000]).toBeGreaterThan(50)
    const settled = alarm!.slice(2030, 2400)
    expect(settled.every(value => value < 10)).toBe(true)
    expect(Math.abs(expected[2400] - 300)).toBeLessThan(5)
  })

  it('refits by the number of rows only', () => {
    const random = noise(6)
    const input = series(1300, () => random())
    const stream = make({ history: 400, trees: 5 }).open!()
    const fits: number[] = []
    let last = ''
    input.times.forEach((time, i) => {
      stream.learn(time, [input.columns.value[i]])
      const [metric] = (stream.snapshot() as unknown as { metrics: { trees?: { value: Float32Array } }[] }).metrics
      const now = String(metric.trees?.value)
      if (now !== last && i > 0) fits.push(i + 1)
      last = now
    })
    expect(fits.every(rows => rows % 200 === 0)).toBe(true)
    expect(fits.length).toBeGreaterThan(2)
  })

  it('rejects unknown zones', () => {
    expect(boostedTrees.config.safeParse({ timezone: 'Mars/Olympus' }).error?.message).toContain('IANA')
    expect(boostedTrees.create(boostedTrees.config.parse({})).lookback).toBe(WEEK)
  })
})
