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
  /** It began so soon after the last beginning that it has no line yet; when it ends before it has one, its end has none either. */
  isQuiet: boolean
  readonly since: number
  failures: number
  reason: string
  loggedAt: number
}

/** A reason that changes while the subject still fails, and a failure that comes and goes, are logged at most this often. */
const AT_MOST_EVERY = MINUTE

export function openProblemLog({ now, log }: Pick<World, 'now' | 'log'>): ProblemLog {
  const failing = new Map<string, Failing>()
  const lastBegin = new Map<string, number>()
  const howLong = ({ since, failures }: Failing) =>
    `${failures} ${failures === 1 ? 'failure' : 'failures'} in ${formatDuration(Math.max(SECOND, Math.round((now() - since) / SECOND) * SECOND))}`
  // A clock that was set back must not silence the log.
  const isLately = (at: number) => Math.abs(now() - at) < AT_MOST_EVERY
  return {
    failed(subject, reason) {
      const known = failing.get(subject)
      const isSoon = isLately(lastBegin.get(subject) ?? -Infinity)
      if (!known || (known.isQuiet && !isSoon)) {
        const failures = (known?.failures ?? 0) + 1
        failing.set(subject, { since: known?.since ?? now(), failures, reason, loggedAt: now(), isQuiet: isSoon })
        if (isSoon) return
        lastBegin.set(subject, now())
        log('error', `${subject} fails: ${reason}`)
        return
      }
      known.failures++
      if (known.isQuiet || known.reason === reason || isLately(known.loggedAt)) return
      known.reason = reason
      known.loggedAt = now()
      log('error', `${subject} still fails (${howLong(known)}), now: ${reason}`)
    },
    worked(subject) {
      const known = failing.get(subject)
      if (!known) return
      failing.delete(subject)
      if (known.isQuiet) return
      log('info', `${subject} works again after ${howLong(known)}`)
    },
    keep({ flows, sources, notifiers }) {
      const configured = new Set([
        ...flows.map(({ name }) => `flow ${name}`),
        ...Object.keys(sources).map(name => `source ${name}`),
        ...Object.keys(notifiers).map(name => `channel ${name}`),
      ])
      for (const known of [failing, lastBegin])
        for (const subject of known.keys())
          if (/^(flow|source|channel) /.test(subject) && !configured.has(subject)) known.delete(subject)
    },
  }
}
