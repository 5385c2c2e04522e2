import type { Merge } from '../../math/average-linkage.ts'

/** Width and height in the units of the picture. */
export interface Box {
  readonly width: number
  readonly height: number
}

/** A series as an SVG path: the lowest and the highest of each place, in their order; NaN lifts the pen. Undefined levels are its own. */
export function linePath(values: ArrayLike<number>, { width, height }: Box, levels = extent(values)): string {
  const [low, high] = levels
  const places = Math.min(values.length, Math.max(1, Math.floor(width)))
  const atY = (value: number) => round(high > low ? height - ((value - low) / (high - low)) * height : height / 2)
  let path = ''
  let pen = false
  for (let p = 0; p < places; p++) {
    const from = Math.floor((p * values.length) / places)
    const to = Math.floor(((p + 1) * values.length) / places)
    let [least, most, gap] = [-1, -1, false]
    for (let i = from; i < to; i++) {
      if (Number.isNaN(values[i])) gap = true
      else {
        if (least < 0 || values[i] < values[least]) least = i
        if (most < 0 || values[i] > values[most]) most = i
      }
    }
    const x = round(places > 1 ? (p / (places - 1)) * width : 0)
    if (least >= 0) {
      const kept = least === most ? [least] : [Math.min(least, most), Math.max(least, most)]
      for (const i of kept) {
        path += `${pen ? 'L' : 'M'}${x} ${atY(values[i])}`
        pen = true
      }
      // A lone point is a line to itself: else it does not show.
      if (gap && kept.length === 1) path += 'h.1'
    }
    if (gap) pen = false
  }
  return path
}

/** Lowest and highest known value; both NaN when none is known. */
export function extent(values: ArrayLike<number>): readonly [number, number] {
  let [low, high] = [NaN, NaN]
  for (let i = 0; i < values.length; i++) {
    if (!(values[i] >= low)) low = Number.isNaN(values[i]) ? low : values[i]
    if (!(values[i] <= high)) high = Number.isNaN(values[i]) ? high : values[i]
  }
  return [low, high]
}

/** A dendrogram as one SVG path: leaves at the bottom in their order, height 1 at the top. */
export function treePath(merges: readonly Merge[], order: readonly number[], { width, height }: Box): string {
  const count = order.length
  const xs = new Float64Array(count + merges.length)
  const ys = new Float64Array(count + merges.length).fill(height)
  for (const [place, leaf] of order.entries()) xs[leaf] = ((place + 0.5) / count) * width
  return merges
    .map(({ left, right, height: level }, m) => {
      const y = height - Math.min(1, level) * height
      xs[count + m] = (xs[left] + xs[right]) / 2
      ys[count + m] = y
      return `M${round(xs[left])} ${round(ys[left])}V${round(y)}H${round(xs[right])}V${round(ys[right])}`
    })
    .join('')
}

/** Where a series has no value, as an SVG path of bars over its height. */
export function gapPath(values: ArrayLike<number>, { width, height }: Box): string {
  let path = ''
  for (let from = 0; from < values.length; from++) {
    if (!Number.isNaN(values[from])) continue
    let to = from
    while (to < values.length && Number.isNaN(values[to])) to++
    const x = (from / values.length) * width
    const length = Math.max(1, ((to - from) / values.length) * width)
    path += `M${round(x)} 0h${round(length)}v${height}h${round(-length)}z`
    from = to
  }
  return path
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
