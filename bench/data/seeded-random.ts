import { seededRandom as openRandom } from '../../src/math/random.ts'

/** Uniform numbers in [0, 1) from a seed. */
export const seededRandom = (seed: number): (() => number) => openRandom(seed).next

/** Standard normal numbers (Box & Muller 1958). */
export function seededNormal(seed: number): () => number {
  const random = seededRandom(seed)
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
