/** A part of a grid that one request asks for: rows `from` to `to - 1`. */
export interface Piece {
  readonly from: number
  readonly to: number
}

/** Cuts a grid of `count` rows into pieces of at most `maxPoints` rows that span at most `maxRange` ms; one after the other, none empty. */
export function splitGrid(
  count: number,
  step: number,
  { maxPoints, maxRange }: { maxPoints: number; maxRange: number },
): Piece[] {
  const size = Math.max(1, Math.min(maxPoints, Math.floor(maxRange / step)))
  const pieces: Piece[] = []
  for (let from = 0; from < count; from += size) pieces.push({ from, to: Math.min(count, from + size) })
  return pieces
}

/** Parts of a piece whose answer was too large. One that was by far too large is found out after few attempts, at the price of small parts. */
const PARTS = 8

/** Cuts a piece of two rows or more into shorter ones. */
export function splitPiece({ from, to }: Piece): Piece[] {
  const size = Math.ceil((to - from) / PARTS)
  return splitGrid(to - from, 1, { maxPoints: size, maxRange: Infinity }).map(part => ({
    from: from + part.from,
    to: from + part.to,
  }))
}
