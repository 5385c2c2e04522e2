import { describe, expect, it } from 'vitest'
import { seededRandom } from '../data/seeded-random.ts'
import type { NabFile } from './nab.ts'
import { NAB_PROFILES, probationRows, scaledSigmoid, scoreNab, scoreNabAt, scoreNabWithCoolDown, worthOfRows } from './nab.ts'

const { standard } = NAB_PROFILES

/** A corpus of noise with windows of several widths; coarse scores tie often. */
function corpus(seed: number, levels = Infinity): NabFile[] {
  const random = seededRandom(seed)
  return [300, 1200, 80, 700].map((rows, k) => {
    const windows: [number, number][] = []
    for (let at = probationRows(rows) + 5; k !== 2 && at + 40 < rows; at += 60 + Math.floor(random() * 200))
      windows.push([at, at + 5 + Math.floor(random() * 30)])
    const scores = Float64Array.from({ length: rows }, (_, i) => {
      const inside = windows.some(([first, last]) => i >= first && i <= last)
      const score = random() * (inside ? 1 : 0.8)
      return Number.isFinite(levels) ? Math.floor(score * levels) / levels : score
    })
    return { name: `file ${k}`, scores, windows }
  })
}

describe('NAB', () => {
  it('has the published worth at known positions', () => {
    expect(scaledSigmoid(-1)).toBeCloseTo(0.9866142981514305, 12)
    expect(scaledSigmoid(-0.5) / scaledSigmoid(-1)).toBeCloseTo(0.859793, 6)
    expect(scaledSigmoid(0.1)).toBeCloseTo(-0.244919, 6)
    expect(scaledSigmoid(1)).toBeCloseTo(-0.986614, 6)
    expect(scaledSigmoid(3.001)).toBe(-1)
  })

  it('leaves 15 % out, at most 750 rows', () => {
    expect([10, 100, 4999, 5000, 22_695].map(probationRows)).toEqual([1, 15, 749, 750, 750])
  })

  it('pays the left edge in full, the right edge little, and charges rows behind a window more and more', () => {
    const { worth, window } = worthOfRows({ name: '', scores: new Float64Array(100), windows: [[40, 49]] }, standard)
    expect(worth[39]).toBe(-0.11)
    expect(worth[40]).toBeCloseTo(1, 12)
    expect(worth[49]).toBeCloseTo(scaledSigmoid(-0.1) / scaledSigmoid(-1), 12)
    expect(worth[50]).toBeCloseTo(0.11 * scaledSigmoid(1 / 9), 12)
    expect(worth[80]).toBe(-0.11)
    expect([window[39], window[40], window[49], window[50]]).toEqual([-1, 0, 0, -1])
  })

  it.each(Object.entries(NAB_PROFILES))('finds the best threshold as its naive twin does, %s', (_, profile) => {
    for (const files of [corpus(1), corpus(2, 20), corpus(3, 3)]) {
      const thresholds = [Infinity, ...new Set(files.flatMap(({ scores }) => [...scores]))].sort((a, b) => b - a)
      const naive = thresholds.map(threshold => scoreNabAt(files, profile, threshold))
      const best = Math.max(...naive)
      const { score, threshold } = scoreNab(files, profile)
      expect(score).toBeCloseTo(best, 9)
      expect(scoreNabAt(files, profile, threshold)).toBeCloseTo(best, 9)
    }
  })

  it('gives the null detector 0, the perfect one 100', () => {
    const files = corpus(4)
    const say = (score: (row: number, file: NabFile) => number) =>
      files.map(file => ({ ...file, scores: file.scores.map((_, i) => score(i, file)) }))
    for (const profile of Object.values(NAB_PROFILES)) {
      expect(
        scoreNab(
          say(() => 0.5),
          profile,
        ),
      ).toEqual({ score: 0, raw: expect.any(Number), threshold: Infinity })
      const perfect = say((i, { windows }) => (windows.some(([first]) => i === first) ? 1 : 0))
      expect(scoreNab(perfect, profile).score).toBeCloseTo(100, 9)
    }
  })

  it('takes the higher threshold of equal totals, and refuses NaN', () => {
    const scores = new Float64Array(100)
    scores[40] = 0.9
    scores[45] = 0.4
    expect(scoreNab([{ name: '', scores, windows: [[40, 60]] }], standard).threshold).toBe(0.9)
    scores[70] = NaN
    expect(() => scoreNab([{ name: 'x', scores, windows: [[40, 60]] }], standard)).toThrow('scores of x must not be NaN')
  })

  it('does not hear what is said in probation', () => {
    const scores = new Float64Array(100)
    scores.fill(1, 0, 15)
    scores[50] = 0.5
    expect(scoreNab([{ name: '', scores, windows: [[50, 60]] }], standard).score).toBeCloseTo(100, 9)
  })

  it('hears an alert once per cool-down', () => {
    const scores = new Float64Array(1000)
    scores.fill(1, 400, 420)
    const files = [{ name: '', scores, windows: [[600, 650] as const] }]
    const noisy = scoreNabAt(files, standard, 1)
    expect(noisy).toBeCloseTo((100 * -0.11 * 20) / 2, 9)
    scores[600] = 1
    // 0.2 of 150 rows of probation are 30 rows: one false alert instead of twenty.
    expect(scoreNabWithCoolDown(files, standard, 0.2).score).toBeCloseTo(100 * (1 - 0.11 / 2), 9)
    expect(scoreNab(files, standard).score).toBeLessThan(0.1)
  })

  it('with a cool-down finds the best of all thresholds where there are few', () => {
    const files = corpus(5, 20)
    const { score, threshold } = scoreNabWithCoolDown(files, standard, 0.1)
    const thinned = (limit: number) =>
      files.map(file => {
        const silent = Math.max(1, Math.floor(0.1 * probationRows(file.scores.length)))
        let last = -Infinity
        return {
          ...file,
          scores: file.scores.map((value, i) => {
            if (value < limit || i - last <= silent) return 0
            last = i
            return 1
          }),
        }
      })
    const limits = [...new Set(files.flatMap(({ scores }) => [...scores]))]
    const naive = limits.map(limit => scoreNabAt(thinned(limit), standard, 1))
    expect(score).toBeCloseTo(Math.max(0, ...naive), 9)
    expect(limits).toContain(threshold)
  })
})
