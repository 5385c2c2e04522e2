/** What the service takes from outside. */
export interface World {
  /** Version of the program, for its metrics. */
  readonly version?: string
  readonly now: () => number
  readonly random: () => number
  readonly fetch: typeof fetch
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly log: (level: 'info' | 'warning' | 'error', message: string) => void
}
