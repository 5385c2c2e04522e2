import { formatDuration, MINUTE, SECOND } from '../../duration.ts'
import type { Configuration } from '../../pipeline/configuration.ts'
import type { World } from '../world.ts'

/**
 * Lines of the log about what fails again and again: one when it begins, one when it ends. A subject is `flow NAME`, `source NAME`,
 * `channel NAME` or a part of the program.
 */
export interface ProblemLog {
  /** It failed, for that reason. */
  failed(subject: string, reason: string): void
  /** It worked. */
  worked(subject: string): void
  /** Forgets, without a line, the flows, sources and channels that are not configured any more. */
  keep(configuration: Pick<Configuration, 'flows' | 'sources' | 'notifiers'>): void
}

interface Failing {
  readonly since: number
  failures: number
  reason: string
  loggedAt: number
}

/** A reason that changes while the subject still fails is logged at most this often. */
const CHANGED_REASON_EVERY = MINUTE

export function openProblemLog({ now, log }: Pick<World, 'now' | 'log'>): ProblemLog {
  const failing = new Map<string, Failing>()
  const howLong = ({ since, failures }: Failing) =>
    `${failures} ${failures === 1 ? 'failure' : 'failures'} in ${formatDuration(Math.max(SECOND, Math.round((now() - since) / SECOND) * SECOND))}`
  return {
    failed(subject, reason) {
      const known = failing.get(subject)
      if (!known) {
        failing.set(subject, { since: now(), failures: 1, reason, loggedAt: now() })
        log('error', `${subject} fails: ${reason}`)
        return
      }
      known.failures++
      if (known.reason === reason || now() - known.loggedAt < CHANGED_REASON_EVERY) return
      known.reason = reason
      known.loggedAt = now()
      log('error', `${subject} still fails (${howLong(known)}), now: ${reason}`)
    },
    worked(subject) {
      const known = failing.get(subject)
      if (!known) return
      failing.delete(subject)
      log('info', `${subject} works again after ${howLong(known)}`)
    },
    keep({ flows, sources, notifiers }) {
      const configured = new Set([
        ...flows.map(({ name }) => `flow ${name}`),
        ...Object.keys(sources).map(name => `source ${name}`),
        ...Object.keys(notifiers).map(name => `channel ${name}`),
      ])
      for (const subject of failing.keys())
        if (/^(flow|source|channel) /.test(subject) && !configured.has(subject)) failing.delete(subject)
    },
  }
}
