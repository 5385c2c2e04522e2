import { z } from 'zod'
import { parseDuration } from './duration.ts'
import { Secret } from './secret.ts'
import { parseSize } from './size.ts'

/** The schema types of configuration that zod does not have. Text in the file, ready values in memory. */

/** `5m` in the file, ms in memory. */
export const duration = () =>
  z
    .string({
      error: ({ input }) => `must be a duration with a unit like 30s, 5m or 1h30m, got ${JSON.stringify(input) ?? 'nothing'}`,
    })
    .transform((text, context) => {
      try {
        return parseDuration(text)
      } catch (error) {
        context.issues.push({ code: 'custom', message: (error as Error).message, input: text })
        return z.NEVER
      }
    })
    .meta({ description: 'a duration with a unit: 30s, 5m, 1h30m', examples: ['5m'] })

/** `64MiB` in the file, bytes in memory. */
export const size = () =>
  z
    .string({
      error: ({ input }) => `must be a size with a unit like 64MiB, got ${JSON.stringify(input) ?? 'nothing'}`,
    })
    .transform((text, context) => {
      try {
        const bytes = parseSize(text)
        if (bytes > 0) return bytes
        throw new TypeError(`must be more than 0 bytes, got ${JSON.stringify(text)}`)
      } catch (error) {
        context.issues.push({ code: 'custom', message: (error as Error).message, input: text })
        return z.NEVER
      }
    })
    .meta({ description: 'a size with a unit: 512KiB, 64MiB, 1GiB', examples: ['64MiB'] })

/** Text that may be shown, or a `Secret`: the configuration makes one of what comes from a file or from the environment. */
export const textOrSecret = () =>
  z
    .custom<string | Secret>(given => typeof given === 'string' || given instanceof Secret, {
      error: 'must be text (in quotes when it is a number), got something else',
    })
    .meta({ type: 'string' })

/** Text in the file (mostly `${ENV}`), a `Secret` in memory. */
export const secret = () =>
  z.string({ error: 'must be text (in quotes when it is a number), got something else' }).transform(text => new Secret(text))
