/** Where the trace per feature is larger, features tell too little to forget by: forgetting on would let the matrix grow without end. */
const MOST_TRACE = 1e4

/**
 * One step of recursive least squares (Haykin, Adaptive Filter Theory, ch. 10): moves `weights` by the error of their prediction and `inverse`
 * (n × n, row after row, the inverse of the weighted normal matrix) by the features, both in place. `forget` (0 … 1] is the weight of
 * yesterday's rows; nothing is forgotten while the features say too little. `gain` is scratch of length n. An inverse that rounding has
 * spoiled starts anew.
 */
export function updateLeastSquares(
  weights: Float64Array,
  inverse: Float64Array,
  features: Float64Array,
  error: number,
  forget: number,
  gain: Float64Array,
): void {
  const n = weights.length
  let power = 0
  let trace = 0
  for (let i = 0; i < n; i++) {
    let sum = 0
    const row = i * n
    for (let j = 0; j < n; j++) sum += inverse[row + j] * features[j]
    gain[i] = sum
    power += sum * features[i]
    trace += inverse[row + i]
  }
  if (!(power >= 0 && power < 1e100)) {
    startInverse(inverse, n)
    return
  }
  const share = 1 / (forget + power)
  for (let i = 0; i < n; i++) weights[i] += gain[i] * share * error
  const grow = trace > MOST_TRACE * n ? 1 : 1 / forget
  for (let i = 0; i < n; i++) {
    const row = i * n
    const part = gain[i] * share
    for (let j = 0; j <= i; j++) {
      const value = (inverse[row + j] - part * gain[j]) * grow
      inverse[row + j] = value
      inverse[j * n + i] = value
    }
  }
}

/** Knows nothing: 100 on the diagonal, for features of about one. */
export function startInverse(inverse: Float64Array, n: number): void {
  inverse.fill(0)
  for (let i = 0; i < n; i++) inverse[i * n + i] = 100
}
