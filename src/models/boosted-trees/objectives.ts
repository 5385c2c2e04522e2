import type { Objective } from './boosted-trees.ts'
import { sigmoid } from './boosted-trees.ts'

export interface Loss {
  /** What to say of all rows alike, from the weighted mean of the labels. */
  base(mean: number): number
  /** Puts gradient and hessian of a row at `at`. */
  derive(margin: number, label: number, weight: number, into: Float32Array, at: number): void
  /** Of one row; means of it are what is watched. */
  of(margin: number, label: number): number
  /** Of the mean over rows, as people read it. */
  shown(mean: number): number
}

/** Log odds further out than this are certain enough. */
const CERTAIN = 1e-6

export const LOSSES: Readonly<Record<Objective, Loss>> = {
  'squared-error': {
    base: mean => mean,
    derive(margin, label, weight, into, at) {
      into[at] = (margin - label) * weight
      into[at + 1] = weight
    },
    of: (margin, label) => (margin - label) ** 2,
    shown: Math.sqrt,
  },
  logistic: {
    base(mean) {
      const share = Math.min(Math.max(mean, CERTAIN), 1 - CERTAIN)
      return Math.log(share / (1 - share))
    },
    derive(margin, label, weight, into, at) {
      const probability = sigmoid(margin)
      into[at] = (probability - label) * weight
      into[at + 1] = Math.max(probability * (1 - probability), 1e-16) * weight
    },
    // log(1 + eᵐ) − label·m without overflow.
    of: (margin, label) => Math.max(margin, 0) - label * margin + Math.log1p(Math.exp(-Math.abs(margin))),
    shown: mean => mean,
  },
}
