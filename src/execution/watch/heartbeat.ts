import { DeliveryError } from '../../errors.ts'
import type { HttpClient } from '../../http/client.ts'
import type { Notifier } from '../../notifiers/notifier.ts'
import type { HeartbeatConfig } from '../../pipeline/configuration.ts'
import type { Message } from '../../stores/store.ts'
import type { Metrics } from '../metrics.ts'
import type { ProblemLog } from './problem-log.ts'

/** The alert that says, as long as it fires, that the watch works. */
export const HEARTBEAT = 'TidewatchHeartbeat'

export interface HeartbeatParts {
  readonly config: HeartbeatConfig
  readonly send: HttpClient
  readonly notifiers: Readonly<Record<string, Notifier>>
  readonly now: () => number
  /** Why the watch does not do its work; empty while it does, undefined before that is known. */
  readonly blockers: () => readonly string[] | undefined
  readonly metrics: Pick<Metrics, 'heartbeats' | 'heartbeatLastSuccess'>
  readonly problemLog: ProblemLog
}

/** Feeds a dead man's switch: somebody outside who raises the alarm when it falls silent. */
export interface Heartbeat {
  /** Sends it to all, when it is time and the watch does its work. Never rejects. */
  beat(signal: AbortSignal): Promise<void>
}

export function openHeartbeat(parts: HeartbeatParts): Heartbeat {
  const { config, now, blockers, metrics, problemLog } = parts
  let last = -Infinity

  const sendTo = async (name: string, work: () => Promise<void>): Promise<boolean> => {
    const subject = `heartbeat to ${name}`
    try {
      await work()
      problemLog.worked(subject)
      return true
    } catch (error) {
      problemLog.failed(subject, (error as Error).message)
      return false
    }
  }

  return {
    async beat(signal) {
      // A clock that was set back must not silence it.
      if (Math.abs(now() - last) < config.every) return
      const reasons = blockers()
      if (!reasons) return
      last = now()
      if (reasons.length > 0) {
        problemLog.failed('heartbeat', `withheld, since ${reasons.join('; ')}`)
        metrics.heartbeats.inc({ status: 'withheld' })
        return
      }
      problemLog.worked('heartbeat')
      const sent = await Promise.all([
        ...(config.url ? [sendTo('its address', () => ping(parts, signal))] : []),
        ...config.notify.map(name =>
          sendTo(name, async () => void (await parts.notifiers[name]!.send(heartbeatMessage(last), signal))),
        ),
      ])
      if (signal.aborted) return
      metrics.heartbeats.inc({ status: sent.every(Boolean) ? 'sent' : 'failed' })
      if (sent.every(Boolean)) metrics.heartbeatLastSuccess.set(last / 1000)
    },
  }
}

async function ping({ config, send }: HeartbeatParts, signal: AbortSignal): Promise<void> {
  const url = config.url!.reveal()
  const secrets = [url, new URL(url).pathname].filter(text => text.length > 1)
  const answer = await send({ method: config.method, url, secrets, headers: { 'user-agent': 'tidewatch' } }, signal)
  await answer.discard()
  if (!answer.ok)
    throw new DeliveryError(`must answer 2xx, got ${answer.status}`, { about: 'channel', reason: String(answer.status) })
}

/** A message about an anomaly that is none: it begins anew with each beat and is not stored, so that it ends when nobody sends it. */
function heartbeatMessage(at: number): Message {
  return {
    id: 0,
    key: `heartbeat:${at}`,
    channel: '',
    kind: 'opened',
    createdAt: at,
    attempts: 0,
    anomaly: {
      id: 'heartbeat',
      version: 1,
      flow: HEARTBEAT,
      status: 'open',
      labels: {},
      detector: 'watch',
      start: at,
      end: at,
      peak: at,
      score: 0,
      strength: 0,
      direction: 'none',
      current: NaN,
      expected: NaN,
      lower: NaN,
      upper: NaN,
      ongoing: true,
      sentence: 'Tidewatch works. This alert fires always; when it ends, Tidewatch does not work any more.',
      annotations: { severity: 'info' },
      openedAt: at,
      updatedAt: at,
    },
  }
}
