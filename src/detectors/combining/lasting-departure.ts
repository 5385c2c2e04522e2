import type { HistogramState, ScoreHistogram } from './score-histogram.ts'
import { openScoreHistogram } from './score-histogram.ts'

/** Plain data: the last logged distances, newest first, and the histogram of each width. */
export interface LastingState {
  recent: Float64Array
  histograms: HistogramState[]
}

/** Whether small distances last: looks at a distance, one a row, then learns the one that it looked at last. */
export interface LastingDeparture {
  /** −log10 of how rare so great a mean distance is here, at the width of the window where it is rarest. */
  look(distance: number): number
  learn(): void
  snapshot(): LastingState
}

/** Rows of the windows, ascending. */
const WIDTHS = [8, 16, 32, 64]
const MEMORY = 20_000
const WARM_UP = 200

/** Means of the logged distance over windows of doubling width, each ranked among its own past. */
export function openLastingDeparture(snapshot?: LastingState): LastingDeparture {
  const recent = snapshot ? snapshot.recent.slice() : new Float64Array(WIDTHS.at(-1)! - 1)
  const histograms: ScoreHistogram[] = WIDTHS.map((_, i) => openScoreHistogram(MEMORY, WARM_UP, snapshot?.histograms[i]))
  const means = new Float64Array(WIDTHS.length)
  let seen = 0
  return {
    look(distance) {
      seen = Math.log1p(distance)
      let sum = seen
      let width = 1
      let most = 0
      for (let i = 0; i < WIDTHS.length; i++) {
        for (; width < WIDTHS[i]; width++) sum += recent[width - 1]
        means[i] = sum / width
        most = Math.max(most, histograms[i].tail(means[i]))
      }
      return most
    },
    learn() {
      recent.copyWithin(1, 0)
      recent[0] = seen
      for (let i = 0; i < WIDTHS.length; i++) histograms[i].add(means[i])
    },
    snapshot: () => ({ recent: recent.slice(), histograms: histograms.map(histogram => histogram.snapshot()) }),
  }
}
