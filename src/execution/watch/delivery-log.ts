import { MINUTE } from '../../duration.ts'
import type { Attempt } from '../../responding/outbox.ts'
import type { World } from '../world.ts'
import type { ProblemLog } from './problem-log.ts'

/** Lines of the log about the delivery of messages: few, however many attempts there are. */
export interface DeliveryLog {
  attempted(channel: string, attempt: Attempt): void
  storeFailed(error: Error): void
}

/** Messages that a channel will not hear of get a line each, but no more often than this; the others are counted in the next line. */
const LOST_EVERY = MINUTE

export function openDeliveryLog({ now, log }: Pick<World, 'now' | 'log'>, problemLog: ProblemLog): DeliveryLog {
  const lost = new Map<string, { loggedAt: number; unsaid: number }>()
  const logLost = (channel: string, text: string) => {
    const known = lost.get(channel) ?? { loggedAt: -Infinity, unsaid: 0 }
    lost.set(channel, known)
    // A clock that was set back must not silence the log.
    if (Math.abs(now() - known.loggedAt) < LOST_EVERY) {
      known.unsaid++
      return
    }
    log('warning', `channel ${channel} ${text}${known.unsaid > 0 ? `; ${known.unsaid} others since the last such line` : ''}`)
    known.loggedAt = now()
    known.unsaid = 0
  }
  return {
    attempted(channel, attempt) {
      // The attempt was written down.
      problemLog.worked('outbox')
      if (attempt.outcome === 'accepted') return problemLog.worked(`channel ${channel}`)
      const { message, error } = attempt
      const about = `the message "${message.kind}" about anomaly ${message.anomaly.id}`
      if (attempt.outcome !== 'set aside') problemLog.failed(`channel ${channel}`, error.message)
      if (attempt.outcome === 'abandoned') logLost(channel, `was not told in time, given up: ${about}: ${error.message}`)
      if (attempt.outcome === 'set aside' && !message.isSetAside)
        logLost(channel, `refuses the content, set aside: ${about}: ${error.message}`)
    },
    storeFailed: error => problemLog.failed('outbox', error.message),
  }
}
