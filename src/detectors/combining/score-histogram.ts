/** Bins to an octave; the tail between two is interpolated. */
const FINE = 8
/** From 2⁻²⁰ to 2²⁰; what lies outside counts as at the end. */
const OCTAVES = 20
const BINS = 2 * OCTAVES * FINE
const LARGE = 1e12

/**
 * Plain data: the first bin that holds something, the total, the weight of the next score, then the bins from the first to the last that hold
 * something. Earlier versions wrote all bins, then total and weight; so are those written that are as long.
 */
export type HistogramState = Float64Array

/** How scores of a stream are distributed, in bounded memory, older ones forgotten by half over `half` scores. */
export interface ScoreHistogram {
  /** −log10 of the part of the scores that reach this one; 0 while there are fewer than `few`. */
  tail(score: number): number
  /** The `p`-quantile, to the width of a bin; NaN before the first score. */
  quantile(p: number): number
  add(score: number): void
  snapshot(): HistogramState
}

export function openScoreHistogram(half: number, few: number, snapshot?: HistogramState): ScoreHistogram {
  // The last two places hold the total and the weight of the next score.
  const bins = readBins(snapshot)
  const growth = 2 ** (1 / half)
  let top = BINS - 1
  while (top > 0 && bins[top] === 0) top--
  // A score is often ranked first and then added.
  let lastScore = NaN
  let lastPlace = 0
  function placeOf(score: number): number {
    if (score === lastScore) return lastPlace
    const place = (Math.log2(score) + OCTAVES) * FINE
    lastScore = score
    lastPlace = place <= 0 ? 0 : place < BINS - 1e-6 ? place : BINS - 1e-6
    return lastPlace
  }
  return {
    tail(score) {
      const weight = bins[BINS + 1]
      const total = bins[BINS] / weight
      if (!(score > 0) || total < few) return 0
      const place = placeOf(score)
      const bin = Math.floor(place)
      let above = bins[bin] * (1 - place + bin)
      for (let i = bin + 1; i <= top; i++) above += bins[i]
      return -Math.log10((above / weight + 0.3) / (total + 1))
    },
    quantile(p) {
      const wanted = (1 - p) * bins[BINS]
      if (bins[BINS] === 0) return NaN
      let above = 0
      for (let i = top; i >= 0; i--) {
        above += bins[i]
        if (above >= wanted) return 2 ** (i / FINE - OCTAVES)
      }
      return 0
    },
    add(score) {
      if (Number.isNaN(score)) return
      const weight = bins[BINS + 1]
      if (score > 0) {
        const bin = Math.floor(placeOf(score))
        bins[bin] += weight
        if (bin > top) top = bin
      }
      bins[BINS] += weight
      if (weight < LARGE) bins[BINS + 1] = weight * growth
      else {
        for (let i = 0; i <= BINS; i++) bins[i] /= weight
        bins[BINS + 1] = growth
      }
    },
    snapshot: () => packBins(bins, top),
  }
}

function readBins(snapshot: HistogramState | undefined): Float64Array {
  if (snapshot?.length === BINS + 2) return snapshot.slice()
  const bins = new Float64Array(BINS + 2)
  bins[BINS] = snapshot ? snapshot[1] : 0
  bins[BINS + 1] = snapshot ? snapshot[2] : 1
  if (snapshot) bins.set(snapshot.subarray(3), snapshot[0])
  return bins
}

function packBins(bins: Float64Array, top: number): HistogramState {
  const first = bins.subarray(0, BINS).findIndex(weight => weight > 0)
  const held = first < 0 ? [] : bins.subarray(first, top + 1)
  return held.length + 3 < bins.length ? Float64Array.of(Math.max(0, first), bins[BINS], bins[BINS + 1], ...held) : bins.slice()
}
