/** Epoch seconds, as the API wants times and durations. */
export function seconds(ms: number): string {
  return String(ms / 1000)
}
