import { z } from 'zod'
import { parseDuration } from './duration.ts'
import { Secret } from './secret.ts'

/** The schema types of configuration that zod does not have. Text in the file, ready values in memory. */

/** `5m` in the file, ms in memory. */
export const duration = () =>
  z
    .string()
    .transform((text, context) => {
      try {
        return parseDuration(text)
      } catch (error) {
        context.issues.push({ code: 'custom', message: (error as Error).message, input: text })
        return z.NEVER
      }
    })
    .meta({ description: 'a duration with a unit: 30s, 5m, 1h30m', examples: ['5m'] })

/** Text in the file (mostly `${ENV}`), a `Secret` in memory. */
export const secret = () => z.string().transform(text => new Secret(text))
