import { isMeasured } from '../math/is-measured.ts'
import type { WindowProfile } from '../models/window-profile.ts'
import { beyondOf } from '../models/window-profile.ts'

/** A forest's part of the score up to which nobody asks for its reasons. Explaining takes longer than scoring; a few rows in a hundred are above. */
const CALM = 2

/**
 * Divides the score of a forest among the columns: its `part` by the credit that each column has for it, where it is above the calm, and
 * log2(1 + spreads outside the usual range) for each column that is outside. Unknown columns, for which something stands in `filled`, get nothing.
 * The forest explains only rows that stand out, so that calm ones cost nothing; a credit may be negative, which counts as none.
 */
export function contributeForest(
  contributions: Float64Array,
  row: ArrayLike<number>,
  filled: Float64Array,
  profile: WindowProfile,
  part: number,
  forest: { explain(row: ArrayLike<number>, credits: Float64Array): void },
): void {
  if (part > CALM) {
    forest.explain(filled, contributions)
    let sum = 0
    for (let c = 0; c < row.length; c++) {
      contributions[c] = isMeasured(row[c]) ? Math.max(0, contributions[c]) : 0
      sum += contributions[c]
    }
    if (sum > 0) for (let c = 0; c < row.length; c++) contributions[c] *= part / sum
  }
  for (let c = 0; c < row.length; c++) {
    const beyond = isMeasured(row[c]) ? beyondOf(row[c], profile, c) : 0
    if (beyond > 0) contributions[c] += Math.log2(1 + beyond)
  }
}
