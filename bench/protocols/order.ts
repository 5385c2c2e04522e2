/** Places of the scores from the highest to the lowest; equal ones in order of place, NaN last, as undecided rows rank below all. */
export function orderDescending(scores: Float64Array): Uint32Array {
  const safe = scores.some(Number.isNaN) ? scores.map(undecidedLowest) : scores
  return Uint32Array.from(safe, (_, i) => i).sort((a, b) => (safe[a] > safe[b] ? -1 : safe[a] < safe[b] ? 1 : a - b))
}

/** An undecided score ranks below all others. */
export function undecidedLowest(score: number): number {
  return Number.isNaN(score) ? -Infinity : score
}

/** Calls back after each group of equal scores, highest first, with the rows and the labelled rows that score at least so much. */
export function sweep(
  scores: Float64Array,
  labels: ArrayLike<number>,
  visit: (predicted: number, hits: number, threshold: number) => void,
): void {
  const order = orderDescending(scores)
  let hits = 0
  for (let k = 0; k < order.length; k++) {
    const row = order[k]
    if (labels[row]) hits++
    const next = order[k + 1]
    if (next !== undefined && undecidedLowest(scores[next]) === undecidedLowest(scores[row])) continue
    visit(k + 1, hits, scores[row])
  }
}

/** Thresholds as numpy's `linspace(min, max, count)` gives them, over the decided scores. */
export function evenThresholds(scores: Float64Array, count: number): number[] {
  let low = Infinity
  let high = -Infinity
  for (const score of scores) {
    if (score < low) low = score
    if (score > high) high = score
  }
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? high : low + i * ((high - low) / (count - 1))))
}

/** Harmonic mean; 0 when both are 0. */
export function harmonicMean(a: number, b: number): number {
  return a + b > 0 ? (2 * a * b) / (a + b) : 0
}

export function meanOf(values: readonly number[]): number {
  return values.length === 0 ? NaN : values.reduce((a, b) => a + b, 0) / values.length
}
