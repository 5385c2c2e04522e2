import { formatAgo, formatExact, formatTime } from './format.ts'
import { now } from './state.ts'

/** A time as people say it, with the exact one on the element. */
export function Time({ at, relative = false }: { at: number; relative?: boolean }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={formatExact(at)}>
      {relative ? formatAgo(at, now.value) : formatTime(at, now.value)}
    </time>
  )
}
