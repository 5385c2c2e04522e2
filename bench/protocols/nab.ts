/** A file of the corpus as the scorer sees it: one score per row, higher is stranger, and the windows as inclusive rows, in order. */
export interface NabFile {
  readonly name: string
  readonly scores: Float64Array
  readonly windows: readonly (readonly [first: number, last: number])[]
}

/** Weights of a caught window, a missed window and a false row. */
export interface NabProfile {
  readonly hit: number
  readonly miss: number
  readonly false: number
}

export const NAB_PROFILES = {
  standard: { hit: 1, miss: 1, false: 0.11 },
  'low FP': { hit: 1, miss: 1, false: 0.22 },
  'low FN': { hit: 1, miss: 2, false: 0.11 },
} as const satisfies Record<string, NabProfile>

export interface NabResult {
  /** 100 for a perfect detector, 0 for one that says nothing; may be negative. */
  readonly score: number
  readonly raw: number
  /** A row is a detection when its score is at least this; Infinity when saying nothing is best. */
  readonly threshold: number
}

/** Rows at the beginning of a file that are never scored. */
export function probationRows(rows: number): number {
  return Math.min(Math.floor(0.15 * rows), 750)
}

/** Worth of a detection at relative position `p`: 1 well before the end of the window, −1 far behind it. */
export function scaledSigmoid(p: number): number {
  return p > 3 ? -1 : 2 / (1 + Math.exp(5 * p)) - 1
}

const BEST = scaledSigmoid(-1)

/** What a detection of each row is worth, and the window it lies in (−1 outside). Lavin & Ahmad 2015, section III, as NAB 1.1 computes it. */
export function worthOfRows({ scores, windows }: NabFile, profile: NabProfile): { worth: Float64Array; window: Int32Array } {
  const rows = scores.length
  const worth = new Float64Array(rows).fill(-profile.false)
  const window = new Int32Array(rows).fill(-1)
  for (const [k, [first, last]] of windows.entries()) {
    const width = last - first + 1
    for (let i = first; i <= last; i++) {
      worth[i] = (profile.hit * scaledSigmoid(-(last - i + 1) / width)) / BEST
      window[i] = k
    }
    const next = windows[k + 1]?.[0] ?? rows
    for (let i = last + 1; i < next; i++) worth[i] = profile.false * (width > 1 ? scaledSigmoid((i - last) / (width - 1)) : -1)
  }
  return { worth, window }
}

/**
 * The NAB 1.1 score at the best threshold of the corpus: one pass over all scorable rows in descending order of score. Every distinct score is a
 * candidate; of equal totals the higher threshold wins. Throws `RangeError` on a NaN score: a detector that is undecided must say 0.
 */
export function scoreNab(files: readonly NabFile[], profile: NabProfile): NabResult {
  const { scores, worth, window, windows, missable } = poolRows(files, profile)
  const order = Uint32Array.from(scores, (_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b)
  const best = new Float64Array(windows).fill(-profile.miss)
  let total = -profile.miss * missable
  let raw = total
  let threshold = Infinity
  for (let k = 0; k < order.length; k++) {
    const row = order[k]
    const at = window[row]
    if (at < 0) total += worth[row]
    else if (worth[row] > best[at]) {
      total += worth[row] - best[at]
      best[at] = worth[row]
    }
    if (k + 1 < order.length && scores[order[k + 1]] === scores[row]) continue
    if (total > raw) {
      raw = total
      threshold = scores[row]
    }
  }
  return { score: normalize(raw, windows, profile), raw, threshold }
}

/** The score with each file's detections at one threshold; the naive twin of the sweep, and the way to score alerts that a rule has thinned. */
export function scoreNabAt(files: readonly NabFile[], profile: NabProfile, threshold: number): number {
  let raw = 0
  let windows = 0
  for (const file of files) {
    raw += rawAt(file, profile, threshold)
    windows += file.windows.length
  }
  return normalize(raw, windows, profile)
}

/**
 * The same with a refractory period: after a detection a file is silent for `fraction` of its probation, at least for a row. The best of `candidates`
 * thresholds, spread over the ranks of the distinct scores, is taken, after as many more around the best of them.
 */
export function scoreNabWithCoolDown(
  files: readonly NabFile[],
  profile: NabProfile,
  fraction: number,
  candidates = 300,
): NabResult {
  const prepared = files.map(file => ({ file, ...worthOfRows(file, profile) }))
  const windows = files.reduce((sum, file) => sum + file.windows.length, 0)
  const missable = files.reduce((sum, file) => sum + countMissable(file), 0)
  const nothing = -profile.miss * missable
  const distinct = Float64Array.from(
    new Set(files.flatMap(({ scores }) => Array.from(scores.subarray(probationRows(scores.length))))),
  )
  distinct.sort().reverse()
  const tried = new Map<number, number>()
  const walk = (rank: number) => {
    if (tried.has(rank)) return
    let raw = nothing
    for (const { file, worth, window } of prepared) raw += walkRaw(file, worth, window, profile, fraction, distinct[rank])
    tried.set(rank, raw)
  }
  // Half of the candidates are among the highest hundredth, where good thresholds are.
  const top = Math.max(candidates / 2, distinct.length / 100)
  for (const rank of [...spread(0, top, candidates / 2), ...spread(0, distinct.length, candidates / 2)])
    if (rank < distinct.length) walk(rank)
  const [best] = bestOf(tried)
  if (best !== undefined) {
    const ranks = [...tried.keys()].sort((a, b) => a - b)
    const at = ranks.indexOf(best)
    for (const rank of spread(ranks[at - 1] ?? best, ranks[at + 1] ?? best, candidates)) walk(rank)
  }
  const [rank, raw] = bestOf(tried)
  if (rank === undefined || raw <= nothing)
    return { score: normalize(nothing, windows, profile), raw: nothing, threshold: Infinity }
  return { score: normalize(raw, windows, profile), raw, threshold: distinct[rank] }
}

/** Whole numbers from `from` to `to`, so many at most, evenly spaced. */
function spread(from: number, to: number, count: number): number[] {
  return Array.from({ length: Math.ceil(Math.min(count, to - from)) }, (_, k) =>
    Math.floor(from + (k * (to - from)) / Math.min(count, to - from)),
  )
}

function bestOf(tried: ReadonlyMap<number, number>): [rank: number | undefined, raw: number] {
  let best: [number | undefined, number] = [undefined, -Infinity]
  for (const [rank, raw] of tried) if (raw > best[1] || (raw === best[1] && rank < best[0]!)) best = [rank, raw]
  return best
}

function walkRaw(
  { scores, windows }: NabFile,
  worth: Float64Array,
  window: Int32Array,
  profile: NabProfile,
  fraction: number,
  threshold: number,
): number {
  const from = probationRows(scores.length)
  const silent = Math.max(1, Math.floor(fraction * from))
  const best = new Float64Array(windows.length).fill(-profile.miss)
  let raw = 0
  // The walk begins with the file: what is said in probation silences what follows, as it would in production.
  let last = -Infinity
  for (let i = 0; i < scores.length; i++) {
    if (!(scores[i] >= threshold) || i - last <= silent) continue
    last = i
    if (i < from) continue
    const at = window[i]
    if (at < 0) raw += worth[i]
    else if (worth[i] > best[at]) {
      raw += worth[i] - best[at]
      best[at] = worth[i]
    }
  }
  return raw
}

/** Rows of all files behind their probation, one after the other; windows are numbered through. */
function poolRows(files: readonly NabFile[], profile: NabProfile) {
  const size = files.reduce((sum, { scores }) => sum + scores.length - probationRows(scores.length), 0)
  const scores = new Float64Array(size)
  const worth = new Float64Array(size)
  const window = new Int32Array(size).fill(-1)
  let at = 0
  let windows = 0
  let missable = 0
  for (const file of files) {
    const of = worthOfRows(file, profile)
    for (let i = probationRows(file.scores.length); i < file.scores.length; i++, at++) {
      if (Number.isNaN(file.scores[i])) throw new RangeError(`scores of ${file.name} must not be NaN, got one at row ${i}`)
      scores[at] = file.scores[i]
      worth[at] = of.worth[i]
      if (of.window[i] >= 0) window[at] = windows + of.window[i]
    }
    windows += file.windows.length
    missable += countMissable(file)
  }
  return { scores, worth, window, windows, missable }
}

function rawAt(file: NabFile, profile: NabProfile, threshold: number): number {
  const { worth, window } = worthOfRows(file, profile)
  const best = file.windows.map(() => -profile.miss)
  let raw = -profile.miss * countMissable(file)
  for (let i = probationRows(file.scores.length); i < file.scores.length; i++) {
    if (!(file.scores[i] >= threshold)) continue
    if (window[i] < 0) raw += worth[i]
    else if (worth[i] > best[window[i]]) {
      raw += worth[i] - best[window[i]]
      best[window[i]] = worth[i]
    }
  }
  return raw
}

/** Windows with a row behind the probation: the others cannot be missed, though they count in the normalisation. */
function countMissable({ scores, windows }: NabFile): number {
  return windows.filter(([, last]) => last >= probationRows(scores.length)).length
}

function normalize(raw: number, windows: number, { hit, miss }: NabProfile): number {
  const nothing = -miss * windows
  return (100 * (raw - nothing)) / (windows * hit - nothing)
}
