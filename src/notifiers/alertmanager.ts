import { z } from 'zod'
import { component } from '../component.ts'
import { MINUTE, SECOND } from '../duration.ts'
import { DeliveryError } from '../errors.ts'
import { openClient } from '../http/client.ts'
import { address, checkConnection, connectionOptions } from '../http/options.ts'
import { duration } from '../schema.ts'
import type { Message } from '../stores/store.ts'
import type { Notifier, NotifierNeeds } from './notifier.ts'
import { post } from './post.ts'

/**
 * Tells Alertmanager by its API v2. Every replica is told, because replicas exchange silences and what was notified, but not alerts. One that
 * accepts is enough: the others are told again with the next re-send, and their trouble goes to the log when it begins and when it ends.
 */
export const alertmanager = component({
  type: 'alertmanager',
  summary: 'Raises and ends alerts in Prometheus Alertmanager (v2), at every replica.',
  config: z
    .strictObject({
      urls: z.array(address()).min(1).describe('all replicas, not a load balancer before them'),
      alertname: z.string().min(1).optional().describe('the label alertname; by default the name of the flow'),
      labels: z.record(z.string(), z.string()).default({}).describe('labels of every alert, beside those of the series'),
      timeout: duration().default(10 * SECOND),
      resend: z
        .strictObject({
          every: duration()
            .default(MINUTE)
            .refine(ms => ms >= SECOND, { message: 'must be at least 1s' }),
          afterEnd: duration().default(5 * MINUTE),
        })
        .prefault({}),
      ...connectionOptions,
    })
    .superRefine((given, context) => checkConnection(given, given.urls, context)),
  create: (config, needs: NotifierNeeds): Notifier => {
    const replicas = config.urls.map(url => ({ url: `${url.replace(/\/+$/, '')}/api/v2/alerts`, failing: false }))
    const holders = openHolders()
    const client = openClient(config, { fetch: needs.fetch, folder: needs.folder ?? '.' })

    return {
      resend: config.resend,
      async send(message, signal) {
        signal.throwIfAborted()
        const now = needs.now()
        const alert = toAlert(message, { now, externalUrl: needs.externalUrl, ...config, every: config.resend.every })
        const identity = JSON.stringify(Object.entries(alert.labels))
        if (ends(message) && holders.heldByAnother(identity, message.anomaly.id, now)) return

        const body = JSON.stringify([alert])
        const results = await Promise.allSettled(replicas.map(({ url }) => post(client, { url, body }, needs.now, signal)))
        signal.throwIfAborted()
        const errors = results.flatMap(result => (result.status === 'rejected' ? [result.reason as Error] : []))
        if (errors.length === replicas.length) throw allFailed(errors)

        for (const [i, result] of results.entries()) {
          const failing = result.status === 'rejected'
          if (failing === replicas[i].failing) continue
          replicas[i].failing = failing
          needs.log(
            failing
              ? `alertmanager: one replica of ${replicas.length} did not accept: ${(result.reason as Error).message}`
              : `alertmanager: ${new URL(replicas[i].url).origin} accepts again`,
          )
        }
        if (ends(message)) holders.release(identity, message.anomaly.id)
        else holders.hold(identity, message.anomaly.id, now + HORIZON * config.resend.every)
      },
    }
  },
  examples: [
    { urls: ['http://127.0.0.1:9093'] },
    {
      urls: ['http://am-0.example.org:9093', 'http://am-1.example.org:9093/prefix/'],
      bearerToken: 's3cr3t-t0ken',
      labels: { cluster: 'c1' },
    },
  ],
})

/** An alert of API v2. The label set is its identity, so no label ever holds a number, a time or an id. */
export interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: string
  readonly endsAt: string
  readonly generatorURL: string
}

export interface AlertOptions {
  readonly now: number
  readonly externalUrl: string
  /** ms between two sendings of a firing alert. */
  readonly every: number
  readonly alertname?: string | undefined
  readonly labels?: Readonly<Record<string, string>>
}

/** A firing alert ends by itself when it was not repeated this many times: then we are dead. As Prometheus does it (`rules/manager.go`). */
const HORIZON = 4

/** The alert of a message. Firing until 4 × `every` from now, or ended: when the anomaly ended, or when it was taken back. */
export function toAlert(message: Message, options: AlertOptions): Alert {
  const { anomaly } = message
  return {
    labels: alertLabels(message, options),
    annotations: alertAnnotations(message, options.externalUrl),
    startsAt: new Date(anomaly.start).toISOString(),
    endsAt: new Date(Math.max(anomaly.start, alertEnd(message, options))).toISOString(),
    generatorURL: pageOf(message, options.externalUrl),
  }
}

function alertEnd({ kind, anomaly, createdAt }: Message, { now, every }: AlertOptions): number {
  if (kind === 'resolved') return Math.min(anomaly.end, now)
  if (kind === 'withdrawn') return Math.min(createdAt, now)
  return now + HORIZON * every
}

const ends = ({ kind }: Message) => kind === 'resolved' || kind === 'withdrawn'
const pageOf = ({ anomaly }: Message, externalUrl: string) => `${externalUrl}/#/anomalies/${encodeURIComponent(anomaly.id)}`

/** Ours win; a label of the series by the same name becomes `exported_…`, because losing it would make two series one alert. */
function alertLabels({ anomaly }: Message, options: AlertOptions): Record<string, string> {
  const { severity } = anomaly.annotations
  const given = Object.entries(anomaly.annotations).flatMap(([key, value]) =>
    key.startsWith('label:') ? [[key.slice('label:'.length), value] as const] : [],
  )
  const own: Record<string, string> = {}
  const add = (name: string, value: string | undefined) => {
    if (value) own[toLabelName(name)] = value
  }
  for (const [name, value] of [...Object.entries(options.labels ?? {}), ...given]) add(name, value)
  add('alertname', options.alertname ?? anomaly.flow)
  add('flow', anomaly.flow)
  add('detector', anomaly.detector)
  add('severity', severity)

  const all = { ...own }
  const series = Object.entries(anomaly.labels).map(([name, value]) => [name === '__name__' ? 'metric' : name, value] as const)
  for (const [name, value] of series.sort(byName)) {
    if (!value) continue
    let free = toLabelName(name)
    while (free in all) free = free in own && !free.startsWith('exported_') ? `exported_${free}` : `${free}_`
    all[free] = value
  }
  return Object.fromEntries(Object.entries(all).sort(byName))
}

function alertAnnotations(message: Message, externalUrl: string): Record<string, string> {
  const { anomaly } = message
  const { severity: _, summary: description, runbook, owner, ...others } = anomaly.annotations
  const extra = Object.entries(others)
    .filter(([key]) => !key.startsWith('label:'))
    .map(([key, value]) => [toLabelName(key), value])
  const all: Record<string, string | undefined> = {
    ...Object.fromEntries(extra),
    summary: anomaly.sentence ?? `${anomaly.flow}: ${anomaly.labels.__name__ ?? 'a series'} is not as expected`,
    description,
    score: print(anomaly.score),
    strength: print(anomaly.strength),
    current: print(anomaly.current),
    expected: print(anomaly.expected),
    lower: print(anomaly.lower),
    upper: print(anomaly.upper),
    shape: anomaly.shape,
    withdrawn_because: anomaly.withdrawnBecause,
    anomaly_id: anomaly.id,
    owner,
    runbook_url: runbook,
    dashboard_url: pageOf(message, externalUrl),
  }
  return Object.fromEntries(Object.entries(all).filter((pair): pair is [string, string] => Boolean(pair[1])))
}

/** Six significant digits; undefined when unknown. */
const print = (value: number) => (Number.isFinite(value) ? String(Number(value.toPrecision(6))) : undefined)

/** The nearest name that every Alertmanager takes: letters, digits and `_`, no digit first. */
export function toLabelName(text: string): string {
  const name = text.replace(/[^a-zA-Z0-9_]/g, '_')
  return /^[a-zA-Z_]/.test(name) ? name : `_${name}`
}

const byName = ([a]: readonly [string, string], [b]: readonly [string, string]) => (a < b ? -1 : a > b ? 1 : 0)

function allFailed(errors: readonly Error[]): DeliveryError {
  const messages = [...new Set(errors.map(error => error.message))]
  const retryAfter = Math.max(...errors.map(error => (error instanceof DeliveryError ? (error.retryAfter ?? 0) : 0)))
  return new DeliveryError(messages.join('; '), {
    ...blameOf(errors),
    ...(retryAfter > 0 ? { retryAfter } : {}),
  })
}

/** A refusal of the content counts only when every replica refused it; otherwise one of them may accept it later. */
function blameOf(errors: readonly Error[]): Pick<DeliveryError, 'about' | 'reason'> {
  const known = errors.flatMap(error => (error instanceof DeliveryError ? [error] : []))
  const first = known.length < errors.length ? undefined : (known.find(({ about }) => about === 'channel') ?? known[0])
  return first ? { about: first.about, reason: first.reason } : { about: 'channel', reason: 'other' }
}

/**
 * Which anomaly an alert fires for. Two anomalies of one series and detector are one alert, so the end of the first, said again for minutes,
 * must not end the second. Kept in memory only: after a restart the next re-send of the second one sets it right.
 */
function openHolders() {
  const held = new Map<string, { readonly anomaly: string; readonly until: number }>()
  return {
    hold(identity: string, anomaly: string, until: number) {
      // Deleted first, so that the map stays in order of `until`.
      held.delete(identity)
      held.set(identity, { anomaly, until })
    },
    release(identity: string, anomaly: string) {
      if (held.get(identity)?.anomaly === anomaly) held.delete(identity)
    },
    heldByAnother(identity: string, anomaly: string, now: number) {
      for (const [key, { until }] of held) {
        if (until >= now) break
        held.delete(key)
      }
      const holder = held.get(identity)
      return holder !== undefined && holder.anomaly !== anomaly
    },
  }
}
