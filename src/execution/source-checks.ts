import type { Assembly } from './assembly.ts'
import type { ProblemLog } from './watch/problem-log.ts'

/** What the last check of one source saw. `error` is absent while it answers. */
export interface SourceHealth {
  readonly name: string
  readonly type: string
  readonly ok: boolean
  readonly error?: string
  readonly checkedAt: number
  /** When it last answered; NaN when it never has. */
  readonly okAt: number
  /** Since when it answers each check; absent while it does not. */
  readonly upSince?: number
  /** ms that the last check took. */
  readonly took: number
}

export interface SourceChecks {
  /** Checks all sources at once; forgets those that are not configured any more. A check that is asked for during one is that one. */
  check(assembly: Pick<Assembly, 'configuration' | 'sources'>): Promise<void>
  health(): readonly SourceHealth[]
}

/** ms after which a source that has not answered a check is down. */
const CHECK_DEADLINE = 10_000

export function openSourceChecks({
  now,
  signal,
  problemLog,
}: {
  readonly now: () => number
  readonly signal: AbortSignal
  readonly problemLog: ProblemLog
}): SourceChecks {
  const health = new Map<string, SourceHealth>()
  let running: Promise<void> | undefined
  const checkAll: SourceChecks['check'] = async ({ configuration, sources }) => {
    await Promise.all(
      Object.entries(sources).map(async ([name, source]) => {
        const type = configuration.sources[name]!.type
        const startedAt = now()
        try {
          await source.check(AbortSignal.any([signal, AbortSignal.timeout(CHECK_DEADLINE)]))
          const checkedAt = now()
          const upSince = health.get(name)?.upSince ?? checkedAt
          health.set(name, { name, type, ok: true, checkedAt, okAt: checkedAt, upSince, took: checkedAt - startedAt })
          problemLog.worked(`source ${name}`)
        } catch (error) {
          if (signal.aborted) return
          const { message } = error as Error
          const okAt = health.get(name)?.okAt ?? NaN
          health.set(name, { name, type, ok: false, error: message, checkedAt: now(), okAt, took: now() - startedAt })
          problemLog.failed(`source ${name}`, message)
        }
      }),
    )
    for (const name of health.keys()) if (!sources[name]) health.delete(name)
  }
  return {
    check(assembly) {
      running ??= checkAll(assembly).finally(() => (running = undefined))
      return running
    },
    health: () => [...health.values()],
  }
}
