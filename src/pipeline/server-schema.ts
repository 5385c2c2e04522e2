import { isIP } from 'node:net'
import { z } from 'zod'
import { isPasswordHash, isTokenHash } from '../password.ts'

/** The `server` section of a configuration. */

const hash = (known: (text: string) => boolean, wanted: string) =>
  // What was written may be a password: it is never repeated.
  z.string({ error: `must be ${wanted}, got something else` }).refine(known, { error: `must be ${wanted}, got other text` })

const TOKEN = 'a hash that `tidewatch hash-password --token` prints'

const network = z.string().refine(isNetwork, {
  error: ({ input }) => `must be an address or a network like 10.0.0.0/8, got ${JSON.stringify(input)}`,
})

const hostPattern = z.string().regex(/^(\*\.)?[\w-]+(\.[\w-]+)*$/, {
  error: ({ input }) =>
    `must be a host name like tidewatch.example.org or *.example.org, without a port, got ${JSON.stringify(input)}`,
})

const authSchema = z.strictObject({
  basic: z
    .record(
      z.string().regex(/^[^:\s]{1,100}$/, { error: 'must be the name of a user without blanks and colons' }),
      hash(isPasswordHash, 'a hash that `tidewatch hash-password` prints'),
    )
    .optional()
    .meta({ description: 'hash of the password of each user, as `tidewatch hash-password` prints it' }),
  bearer: z
    .record(
      z.string(),
      z.union([hash(isTokenHash, TOKEN), z.strictObject({ file: z.string().min(1) })], {
        error: `must be ${TOKEN} or { file: … }, got something else`,
      }),
    )
    .optional()
    .meta({
      description:
        'tokens by name: a hash, as `tidewatch hash-password --token` prints it, or { file: … } that has the token itself',
    }),
  proxy: z
    .strictObject({
      header: z
        .string()
        .regex(/^[\w-]+$/, { error: 'must be the name of a header' })
        .default('X-Forwarded-User')
        .meta({ description: 'header that names the user; default X-Forwarded-User' }),
      from: z.array(network).min(1).meta({ description: 'addresses or networks of the proxy; nobody else is believed' }),
    })
    .optional()
    .meta({ description: 'a proxy that has asked who it is' }),
  open: z
    .array(z.enum(['health', 'metrics']))
    .optional()
    .meta({ description: 'what anybody may ask: health (/-/healthy and /-/ready), metrics (/metrics); default [health]' }),
})

export const serverSchema = z.strictObject({
  listen: z
    .string({
      error: ({ input }) => `must be host:port in quotes like '127.0.0.1:9797', got ${JSON.stringify(input) ?? 'nothing'}`,
    })
    .optional()
    .meta({ description: "host:port; default '127.0.0.1:9797'; port 0 takes any free one" }),
  externalUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({ description: 'address under which people reach the page; default http://host:port' }),
  hosts: z.array(hostPattern).optional().meta({
    description: 'further host names under which it is asked; beyond those, addresses, loopback and externalUrl are known',
  }),
  auth: authSchema.optional().meta({ description: 'who may ask; needed to listen beyond loopback' }),
  insecure: z
    .boolean()
    .optional()
    .meta({ description: 'listen beyond loopback without auth: anybody who reaches it may read all and reload' }),
  tls: z
    .strictObject({
      certFile: z.string().min(1).meta({ description: 'certificate and its chain, PEM; read again when it is renewed' }),
      keyFile: z.string().min(1).meta({ description: 'its private key, PEM' }),
    })
    .optional()
    .meta({ description: 'HTTPS, from TLS 1.2 on' }),
  maxConnections: z.int().min(1).max(100_000).optional().meta({ description: 'connections at a time; default 1000' }),
})

export type ServerText = z.output<typeof serverSchema>

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}
