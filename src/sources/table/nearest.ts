/** The known name with the fewest edits from `name`, when it is close enough to be meant; for "did you mean". */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.floor(Math.max(name.length, 3) / 3) + 1
  for (const candidate of known.slice(0, 5000)) {
    const edits = countEdits(name.toLowerCase(), candidate.toLowerCase(), least)
    if (edits < least) {
      least = edits
      best = candidate
    }
  }
  return best
}

/** Sentence of an unknown name: `must be one of a, b, got c; did you mean b?`. */
export function describeUnknown(what: string, name: string, known: readonly string[]): string {
  const shown = known.slice(0, 20).join(', ') + (known.length > 20 ? `, … (${known.length} in all)` : '')
  const guess = nearest(name, known)
  return `${what} must be one of ${shown}, got ${JSON.stringify(name)}${guess ? `; did you mean ${guess}?` : ''}`
}

/** Levenshtein's distance, or `limit` once it is certain to reach it. */
function countEdits(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    if (Math.min(...next) >= limit) return limit
    row = next
  }
  return row[b.length]
}
