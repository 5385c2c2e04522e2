/** Claims that a value can be calculated with: not NaN, not infinite, and not so large (1e100) that its square overflows. */
export function isMeasured(value: number): boolean {
  return Math.abs(value) < 1e100
}
