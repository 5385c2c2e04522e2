/** Quantile of the standard normal distribution (Acklam's rational approximation, relative error below 1.2e-9); ±Infinity at 1 and 0. */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p)
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p))
    if (q === Infinity) return -Infinity
    return polynomial(TAIL_ABOVE, q) / (polynomial(TAIL_BELOW, q) * q + 1)
  }
  const q = p - 0.5
  return (polynomial(MIDDLE_ABOVE, q * q) * q) / (polynomial(MIDDLE_BELOW, q * q) * q * q + 1)
}

const MIDDLE_ABOVE = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
]
const MIDDLE_BELOW = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572]
const TAIL_ABOVE = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783,
]
const TAIL_BELOW = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416]

function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0
  for (const coefficient of coefficients) sum = sum * x + coefficient
  return sum
}

/** Quantile of Student's t for at least 10 degrees of freedom (Cornish & Fisher 1938; Abramowitz & Stegun 26.7.5). */
export function studentQuantile(p: number, degrees: number): number {
  const z = normalQuantile(p)
  const z2 = z * z
  const terms = [
    (z2 + 1) / 4,
    ((5 * z2 + 16) * z2 + 3) / 96,
    (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384,
    ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92_160,
  ]
  return z * terms.reduce((sum, term, k) => sum + term / degrees ** (k + 1), 1)
}
