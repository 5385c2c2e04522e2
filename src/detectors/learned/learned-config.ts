import { z } from 'zod'

const inFours = z.int().min(4).max(512).multipleOf(4)

/** What all networks are configured by. */
export const learnedConfig = {
  units: inFours.default(32).describe('units of each recurrent layer, in fours'),
  steps: z.int().min(2).max(500).default(16).describe('rows that are looked at together'),
  epochs: z.int().min(1).default(10).describe('times that the rows are learned in one fit, at most'),
  windows: z.int().min(32).default(1024).describe('windows of rows that are learned in an epoch, at most; drawn anew each time'),
  rate: z.number().positive().default(0.003).describe('step of the optimiser'),
  memory: z.int().min(64).default(4096).describe('rows that are kept and learned from'),
  warmUp: z.int().min(48).default(512).describe('rows before the first fit; the next come at twice as many, and so on'),
  refit: z.int().min(48).default(4096).describe('rows between fits, at most'),
  band: z.number().positive().default(4).describe('half width of the band in deviations of the error'),
  smooth: z.number().min(1).default(10).describe('rows by which the ranking score forgets; 1 for none'),
  coldStart: z.boolean().default(true).describe('judge rows by a plain detector until there is a model; else they have no score'),
  seed: z.int().min(0).default(1).describe('of initial weights and stochastic order'),
}

/** Refuses what could never be fitted, with the fields to blame. */
export function checkLearned(given: { steps: number; warmUp: number; memory: number }, issues: z.core.$ZodRawIssue[]): void {
  if (given.warmUp < 3 * given.steps)
    issues.push({
      code: 'custom',
      path: ['warmUp'],
      message: `must be at least three times steps, got ${given.warmUp}`,
      input: given,
    })
  if (given.memory < given.warmUp)
    issues.push({ code: 'custom', path: ['memory'], message: `must be at least warmUp, got ${given.memory}`, input: given })
}

/** A small configuration for laws. */
export const smallExample = { units: 4, steps: 4, epochs: 3, windows: 128, rate: 0.02, memory: 512, warmUp: 256, refit: 1024 }
