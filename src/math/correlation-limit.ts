/**
 * The |r| that the strongest of `trials` correlations of unrelated series stays below with probability 1 - `risk`: Fisher's transform with
 * `rows` independent rows and the bound of the normal tail exp(-z²/2). 1 when there are too few rows to tell anything.
 */
export function correlationLimit(rows: number, trials: number, risk = 0.01): number {
  if (!(rows > 4)) return 1
  return Math.tanh(Math.sqrt((2 * Math.log((2 * Math.max(1, trials)) / risk)) / (rows - 3)))
}
