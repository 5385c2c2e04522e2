import { createHash } from 'node:crypto'
import type { z } from 'zod'
import type { Registry } from '../component.ts'
import type { Detector } from '../detectors/detector.ts'
import { detectors } from '../detectors/index.ts'
import type { FlowConfig, Part } from './configuration.ts'

/**
 * Hash of all that a model of a detector depends on: its options with their defaults, what is done to the rows, and the question that they answer.
 * A model of another hash is of no use.
 */
export function configurationHash(
  { query, transform = [] }: FlowConfig,
  detector: Part,
  family: Registry<Detector> = detectors,
): string {
  const { type, name: _, rule: __, ...options } = detector
  const filled: unknown = (family[type]!.config as z.ZodType).parse(options)
  const { expr, queries, by, columns, step } = query
  const together = queries || columns ? [{ queries, by, columns }] : []
  const all = [type, filled, transform, expr, step, ...together]
  return createHash('sha256').update(JSON.stringify(all, inOrder)).digest('hex').slice(0, 16)
}

/** Keys in order, so that the order in a file means nothing. */
function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
