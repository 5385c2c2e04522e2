import { findGeneration, flowsFor } from './coredns.ts'

/** Ready-made flows by product: `detects` says whether the metric names show the product. */
export const packs = {
  coredns: { detects: (names: readonly string[]) => findGeneration(names) !== undefined, flowsFor },
} as const
