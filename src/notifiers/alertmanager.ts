import { z } from 'zod'
import { component } from '../component.ts'
import { MINUTE, SECOND } from '../duration.ts'
import { DeliveryError } from '../errors.ts'
import { openClient } from '../http/client.ts'
import { address, checkConnection, connectionOptions } from '../http/options.ts'
import { duration } from '../schema.ts'
import type { Message } from '../stores/store.ts'
import { type Alert, type AlertOptions, alertLabels, toAlert } from './alertmanager/alert.ts'
import type { Notifier, NotifierNeeds } from './notifier.ts'
import { post } from './post.ts'

/**
 * How long an alert goes on when it is not repeated. Longer, and an alert outlives us by more; shorter, and an outage on the way to a receiver
 * that lives (a token that is rotated, a proxy that is restarted) ends alerts whose anomalies are open. A quarter of an hour is more than such
 * outages take, and a watch that is dead has to be noticed in another way anyhow.
 */
const LAPSE = 15 * MINUTE
/** So many repeats may be lost, as Prometheus has it (`rules/manager.go`). */
const REPEATS_TO_MISS = 4

/** Labels of an alert that are not ours. */
const ownLabels = () =>
  z
    .record(z.string(), z.string())
    .refine(given => !('flow' in given), {
      path: ['flow'],
      message: 'must not be given: it tells the alerts of one flow from those of another',
    })
    .refine(given => !('alertname' in given), { path: ['alertname'], message: 'must not be given: use the option alertname' })

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
      labels: ownLabels()
        .default({})
        .describe('labels of every alert, beside those of the series; `severity` wins over that of the flow'),
      timeout: duration().default(10 * SECOND),
      resend: z
        .strictObject({
          every: duration()
            .default(MINUTE)
            .refine(ms => ms >= SECOND, { message: 'must be at least 1s' }),
          afterEnd: duration().default(5 * MINUTE),
          lapse: duration()
            .optional()
            .describe('how long an alert fires without being repeated; default 15m, or four times `every` when that is more'),
        })
        .refine(({ every, lapse = Infinity }) => lapse >= REPEATS_TO_MISS * every, {
          path: ['lapse'],
          message: `must be at least ${REPEATS_TO_MISS} times as long as every`,
        })
        .prefault({}),
      ...connectionOptions,
    })
    .superRefine((given, context) => checkConnection(given, given.urls, context)),
  create: (config, needs: NotifierNeeds): Notifier => {
    const replicas = config.urls.map(url => ({ url: `${url.replace(/\/+$/, '')}/api/v2/alerts`, failing: false }))
    const { every, afterEnd, lapse = Math.max(LAPSE, REPEATS_TO_MISS * every) } = config.resend
    const { alertname, labels } = config
    const { externalUrl } = needs
    const client = openClient(config, { fetch: needs.fetch, folder: needs.folder ?? '.' })

    return {
      resend: { every, afterEnd },
      async send(message, signal) {
        const options: AlertOptions = { now: needs.now(), externalUrl, lapse, alertname, labels }
        const alert = toAlert(message, options)
        const identity = identityOf(alert.labels)
        const fires = message.stillOpen?.some(other => identityOf(alertLabels(other, options)) === identity) ?? false
        const alerts = [...(fires ? [] : [alert]), ...formerAlerts(message, alert, options)]
        if (alerts.length === 0) return identity

        const body = JSON.stringify(alerts)
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
        return identity
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

const identityOf = (labels: Alert['labels']) => JSON.stringify(Object.entries(labels))

/**
 * The alert that fires for the anomaly under the labels that it had when it was last accepted, ended; none when they are as they were. They
 * change with the severity and the labels of the configuration. An alert that was accepted without an identity comes from a version before
 * identities were kept, whose alerts had a label `detector`.
 */
function formerAlerts({ anomaly, accepted }: Message, alert: Alert, { now }: AlertOptions): Alert[] {
  if (!accepted) return []
  const labels: Alert['labels'] =
    accepted.identity === undefined
      ? { ...alert.labels, detector: anomaly.detector }
      : Object.fromEntries(JSON.parse(accepted.identity) as [string, string][])
  const isSame = accepted.identity === identityOf(alert.labels)
  return isSame ? [] : [{ ...alert, labels, endsAt: new Date(Math.max(anomaly.start, now)).toISOString() }]
}

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
  const blames = errors.map(error => (error instanceof DeliveryError ? error : ({ about: 'channel', reason: 'other' } as const)))
  const { about, reason } = blames.find(blame => blame.about === 'channel') ?? blames[0]
  return { about, reason }
}
