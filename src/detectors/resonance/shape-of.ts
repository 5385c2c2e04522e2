import { INPUT } from './network.ts'

/** Samples that make a shape. */
export const SHAPE = 8

const stretched = new Float64Array(SHAPE)
const coefficients = new Float64Array(SHAPE)

/** Writes the features of the last eight samples (each in 0 … 1) and their complements: Haar coefficients of the stretched shape, coarse to fine, then the samples. */
export function writeShape(samples: ArrayLike<number>, out: Float32Array): void {
  stretch(samples, stretched)
  for (let size = SHAPE / 2; size >= 1; size /= 2) {
    for (let i = 0; i < size; i++) {
      const earlier = stretched[2 * i]
      const later = stretched[2 * i + 1]
      coefficients[size + i] = (later - earlier) * Math.SQRT1_2
      stretched[i] = (earlier + later) * Math.SQRT1_2
    }
  }
  coefficients[0] = stretched[0]
  stretch(coefficients, stretched)
  for (let i = 0; i < SHAPE; i++) {
    out[i] = stretched[i]
    out[SHAPE + i] = samples[i]
  }
  for (let i = 0; i < INPUT / 2; i++) out[INPUT / 2 + i] = 1 - out[i]
}

/** To 0 … 1; all 0 when all are equal. */
function stretch(values: ArrayLike<number>, out: Float64Array): void {
  let low = Infinity
  let high = -Infinity
  for (let i = 0; i < SHAPE; i++) {
    if (values[i] < low) low = values[i]
    if (values[i] > high) high = values[i]
  }
  const range = high - low
  for (let i = 0; i < SHAPE; i++) out[i] = range > 0 ? (values[i] - low) / range : 0
}
