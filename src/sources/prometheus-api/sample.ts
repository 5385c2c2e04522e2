const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const INFINITE = /^([+-]?)inf(?:inity)?$/i

/**
 * The number of a sample. The API sends numbers as text, the way Go prints a float: `"1"`, `"1e+06"`, `"NaN"`, `"+Inf"`. Anything else (`null`,
 * `""`, `true`, a bare number, `"0x10"`, a decimal too large for a float) is no number: undefined, never 0.
 */
export function parseSample(sent: unknown): number | undefined {
  if (typeof sent !== 'string') return undefined
  if (DECIMAL.test(sent)) {
    const value = Number(sent)
    return Number.isFinite(value) ? value : undefined
  }
  const infinite = INFINITE.exec(sent)
  if (infinite) return infinite[1] === '-' ? -Infinity : Infinity
  return /^[+-]?nan$/i.test(sent) ? NaN : undefined
}
