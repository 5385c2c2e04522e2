import { z } from 'zod'
import { secret } from '../schema.ts'

/** The options of everything that speaks HTTP: sources and notifiers have the same names for the same things. */

const file = (description: string) =>
  z
    .string()
    .min(1)
    .meta({ description: `${description}; read anew when it changes` })

/** A secret that an unset variable cannot make empty. */
export const filledSecret = () => secret().refine(given => given.reveal() !== '', { message: 'must not be empty' })

/** How a request shows who sends it, and whom it trusts. Spread into the schema of a part, which also calls `checkConnection`. */
export const connectionOptions = {
  headers: z
    .record(z.string().regex(/^[!#$%&'*+.^_`|~\w-]+$/, 'must be the name of a header'), secret(), {
      error: ({ code }) => (code === 'invalid_type' ? 'must be a mapping of names to texts, got something else' : undefined),
    })
    .default(() => ({}))
    .meta({ description: 'headers of each request, such as X-Scope-OrgID; never printed' }),
  basicAuth: z
    .strictObject(
      {
        username: z.string(),
        password: filledSecret().optional(),
        passwordFile: file('file of the password').optional(),
      },
      // What was written in its place may be the password.
      {
        error: ({ code }) =>
          code === 'invalid_type' ? 'must be a mapping with username and password, got something else' : undefined,
      },
    )
    .superRefine(({ password, passwordFile }, context) => {
      if ((password === undefined) !== (passwordFile === undefined)) return
      const got = password === undefined ? 'neither' : 'both'
      context.addIssue({ code: 'custom', message: `must have one of password and passwordFile, got ${got}` })
    })
    .optional(),
  bearerToken: filledSecret().optional(),
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
}

/** The options alone, for those who have no more. */
export const connectionSchema = z.strictObject(connectionOptions)
export type Connection = z.output<typeof connectionSchema>
export type Tls = NonNullable<Connection['tls']>

/** At most one way to say who sends, and TLS only where it is spoken. For `superRefine`. */
export function checkConnection(given: Connection, urls: readonly string[], context: z.core.$RefinementCtx): void {
  const fault = (message: string) => context.addIssue({ code: 'custom', message })
  const ways = (['basicAuth', 'bearerToken', 'bearerTokenFile'] as const).filter(name => given[name] !== undefined)
  if (ways.length > 1) fault(`must have one of basicAuth, bearerToken and bearerTokenFile, got ${ways.join(' and ')}`)
  if (given.tls && urls.some(url => !/^https:/i.test(url))) fault('must have an https url with tls, got http')
}

/** An http(s) address without a user or password: they would be seen in lists and logs. */
export const address = () =>
  z.string().superRefine((text, context) => {
    const message = faultOfAddress(text)
    if (message) context.addIssue({ code: 'custom', message })
  })

/** What is wrong with an address, without repeating it: it may hold a password. */
export function faultOfAddress(text: string): string | undefined {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) return 'must be an address that begins with http:// or https://'
  if (url.username || url.password) return 'must not hold a user or password; use basicAuth'
  return undefined
}
