import { z } from 'zod'
import { DAY } from '../duration.ts'
import { duration } from '../schema.ts'

/** What is kept of the past. Nothing that is still going on is ever deleted: no open anomaly, no message that waits. */
export interface Retention {
  /** ms after their end that resolved and withdrawn anomalies are kept. */
  readonly keepAnomalies: number
  /** Runs that are remembered of each flow. */
  readonly keepRuns: number
  /** Anomalies of each flow that are over, were ignored, and that nobody was ever notified of; the newest are kept. */
  readonly keepIgnored: number
}

/** How long (ms) all that was learned for a flow is kept after it was taken out of the configuration, so that one taken out by mistake comes back warm. */
export const KEEP_REMOVED_FLOWS = 30 * DAY

export const DEFAULT_RETENTION: Retention = { keepAnomalies: 365 * DAY, keepRuns: 200, keepIgnored: 1000 }

/** The options of a store that say what it keeps. */
export const retentionOptions = {
  keepAnomalies: duration()
    .prefault('1y')
    .meta({ description: 'how long resolved and withdrawn anomalies are kept after their end; default 1y' }),
  keepRuns: z
    .int()
    .min(1)
    .max(100_000)
    .default(DEFAULT_RETENTION.keepRuns)
    .meta({ description: 'runs that are remembered of each flow; default 200' }),
  keepIgnored: z.int().min(0).max(1_000_000).default(DEFAULT_RETENTION.keepIgnored).meta({
    description:
      'anomalies of each flow that were ignored, as pods that were replaced are, and that nobody was notified of; default 1000',
  }),
}
