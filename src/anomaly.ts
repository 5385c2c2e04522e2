/** Labels that name one series. The identity of a series is its label set. */
export type Labels = Readonly<Record<string, string>>

/** What a stretch of strange points looks like. */
export const SHAPES = ['spike', 'dip', 'level-shift', 'trend', 'variance', 'season-broken', 'silence'] as const
export type Shape = (typeof SHAPES)[number]
export type Direction = 'up' | 'down' | 'none'

/**
 * A stretch of one series that is not a tide. Plain data. Times are epoch ms, half open: the last strange point is before `end`.
 * Values are in the unit of the metric and describe the strangest point (`peak`); NaN is unknown.
 */
export interface Anomaly {
  readonly labels: Labels
  /** Name of the detector that found it, as the flow calls it. */
  readonly detector: string
  readonly start: number
  readonly end: number
  /** Time of the strangest point. */
  readonly peak: number
  /** Highest raw score; comparable within one detector and series only. */
  readonly score: number
  /** Highest score as a multiple of the rule's limit: 1 is the limit, 2 is twice as strange as needed. */
  readonly strength: number
  readonly direction: Direction
  readonly current: number
  readonly expected: number
  readonly lower: number
  readonly upper: number
  /** The last point examined was still strange, or calm for too short a time to call it over, so the end is not known yet. */
  readonly ongoing: boolean
  readonly shape?: Shape
  /** Of series that were looked at together: in which of them it lies, the largest share first. */
  readonly columns?: readonly AnomalyColumn[]
  /** Numbers of the shape: `{ before: 12, after: 480 }`; names are documented with the `shape` refiner. */
  readonly numbers?: Readonly<Record<string, number>>
  /** Why nobody is told. An ignored anomaly is stored and shown, never sent. */
  readonly ignored?: string
  /** Channels that are notified of it, in place of those of its flow. */
  readonly notify?: readonly string[]
  /** One sentence for a person: what, how far, since when. */
  readonly sentence?: string
  /** With what the sentence is written, so that it can be written anew when the anomaly goes on or ends. */
  readonly wording?: Wording
}

/** The part that one column of a frame has in an anomaly. */
export interface AnomalyColumn {
  readonly name: string
  /** 0 … 1; of all columns together 1. */
  readonly share: number
  /** At the peak; NaN where it is unknown. */
  readonly value: number
  /** Of the column that was the strangest at the peak, whose value, expected value and band are those of the anomaly. */
  readonly expected?: number
}

/** What a sentence may know beside the anomaly. */
export interface Wording {
  /** Stands for the metric when its labels have no name; for example the name of the flow. */
  readonly name?: string
  /** `1/s` or `/s`, `s`, `bytes`, `ratio`, `%`, `count`, or any word to write behind the number. */
  readonly unit?: string
  /** What the series is in words, instead of a name: `Share of answers that are SERVFAIL`. */
  readonly summary?: string
  /** Names of the events of the calendar in which it happened: `deploy window`. */
  readonly during?: string
  /** What is known of missing data: `target down`. */
  readonly note?: string
  /** Whether data is missing because the source sent NaN. */
  readonly notANumber?: boolean
  /** Time of writing, epoch ms: days other than its own are named. */
  readonly now?: number
}

/** The canonical name of a series, as Prometheus prints it: `name{a="1",b="2"}` with labels in order. */
export function seriesId(labels: Labels): string {
  const { __name__: name = '', ...rest } = labels
  const pairs = Object.keys(rest)
    .sort()
    .map(key => `${key}=${JSON.stringify(rest[key])}`)
  return pairs.length > 0 || name === '' ? `${name}{${pairs.join(',')}}` : name
}
