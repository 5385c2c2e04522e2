import { z } from 'zod'
import { DURING } from './calendar.ts'
import { isZone } from './wall-time.ts'

/** Options that every calendar has. */
export const during = () =>
  z
    .enum(DURING)
    .default('ignore')
    .describe(
      'ignore: nobody is told of what is strange inside an event; learn-not: people are told. Neither teaches the detectors',
    )

export const timezone = () =>
  z
    .string()
    .default('UTC')
    .refine(isZone, { error: ({ input }) => `must be a time zone like Europe/Berlin, got ${JSON.stringify(input)}` })
    .describe('of times without one')
