import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../math/random.ts'
import { openSdrClassifier, type SdrClassifierOptions } from './sdr-classifier.ts'

const options: SdrClassifierOptions = { bits: 40, buckets: 5, fields: 1, steps: 3, rate: 1 }

/** Keeps every row, and weights in maps; the same sums in the same order. */
function openTwin({ bits, buckets, steps, rate }: SdrClassifierOptions) {
  const rows: number[][] = []
  const weights = new Map<string, number>()
  const every = Array.from({ length: buckets }, (_, b) => b)
  const weightOf = (step: number, bit: number, b: number) => weights.get(`${step},${bit},${b}`) ?? 0
  const predict = (step: number, active: number[]) => {
    const logits = every.map(b => [bits, ...active].reduce((sum, bit) => sum + weightOf(step, bit, b), 0))
    const exps = logits.map(logit => Math.exp(logit - Math.max(...logits)))
    const sum = exps.reduce((a, b) => a + b, 0)
    return exps.map(exp => exp / sum)
  }
  return {
    update(active: number[], bucket: number) {
      rows.push(active)
      for (let step = 1; step <= steps && bucket >= 0; step++) {
        const before = rows.at(-1 - step)
        if (!before) continue
        const probabilities = predict(step, before)
        for (const b of every) {
          const error = (rate / (before.length + 1)) * ((b === bucket ? 1 : 0) - probabilities[b])
          for (const bit of [bits, ...before]) weights.set(`${step},${bit},${b}`, Math.fround(weightOf(step, bit, b) + error))
        }
      }
    },
    predict: (step: number) => predict(step, rows.at(-1) ?? []),
  }
}

describe('openSdrClassifier', () => {
  const random = seededRandom(4)
  const drawBits = (count: number) => Array.from({ length: count }, () => Math.floor(random.next() * 40))
  const words = Array.from({ length: 6 }, () => drawBits(7))

  it('agrees with a naive twin, with rows without a value and rows without bits', () => {
    const classifier = openSdrClassifier(options)
    const twin = openTwin(options)
    for (let row = 0; row < 200; row++) {
      const active = row % 17 === 0 ? [] : random.next() < 0.2 ? drawBits(3) : words[row % 6]
      const bucket = row % 11 === 0 ? -1 : row % 5
      classifier.update(active, [bucket])
      twin.update(active, bucket)
      for (let step = 1; step <= 3; step++) expect([...classifier.predict(step)]).toEqual(twin.predict(step))
    }
  })

  it('gives each of several fields what a classifier of its own would', () => {
    const both = openSdrClassifier({ ...options, fields: 2 })
    const alone = [openSdrClassifier(options), openSdrClassifier(options)]
    for (let row = 0; row < 100; row++) {
      const active = random.next() < 0.2 ? drawBits(3) : words[row % 6]
      const found = [row % 5, row % 7 === 0 ? -1 : (row * row) % 5]
      both.update(active, found)
      for (const [f, classifier] of alone.entries()) classifier.update(active, [found[f]])
      for (let step = 1; step <= 3; step++) {
        expect([...both.predict(step)]).toEqual(alone.flatMap(classifier => [...classifier.predict(step)]))
      }
    }
  })

  it('knows nothing at the start, and learns what follows 1, 2 and 3 rows after', () => {
    const classifier = openSdrClassifier(options)
    expect([...classifier.predict(2)]).toEqual([0.2, 0.2, 0.2, 0.2, 0.2])
    for (let row = 0; row < 600; row++) classifier.update(words[row % 6], [[0, 1, 2, 3, 4, 4][row % 6]])
    // The latest row was the sixth of its round.
    for (let step = 1; step <= 3; step++) expect(classifier.predict(step)[step - 1]).toBeGreaterThan(0.8)
    expect(classifier.predict(1, words[2])[3]).toBeGreaterThan(0.8)
  })

  it('gives probabilities that come true', () => {
    const classifier = openSdrClassifier({ bits: 2, buckets: 2, fields: 1, steps: 1, rate: 0.05 })
    const chances = [0.7, 0.1]
    const sums = [0, 0]
    for (let row = 0; row < 8000; row++) {
      const bit = row % 2
      classifier.update([bit], [-1])
      if (row >= 4000) sums[bit] += classifier.predict(1)[1] / 2000
      classifier.update([], [random.next() < chances[bit] ? 1 : 0])
    }
    expect(sums[0]).toBeCloseTo(0.7, 1)
    expect(sums[1]).toBeCloseTo(0.1, 1)
  })

  it('without bits gives how often each bucket came', () => {
    const classifier = openSdrClassifier({ ...options, steps: 1, rate: 0.1 })
    for (let row = 0; row < 2000; row++) classifier.update([], [row % 4 === 0 ? 2 : 0])
    const probabilities = classifier.predict(1)
    expect(probabilities[0]).toBeCloseTo(0.75, 1)
    expect(probabilities[2]).toBeCloseTo(0.25, 1)
    expect(probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12)
  })

  it('goes on from a state', () => {
    for (const seen of [0, 2, 50]) {
      const whole = openSdrClassifier(options)
      for (let row = 0; row < seen; row++) whole.update(words[row % 6], [row % 5])
      const resumed = openSdrClassifier(options, structuredClone(whole.state()))
      for (let row = 0; row < 20; row++) {
        for (const classifier of [whole, resumed]) classifier.update(words[row % 6], [row % 4])
        expect(resumed.predict(3)).toEqual(whole.predict(3))
      }
      expect(resumed.state()).toEqual(whole.state())
    }
  })

  it('refuses steps and buckets that there are not', () => {
    const classifier = openSdrClassifier(options)
    expect(() => classifier.predict(4)).toThrow('step must be 1 to 3, got 4')
    expect(() => classifier.update([], [5])).toThrow('bucket of field 0 must be a whole number below 5, got 5')
    expect(() => openSdrClassifier({ ...options, steps: 0 })).toThrow('steps must be a whole number from 1 on, got 0')
  })
})
