import { expect, it } from 'vitest'
import { INPUT } from './network.ts'
import { writeShape } from './shape-of.ts'

it('is the stretched Haar transform, the samples, and the complements', () => {
  const samples = [0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.6]
  const out = new Float32Array(INPUT)
  writeShape(samples, out)
  // Stretched, the shape is seven zeros and a one: mean 1/√8, half 1/√8, quarter 1/2, pair 1/√2, and zero where nothing changes.
  const haar = [Math.SQRT1_2 / 2, Math.SQRT1_2 / 2, 0, 0.5, 0, 0, 0, Math.SQRT1_2]
  haar.forEach((coefficient, k) => expect(out[k]).toBeCloseTo(coefficient / Math.SQRT1_2, 6))
  samples.forEach((sample, k) => expect(out[8 + k]).toBeCloseTo(sample, 6))
  for (let k = 0; k < INPUT / 2; k++) expect(out[k] + out[INPUT / 2 + k]).toBeCloseTo(1, 6)
})

it('is flat for a flat shape', () => {
  const out = new Float32Array(INPUT)
  writeShape(new Float64Array(8).fill(0.5), out)
  expect(Array.from(out.subarray(0, 8))).toEqual(Array.from({ length: 8 }, () => 0))
})
