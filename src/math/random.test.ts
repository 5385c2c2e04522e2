import { expect, it } from 'vitest'
import { seededRandom } from './random.ts'

it('seededRandom is uniform, repeats from its seed and goes on from its state', () => {
  const random = seededRandom(42)
  const drawn = Array.from({ length: 20_000 }, random.next)
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
  expect(mean(drawn)).toBeCloseTo(1 / 2, 2)
  expect(mean(drawn.map(x => x * x))).toBeCloseTo(1 / 3, 2)
  expect(mean(drawn.slice(1).map((x, i) => x * drawn[i]))).toBeCloseTo(1 / 4, 2)
  expect(drawn.every(x => x >= 0 && x < 1)).toBe(true)
  const again = seededRandom(42)
  expect(drawn.slice(0, 100)).toEqual(Array.from({ length: 100 }, again.next))
  const on = seededRandom(again.state())
  expect(drawn.slice(100, 200)).toEqual(Array.from({ length: 100 }, on.next))
  expect(seededRandom(43).next()).not.toBe(drawn[0])
})
