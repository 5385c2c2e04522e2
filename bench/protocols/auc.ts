import { sweep } from './order.ts'

/** Average precision: sum of (R_n − R_(n−1)) P_n over the distinct thresholds. NaN when no row is labelled. */
export function aucPr(scores: Float64Array, labels: ArrayLike<number>): number {
  const positives = count(labels)
  let area = 0
  let before = 0
  sweep(scores, labels, (predicted, hits) => {
    area += ((hits - before) / positives) * (hits / predicted)
    before = hits
  })
  return positives === 0 ? NaN : area
}

/** Chance that a labelled row scores higher than another one, ties counting half. NaN when all rows are of one kind. */
export function aucRoc(scores: Float64Array, labels: ArrayLike<number>): number {
  const positives = count(labels)
  const negatives = labels.length - positives
  let area = 0
  let hitsBefore = 0
  let falseBefore = 0
  sweep(scores, labels, (predicted, hits) => {
    const wrong = predicted - hits
    area += ((wrong - falseBefore) * (hits + hitsBefore)) / 2
    hitsBefore = hits
    falseBefore = wrong
  })
  return area / positives / negatives
}

function count(labels: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < labels.length; i++) if (labels[i]) sum++
  return sum
}
