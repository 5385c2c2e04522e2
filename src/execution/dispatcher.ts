import type { TimeRange } from '../frame/frame.ts'

/** One run of one flow to be done. Plain data, so that it may cross threads and machines. */
export interface Job {
  readonly flow: string
  /** The source that it reads from: jobs of one source never keep those of others waiting. */
  readonly source: string
  readonly range: TimeRange
  /** ms after which the run is cancelled. */
  readonly deadline: number
}

/** Where work is done. One flow never runs twice at once; a job that fails or hangs does not touch another. */
export interface Dispatcher {
  /** Resolves when the job is done; rejects with its error, or with an abort error at its deadline or when the signal says so. */
  dispatch(job: Job, signal: AbortSignal): Promise<void>
  /** Ends the run of a flow, with a reason; resolves when nothing of it is done any more, at once when there is none. */
  cancel(flow: string, reason: Error): Promise<void>
  close(): Promise<void>
}
