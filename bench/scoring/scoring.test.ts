import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeSynthetic } from '../data/synthetic.ts'
import { meanRankings, measure } from './measure.ts'
import { fingerprint, makeDetector, pickDetector, types } from './pick-detector.ts'
import { scoreSeries } from './score-series.ts'
import { alarmOf, readScored, writeScored } from './scored.ts'

describe('a detector for the bench', () => {
  it('is named by its type, by JSON or by its file', () => {
    expect(pickDetector('ewma')).toMatchObject({ type: 'ewma', config: {} })
    expect(pickDetector('{"type": "ewma", "halfLife": "1h"}')).toMatchObject({ type: 'ewma', config: { halfLife: '1h' } })
    expect(pickDetector('src/detectors/ewma.ts').path).toMatch(/ewma\.ts$/)
    expect(types()).toEqual(expect.arrayContaining(['ewma', 'seasonal']))
    expect(() => pickDetector('no-such')).toThrow(/must be one of .*ewma.*, got no-such/)
  })

  it('runs on each of several columns when it looks at one', async () => {
    const single = await makeDetector(pickDetector('ewma'), 1)
    const many = await makeDetector(pickDetector('ewma'), 3)
    expect([single.multivariate, many.multivariate]).toEqual([false, true])
  })

  it('is known again by its configuration and code', () => {
    const of = (text: string) => fingerprint(pickDetector(text))
    expect(of('ewma')).toBe(of('{"type": "ewma"}'))
    expect(of('ewma')).not.toBe(of('{"type": "ewma", "x": 1}'))
    expect(of('ewma')).not.toBe(of('seasonal'))
  })
})

describe('scores', () => {
  it('come back from disk as they were, with alarms where there are any', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tidewatch-scored-'))
    const file = join(folder, 'a.f64')
    const score = Float64Array.of(NaN, 1, 2)
    await writeScored(file, { score, seconds: 3 })
    expect(await readScored(file)).toEqual({ score, seconds: 3 })
    const scored = { score, alarm: Float64Array.of(4, 5, NaN), seconds: 3 }
    await writeScored(file, scored)
    expect(await readScored(file)).toEqual(scored)
    expect(alarmOf(scored)).toBe(scored.alarm)
    expect(alarmOf({ score, seconds: 0 })).toBe(score)
    await rm(folder, { recursive: true })
  })

  it('are one for every row, and the same each time', async () => {
    const series = makeSynthetic('spike', 'strong', 'quiet', 1)
    for (const detector of ['ewma', 'random', 'mean-absolute-z']) {
      const { score } = await scoreSeries(series, detector)
      expect(score).toHaveLength(series.times.length)
      expect((await scoreSeries(series, detector)).score).toEqual(score)
    }
  })
})

describe('measure', () => {
  const series = makeSynthetic('level shift', 'strong', 'quiet', 1)
  const first = series.labels.indexOf(1)
  const perfect = Float64Array.from(series.labels, label => 10 * label + 0.001)

  it('gives a perfect score all it can', () => {
    const { rankings, felt, found } = measure(series, { score: perfect, seconds: 0 })
    expect(found).toBe(true)
    for (const name of [
      'AUC-PR',
      'AUC-ROC',
      'best F1',
      'event F1',
      'event F1, k = 7',
      'range-based F1',
      'point-adjusted F1',
    ] as const)
      expect(rankings![name], name).toBeCloseTo(1, 9)
    expect(felt).toMatchObject({ alerts: 1, false: 0, segments: 1, delays: [0] })
  })

  it('judges the test part only, events and alerts by the alarm, the ranking by the score', () => {
    const late = perfect.map((_, i) => (i === first + 20 ? 10 : 0.001))
    late.fill(10, 1000, 1010)
    const score = perfect.slice().fill(99, 0, 500)
    const { rankings, felt } = measure(series, { score, alarm: late, seconds: 0 })
    expect(rankings!['AUC-PR']).toBeCloseTo(1, 9)
    expect(rankings!['event F1']).toBeCloseTo(1, 9)
    expect(rankings!['event F1, k = 7']).toBeLessThan(0.1)
    expect(felt.delays).toEqual([20 * series.step])
    expect(felt.false).toBe(0)
  })

  it('knows no ranking without an anomaly, but counts what is false', () => {
    const calm = makeSynthetic('calm', 'strong', 'quiet', 1)
    const score = perfect.map((_, i) => (i === 5000 ? 10 : 0.001))
    const measured = measure(calm, { score, seconds: 0 })
    expect(measured.rankings).toBeUndefined()
    expect(measured.felt.false).toBe(1)
    expect(measured.calibrations.map(({ alarms }) => alarms)).toEqual([1, 1, 1])
    expect(measured.calibrations[0]!.allowed).toBeCloseTo(7, 9)
    expect(meanRankings([measured, measure(series, { score: perfect, seconds: 0 })])['AUC-PR']).toBeCloseTo(1, 9)
  })
})
