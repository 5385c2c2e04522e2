/** What a window of rows usually holds, column by column; NaN where nothing is known. */
export interface WindowProfile {
  readonly middle: Float64Array
  /** 1 % and 99 % quantiles. */
  readonly low: Float64Array
  readonly high: Float64Array
  /** Standard deviation by the quartiles, at least 1 % of the middle. */
  readonly spread: Float64Array
}

const FLOOR = 0.01
/** Of the value seen: keeps a column that was flat at zero from dividing by zero. */
const SEEN_FLOOR = 0.001

/** Profile of the first `count` rows, which lie one after the other in `rows`; NaN is unknown. */
export function profileWindow(rows: Float64Array, count: number, columns: number): WindowProfile {
  const profile = {
    middle: new Float64Array(columns).fill(NaN),
    low: new Float64Array(columns).fill(NaN),
    high: new Float64Array(columns).fill(NaN),
    spread: new Float64Array(columns).fill(NaN),
  }
  const cells = new Float64Array(count)
  for (let c = 0; c < columns; c++) {
    let known = 0
    for (let i = 0; i < count; i++) {
      const cell = rows[i * columns + c]
      if (!Number.isNaN(cell)) cells[known++] = cell
    }
    if (known === 0) continue
    const sorted = cells.subarray(0, known).sort()
    const at = (share: number) => sorted[Math.round(share * (known - 1))]
    profile.middle[c] = at(0.5)
    profile.low[c] = at(0.01)
    profile.high[c] = at(0.99)
    profile.spread[c] = Math.max((at(0.75) - at(0.25)) / 1.349, FLOOR * Math.abs(at(0.5)), 1e-12)
  }
  return profile
}

const scaleOf = (x: number, { spread }: WindowProfile, c: number) => Math.max(spread[c], SEEN_FLOOR * Math.abs(x))

/** How far a value of column `c` is outside low … high, in spreads; negative inside, NaN where nothing is known. */
export const beyondOf = (x: number, profile: WindowProfile, c: number) =>
  Math.max(profile.low[c] - x, x - profile.high[c]) / scaleOf(x, profile, c)

/** How far the strangest column is from its middle, and how far it, or another one, is outside low … high, in spreads. NaN cells count nothing. */
export function placeRow(row: ArrayLike<number>, profile: WindowProfile): { channel: number; outside: number } {
  let channel = 0
  let farthest = -1
  let outside = 0
  for (let c = 0; c < row.length; c++) {
    const x = row[c]
    const distance = Math.abs(x - profile.middle[c]) / scaleOf(x, profile, c)
    if (distance > farthest) {
      farthest = distance
      channel = c
    }
    const beyond = beyondOf(x, profile, c)
    if (beyond > outside) outside = beyond
  }
  return { channel, outside }
}
