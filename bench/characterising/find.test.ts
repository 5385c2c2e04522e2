import { describe, expect, it } from 'vitest'
import { detectors } from '../../src/detectors/index.ts'
import { MINUTE } from '../../src/duration.ts'
import { NOISES, STRENGTHS } from '../data/synthetic.ts'
import { findAlerts } from '../protocols/operators.ts'
import { findAll, PLACES, SEEDS } from './find.ts'
import type { Kindred } from './tides.ts'
import { disturb, makeTides, pickPlaces, withDisturbances } from './tides.ts'

const KINDRED: Kindred = { width: 1, tidal: true }
const { open, detect } = detectors.autoregressive!.create(detectors.autoregressive!.config.parse({ lags: 3 }))

describe('findAll', () => {
  const found = findAll(open!, KINDRED)

  it('finds what going through each series from its beginning finds', () => {
    for (const noise of NOISES)
      for (const strength of STRENGTHS) {
        const delays = SEEDS.flatMap(seed => {
          const tides = makeTides(noise, seed, KINDRED)
          return pickPlaces(tides, seed, PLACES).flatMap((place, k) => {
            const odd = disturb(tides, 'level shift', strength, 0, place, 10 * seed + k)
            const [value] = withDisturbances(tides, [odd])
            const frame = { labels: {}, times: tides.times, columns: { value: value! } }
            const { score } = detect(frame, { start: -Infinity, end: Infinity }).columns
            const [row] = findAlerts(tides.times, score, place).filter(row => row < place + odd.values.length + 3)
            return row === undefined ? [] : [(tides.times[row] - tides.times[place]) / MINUTE]
          })
        }).sort((a, b) => a - b)
        const cell = found.all.find(one => one.kind === 'level shift' && one.noise === noise && one.strength === strength)!
        expect(cell.found).toBeCloseTo(delays.length / (SEEDS.length * PLACES), 12)
        expect(cell.delay).toEqual(delays[delays.length >> 1] ?? NaN)
      }
  })

  it('counts the alerts of the last week without an anomaly', () => {
    for (const noise of NOISES) {
      const alerts = SEEDS.map(seed => {
        const { times, columns, trainRows } = makeTides(noise, seed, KINDRED)
        const frame = { labels: {}, times, columns: { value: columns[0]! } }
        return findAlerts(times, detect(frame, { start: -Infinity, end: Infinity }).columns.score, trainRows).length
      })
      expect(found.falseAlarms[noise]).toBeCloseTo(alerts.reduce((a, b) => a + b) / SEEDS.length, 12)
    }
  })
})

describe('tides', () => {
  it('of several columns share half of their noise, and only one is disturbed', () => {
    const tides = makeTides('quiet', 1, { width: 6, tidal: true })
    const [a, b] = tides.errors as [Float64Array, Float64Array]
    const mean = (of: (i: number) => number) => a.reduce((sum, _, i) => sum + of(i), 0) / a.length
    expect(mean(i => a[i] * b[i]) / Math.sqrt(mean(i => a[i] ** 2) * mean(i => b[i] ** 2))).toBeCloseTo(0.5, 1)
    const odd = disturb(tides, 'spike', 'strong', 3, 5000, 1)
    const columns = withDisturbances(tides, [odd])
    columns.forEach((column, c) => expect(column.some((value, i) => value !== tides.columns[c][i])).toBe(c === 3))
    expect(columns[3]![5000] - tides.columns[3]![5000]).toBeCloseTo(16 * (0.8 + (0.4 * 3) / 5), 9)
  })

  it('without a tide stay at their level', () => {
    const { columns } = makeTides('quiet', 1, { width: 1, tidal: false })
    expect(Math.max(...columns[0]!)).toBeLessThan(106)
    expect(Math.min(...columns[0]!)).toBeGreaterThan(94)
  })
})
