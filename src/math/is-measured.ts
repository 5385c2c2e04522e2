/** Claims that a value can be calculated with: not NaN, not infinite, and not so large (1e100) that its square overflows. */
export function isMeasured(value: number): boolean {
  return Math.abs(value) < 1e100
}

/** Claims that a value is infinite, or so large that nothing can be calculated with it: it is above or below every limit all the same. */
export function isBeyondMeasure(value: number): boolean {
  return Math.abs(value) >= 1e100
}

/** Claims that a value is +Inf or -Inf: nothing can be calculated with it, yet it is above or below every limit. */
export function isInfinite(value: number): boolean {
  return Math.abs(value) === Infinity
}
