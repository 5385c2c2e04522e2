import { z } from 'zod'
import { DAY, SECOND } from '../../duration.ts'
import { duration, secret } from '../../schema.ts'

const file = (description: string) =>
  z
    .string()
    .min(1)
    .meta({ description: `${description}; read anew when it changes` })

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
    headers: z
      .record(z.string().regex(/^[!#$%&'*+.^_`|~\w-]+$/, 'must be the name of a header'), secret())
      .default(() => ({}))
      .meta({ description: 'headers of each request, such as X-Scope-OrgID; never printed' }),
    params: z
      .record(z.string(), z.string())
      .default(() => ({}))
      .meta({ description: 'parameters of each request, such as dedup or max_source_resolution of Thanos' }),
    basicAuth: z
      .strictObject({
        username: z.string(),
        password: secret().optional(),
        passwordFile: file('file of the password').optional(),
      })
      .refine(({ password, passwordFile }) => !(password && passwordFile), 'must have password or passwordFile, got both')
      .optional(),
    bearerToken: secret().optional(),
    bearerTokenFile: file('file of the token').optional(),
    tls: z
      .strictObject({
        caFile: file('certificates of authorities that are trusted').optional(),
        certFile: file('certificate of the client').optional(),
        keyFile: file('key of the client').optional(),
        serverName: z.string().optional().meta({ description: 'name that the certificate of the server must have' }),
        insecureSkipVerify: z.boolean().default(false),
      })
      .refine(({ certFile, keyFile }) => !certFile === !keyFile, 'must have certFile and keyFile together')
      .optional(),
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
  })
  .refine(
    ({ basicAuth, bearerToken, bearerTokenFile }) => [basicAuth, bearerToken, bearerTokenFile].filter(Boolean).length <= 1,
    'must have one of basicAuth, bearerToken, bearerTokenFile',
  )
  .refine(({ url, tls }) => !tls || /^https:/i.test(url), 'must have an https url with tls')

export type Options = z.output<typeof options>

/** What is wrong with an address, without repeating it: it may hold a password. */
function faultOfUrl(text: string): string | undefined {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) return 'must be an http or https address'
  if (url.username || url.password) return 'must not hold a user or password; use basicAuth'
  if (url.search || url.hash) return 'must end with its path; use params for parameters'
  return undefined
}
