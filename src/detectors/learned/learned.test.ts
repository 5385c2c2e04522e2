import { describe, expect, it } from 'vitest'
import { MINUTE } from '../../duration.ts'
import type { Frame } from '../../frame/frame.ts'
import { seededRandom } from '../../math/random.ts'
import { detectors } from '../index.ts'
import { smallExample } from './learned-config.ts'

/** Scores of five rows, the third and fourth of them strange: a change here moves alerts. */
const GOLDEN = {
  'lstm-autoencoder': [0.985, 1.07, 2.36, 4.03, 0.862],
  'vae-lstm': [0.999, 1, 3.22, 7.39, 0.844],
  lstm: [0.813, 0.822, 2.41, 2.81, 0.749],
  gru: [0.813, 0.8, 2.34, 2.7, 0.722],
  rnn: [0.808, 0.814, 2.38, 2.75, 0.724],
}
const COUNT = 1200
const BROKEN = 1100
const ALWAYS = { start: -Infinity, end: Infinity }

/** Two columns that turn in a circle of 24 rows, at level 1,000 and 5; at row 1,100 the second stops for eight rows in the middle of its range. */
function circle(): Frame<'requests' | 'share'> {
  const random = seededRandom(9)
  const times = Float64Array.from({ length: COUNT }, (_, i) => i * MINUTE)
  return {
    labels: {},
    times,
    columns: {
      requests: times.map((_, i) => 1000 + 100 * Math.sin((2 * Math.PI * i) / 24) + 10 * (random.next() - 0.5)),
      share: times.map((_, i) =>
        i >= BROKEN && i < BROKEN + 8 ? 5 : 5 + 0.5 * Math.cos((2 * Math.PI * i) / 24) + 0.05 * (random.next() - 0.5),
      ),
    },
  }
}

const make = (type: string, options: object = {}) => {
  const { config, create } = detectors[type]
  return create(config.parse({ ...smallExample, units: 16, steps: 8, epochs: 10, windows: 256, ...options }))
}

describe.each(Object.entries(GOLDEN))('%s', (type, golden) => {
  const input = circle()
  const scores = make(type).detect(input, ALWAYS).columns

  it('finds a column that leaves its course inside its usual range, and says which, in its own unit', () => {
    const alarm = scores.alarm!
    const usual = [...alarm.subarray(600, BROKEN)].sort((a, b) => a - b)
    const limit = usual[Math.floor(0.99 * usual.length)]
    // Later rows are predicted from strange ones, so that other columns suffer too.
    const worst = BROKEN + alarm.subarray(BROKEN).findIndex(score => score > limit)
    expect(worst).toBeLessThan(BROKEN + 8)
    expect(scores.channel![worst]).toBe(1)
    expect(scores.share1![worst]).toBeGreaterThan(0.5)
    expect(scores.value[worst]).toBe(5)
    expect(scores.expected[worst]).toBeGreaterThan(4)
    expect(scores.expected[worst]).toBeLessThan(6)
    expect(scores.upper[worst] - scores.lower[worst]).toBeLessThan(4)
  })

  it('scores about one when all is usual, and holds most rows within its band', () => {
    let sum = 0
    let inside = 0
    for (let i = 600; i < BROKEN; i++) {
      sum += scores.score[i]
      if (scores.value[i] >= scores.lower[i] && scores.value[i] <= scores.upper[i]) inside++
    }
    expect(sum / 500).toBeGreaterThan(0.3)
    expect(sum / 500).toBeLessThan(1.5)
    expect(inside / 500).toBeGreaterThan(0.95)
  })

  it('depends on its seed and on nothing that was scored in between', () => {
    expect(make(type, { seed: 2 }).detect(input, ALWAYS).columns.score.at(-1)).not.toBe(scores.score.at(-1))
    expect(make(type).detect(input, ALWAYS).columns.score).toEqual(scores.score)
  })

  it('has golden scores', () => {
    const said = [300, 700, BROKEN + 2, BROKEN + 5, COUNT - 1].map(i => Number(scores.score[i].toPrecision(3)))
    expect(said).toEqual(golden)
  })

  it('refuses what could never be fitted', () => {
    const { config } = detectors[type]
    const said = config.safeParse({ steps: 200, memory: 300 })
    expect(said.error?.issues.map(({ path, message }: { path: PropertyKey[]; message: string }) => [path[0], message])).toEqual([
      ['warmUp', 'must be at least three times steps, got 512'],
      ['memory', 'must be at least warmUp, got 300'],
    ])
  })
})
