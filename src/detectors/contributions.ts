import type { Judgement } from './detector.ts'

/**
 * The contributions of a judgement, all set to 0, for a row of so many columns. A row of one column has none: they leave the judgement, and the
 * answer is undefined.
 */
export function clearContributions(judgement: Judgement, columns: number): Float64Array | undefined {
  const { contributions } = judgement
  if (columns < 2) {
    if (contributions) delete judgement.contributions
    return undefined
  }
  if (contributions?.length !== columns) return (judgement.contributions = new Float64Array(columns))
  return contributions.fill(0)
}

/** Scores beyond it are all the same: their squares must have a sum. */
const MOST = 1e100

/**
 * What a score of one column adds to the squared length of all of them; 0 while it is undecided. Squares let many calm columns (about 1 each) weigh
 * little beside one that is not, as in the detectors whose score is the length of a vector.
 */
export const contributionOf = (score: number) => (score > 0 ? Math.min(score, MOST) ** 2 : 0)
