/** Whether the highest score (the first of equal ones) lies within `slack` rows of the only anomaly, inclusive rows: the contest's rule. */
export function ucrCorrect(scores: Float64Array, [first, last]: readonly [number, number], slack = 100): boolean {
  let at = -1
  for (let i = 0; i < scores.length; i++) if (scores[i] > (at < 0 ? -Infinity : scores[at])) at = i
  return at >= 0 && at >= first - slack && at <= last + slack
}
