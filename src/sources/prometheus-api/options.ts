import { z } from 'zod'
import { DAY, SECOND } from '../../duration.ts'
import { checkConnection, connectionOptions, faultOfAddress } from '../../http/options.ts'
import { duration, size, textOrSecret } from '../../schema.ts'

/** Options of the `prometheus` source. */
export const options = z
  .strictObject({
    url: z
      .string()
      .superRefine((text, context) => {
        const message = faultOfUrl(text)
        if (message) context.addIssue({ code: 'custom', message })
      })
      .meta({ description: 'address of the API, with its path prefix but without /api/v1', examples: ['http://127.0.0.1:9090'] }),
    params: z
      .record(z.string(), textOrSecret(), { error: 'must be a mapping of names to texts, got something else' })
      .default(() => ({}))
      .meta({
        description:
          'parameters of each request, such as dedup or max_source_resolution of Thanos; those that come from { file: … } or ${NAME} are never printed',
      }),
    ...connectionOptions,
    timeout: duration()
      .default(30 * SECOND)
      .meta({ description: 'how long one request may take' }),
    concurrency: z.int().min(1).default(4).meta({ description: 'requests at the same time' }),
    retries: z.int().min(0).default(3).meta({ description: 'further attempts after 429, 5xx and broken connections' }),
    partial: z
      .enum(['refuse', 'warn'])
      .default('refuse')
      .meta({ description: 'what becomes of an answer that lacks data: an error, or a warning' }),
    maxPoints: z.int().min(2).default(11_000).meta({ description: 'points of one series in one request' }),
    maxRange: duration()
      .default(31 * DAY)
      .meta({ description: 'time that one request spans at most' }),
    maxBytes: size().prefault('32MiB').meta({
      description: 'largest answer that is read, after unzipping; a range whose answer is larger is asked in shorter pieces',
    }),
    maxSeries: z.int().min(1).default(50_000).meta({ description: 'series that a query may answer with' }),
    maxSamples: z
      .int()
      .min(1)
      .default(50_000_000)
      .meta({ description: 'samples that a query may answer with: its series times the rows of its range, 8 bytes each' }),
    maxLabels: z.int().min(1).default(64).meta({ description: 'labels that a series may have' }),
    maxLabelLength: z.int().min(1).default(4096).meta({ description: 'characters of a label, of its name or its value' }),
  })
  .superRefine((given, context) => checkConnection(given, [given.url], context))

export type Options = z.output<typeof options>

function faultOfUrl(text: string): string | undefined {
  const fault = faultOfAddress(text)
  if (fault) return fault
  const { search, hash } = new URL(text)
  return search || hash ? 'must end with its path; use params for parameters' : undefined
}
