const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Three digits that matter: `0.0213`, `1.92`, `212`, `1.3M`; unknown is a dash. */
export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 100_000) return new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 }).format(value)
  if (size > 0 && size < 0.0005) return value.toExponential(1)
  return new Intl.NumberFormat('en', { maximumSignificantDigits: size >= 1000 ? 4 : 3 }).format(value)
}

/** The two largest units: `2 d 3 h`, `14 min`, `20 s`. */
export function formatSpan(ms: number): string {
  if (ms < MINUTE) return `${Math.max(0, Math.round(ms / 1000))} s`
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} min`
  if (ms < DAY) return join(Math.floor(ms / HOUR), 'h', Math.floor((ms % HOUR) / MINUTE), 'min')
  return join(Math.floor(ms / DAY), 'd', Math.floor((ms % DAY) / HOUR), 'h')
}

export function formatAgo(time: number, now: number): string {
  const ms = now - time
  if (Math.abs(ms) < 10_000) return 'just now'
  return ms > 0 ? `${formatSpan(ms)} ago` : `in ${formatSpan(-ms)}`
}

/** `14:16`, or `14:16:30`, in the zone of the reader. */
export function formatClock(time: number, withSeconds = false): string {
  const seconds = withSeconds ? ({ second: '2-digit' } as const) : {}
  return new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', ...seconds, hourCycle: 'h23' }).format(time)
}

/** `14:16` today, `12 Mar, 14:16` otherwise. */
export function formatTime(time: number, now: number): string {
  const clock = formatClock(time)
  return sameDay(time, now)
    ? clock
    : `${new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' }).format(time)}, ${clock}`
}

export function formatExact(time: number): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' }).format(time)
}

/** `Today`, `Yesterday`, `Monday 9 March`. */
export function formatDay(time: number, now: number): string {
  if (sameDay(time, now)) return 'Today'
  if (sameDay(time + DAY, now)) return 'Yesterday'
  return new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' }).format(time)
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${new Intl.NumberFormat('en').format(count)} ${count === 1 ? one : many}`
}

function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString()
}

function join(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}
