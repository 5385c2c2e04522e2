import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { component } from '../component.ts'
import { SECOND } from '../duration.ts'
import { readSecret } from '../http/authorize.ts'
import { openClient } from '../http/client.ts'
import { address, checkConnection, connectionOptions, filledSecret } from '../http/options.ts'
import { secretsOfAddress } from '../http/redact.ts'
import { duration } from '../schema.ts'
import type { Message } from '../stores/store.ts'
import type { Notifier, NotifierNeeds } from './notifier.ts'
import { asDeliveryError, post } from './post.ts'

/**
 * Tells by a POST of JSON (`WebhookBody`). `Idempotency-Key` is the same however often one change is sent, so that a receiver can drop
 * repetitions; with a secret, `X-Tidewatch-Signature: t=SECONDS,v1=HEX` signs `SECONDS.BODY` by HMAC-SHA256.
 */
export const webhook = component({
  type: 'webhook',
  summary: 'Posts each change as JSON, signed when a secret is given.',
  config: z
    .strictObject({
      url: address().meta({
        description: 'address to post to; nothing behind its host is ever printed, since it may be a token',
      }),
      secret: filledSecret().optional(),
      secretFile: z.string().optional(),
      timeout: duration().default(10 * SECOND),
      ...connectionOptions,
    })
    .superRefine((given, context) => checkConnection(given, [given.url], context))
    .refine(given => given.secret === undefined || given.secretFile === undefined, {
      message: 'must have at most one of secret and secretFile',
    }),
  create: (config, needs: NotifierNeeds): Notifier => {
    const { folder = '.' } = needs
    const secrets = secretsOfAddress(config.url)
    const client = openClient(config, { fetch: needs.fetch, folder })
    const readKey = async () => {
      if (config.secretFile === undefined) return config.secret?.reveal()
      return readSecret('secretFile', config.secretFile, folder).catch(error => {
        throw asDeliveryError(error, config.url)
      })
    }
    return {
      async send(message, signal) {
        const body = JSON.stringify(webhookBody(message, needs.externalUrl))
        const key = await readKey()
        const headers = {
          'idempotency-key': message.key,
          ...(key ? { 'x-tidewatch-signature': sign(key, Math.floor(needs.now() / SECOND), body) } : {}),
        }
        await post(client, { url: config.url, body, headers, secrets: key ? [key, ...secrets] : secrets }, needs.now, signal)
      },
    }
  },
  examples: [{ url: 'https://hooks.example.org/tidewatch', secret: 'shared secret' }, { url: 'http://127.0.0.1:8080/' }],
})

/** What a webhook receives; `version` grows when a field changes its meaning. Times are RFC 3339, unknown numbers null. */
export interface WebhookBody {
  readonly version: 1
  /** Also in the header `Idempotency-Key`. */
  readonly key: string
  readonly kind: Message['kind']
  readonly anomaly: {
    readonly id: string
    /** Grows with every change of the anomaly: of two messages the higher is the later. */
    readonly version: number
    readonly flow: string
    readonly detector: string
    readonly labels: Readonly<Record<string, string>>
    readonly status: 'open' | 'resolved' | 'withdrawn'
    /** Why it was withdrawn, when it is because of the configuration and not of the data. */
    readonly withdrawnBecause: string | null
    readonly start: string
    /** The end so far while it is open. */
    readonly end: string
    readonly peak: string | null
    readonly sentence: string | null
    readonly shape: string | null
    readonly direction: string
    readonly score: number | null
    /** 1 is the limit of the rule, 2 is twice as strange as needed. */
    readonly strength: number | null
    readonly current: number | null
    readonly expected: number | null
    readonly lower: number | null
    readonly upper: number | null
    /** Of series that were looked at together: in which of them it lies, the largest share (0 … 1) first, with the value at the peak. */
    readonly columns: readonly { readonly name: string; readonly share: number; readonly value: number | null }[]
    readonly numbers: Readonly<Record<string, number | null>>
    /** Severity, owner, runbook … of the flow; its labels as `label:NAME`, of which `severity` wins. */
    readonly annotations: Readonly<Record<string, string>>
    /** Page of the anomaly. */
    readonly url: string
  }
}

/** The body for a message; plain JSON data. */
export function webhookBody({ key, kind, anomaly }: Message, externalUrl: string): WebhookBody {
  const ofLabel = anomaly.annotations['label:severity']
  return {
    version: 1,
    key,
    kind,
    anomaly: {
      id: anomaly.id,
      version: anomaly.version,
      flow: anomaly.flow,
      detector: anomaly.detector,
      labels: anomaly.labels,
      status: kind === 'resolved' || kind === 'withdrawn' ? kind : 'open',
      withdrawnBecause: anomaly.withdrawnBecause ?? null,
      start: time(anomaly.start),
      end: time(anomaly.end),
      peak: Number.isFinite(anomaly.peak) ? time(anomaly.peak) : null,
      sentence: anomaly.sentence ?? null,
      shape: anomaly.shape ?? null,
      direction: anomaly.direction,
      score: known(anomaly.score),
      strength: known(anomaly.strength),
      current: known(anomaly.current),
      expected: known(anomaly.expected),
      lower: known(anomaly.lower),
      upper: known(anomaly.upper),
      columns: (anomaly.columns ?? []).map(({ name, share, value }) => ({ name, share, value: known(value) })),
      numbers: Object.fromEntries(Object.entries(anomaly.numbers ?? {}).map(([name, value]) => [name, known(value)])),
      annotations: { ...anomaly.annotations, ...(ofLabel !== undefined && { severity: ofLabel }) },
      url: `${externalUrl}/#/anomalies/${encodeURIComponent(anomaly.id)}`,
    },
  }
}

/** The value of `X-Tidewatch-Signature` for a body sent at `seconds` since the epoch. */
export function sign(secretText: string, seconds: number, body: string): string {
  return `t=${seconds},v1=${createHmac('sha256', secretText).update(`${seconds}.${body}`).digest('hex')}`
}

const time = (ms: number) => new Date(ms).toISOString()
const known = (value: number) => (Number.isFinite(value) ? value : null)
