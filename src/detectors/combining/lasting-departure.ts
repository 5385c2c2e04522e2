import type { HistogramState, ScoreHistogram } from './score-histogram.ts'
import { openScoreHistogram } from './score-histogram.ts'

/** Plain data: the last logged distances as a ring, rows, and the histogram of each width. */
export interface LastingState {
  recent: Float64Array
  n: Float64Array
  histograms: HistogramState[]
}

/** Whether small distances last: looks at a distance, one a row, then learns the one that it looked at last. */
export interface LastingDeparture {
  /** −log10 of how rare so great a mean distance is here, at the width of the window where it is rarest. */
  look(distance: number): number
  learn(): void
  snapshot(): LastingState
}

/** Rows of the windows; the last is the longest. */
const WIDTHS = [8, 16, 32, 64]
const LONGEST = 64
const MEMORY = 20_000
const WARM_UP = 200

/** Means of the logged distance over windows of doubling width, each ranked among its own past. */
export function openLastingDeparture(snapshot?: LastingState): LastingDeparture {
  const recent = snapshot ? snapshot.recent.slice() : new Float64Array(LONGEST)
  const n = snapshot ? snapshot.n.slice() : new Float64Array(1)
  const histograms: ScoreHistogram[] = WIDTHS.map((_, i) => openScoreHistogram(MEMORY, WARM_UP, snapshot?.histograms[i]))
  const means = new Float64Array(WIDTHS.length)
  let seen = 0
  return {
    look(distance) {
      seen = Math.log1p(distance)
      const at = n[0] % LONGEST
      let sum = seen
      let width = 1
      let most = 0
      for (let i = 0; i < WIDTHS.length; i++) {
        for (; width < WIDTHS[i]; width++) sum += recent[(at - width + LONGEST) % LONGEST]
        means[i] = sum / width
        most = Math.max(most, histograms[i].tail(means[i]))
      }
      return most
    },
    learn() {
      recent[n[0] % LONGEST] = seen
      n[0]++
      for (let i = 0; i < WIDTHS.length; i++) histograms[i].add(means[i])
    },
    snapshot: () => ({ recent: recent.slice(), n: n.slice(), histograms: histograms.map(histogram => histogram.snapshot()) }),
  }
}
