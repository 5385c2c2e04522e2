import { DeliveryError } from '../../errors.ts'
import type { Notifier } from '../../notifiers/notifier.ts'
import type { Source } from '../../sources/source.ts'
import type { Metrics } from '../metrics.ts'

/** The source, with its answers counted. A question that the asker gave up is not counted. */
export function meterSource(source: Source, name: string, { sourceReads }: Pick<Metrics, 'sourceReads'>): Source {
  return {
    ...source,
    async read(query, signal) {
      try {
        const answer = await source.read(query, signal)
        sourceReads.inc({ source: name, status: 'ok' })
        return answer
      } catch (error) {
        if (!signal.aborted) sourceReads.inc({ source: name, status: 'failed' })
        throw error
      }
    },
  }
}

type ChannelMetrics = Pick<Metrics, 'channelSent' | 'channelFailed' | 'channelFailures'>

/** The notifier, with its sendings counted. A sending that was cut off by a stop is not counted. */
export function meterNotifier(notifier: Notifier, channel: string, metrics: ChannelMetrics): Notifier {
  return {
    ...notifier,
    async send(message, signal) {
      let identity: string | void
      try {
        identity = await notifier.send(message, signal)
      } catch (error) {
        const cause = signal.aborted ? signal.reason : error
        if (!signal.aborted || cause instanceof DeliveryError) {
          metrics.channelFailed.inc({ channel, reason: cause instanceof DeliveryError ? cause.reason : 'internal' })
          metrics.channelFailures.inc({ channel })
        }
        throw error
      }
      metrics.channelSent.inc({ channel })
      metrics.channelFailures.set({ channel }, 0)
      return identity
    },
  }
}
