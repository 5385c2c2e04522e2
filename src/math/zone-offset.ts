const DAY = 86_400_000

/**
 * Local time minus UTC, in ms, of an IANA zone as a function of epoch ms. Asks `Intl` about once per day of data, because an offset rarely
 * changes; inside a day that changes, the moment is found by bisection (to the second). Throws `RangeError` for an unknown zone.
 */
export function fromZone(zone: string): (time: number) => number {
  if (zone === 'UTC') return () => 0
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const ask = (time: number): number => {
    const part: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(time)) part[type] = Number(value)
    const local = Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second)
    return local - Math.floor(time / 1000) * 1000
  }
  let start = NaN
  let end = NaN
  let offset = 0
  return time => {
    if (time >= start && time < end) return offset
    start = Math.floor(time / DAY) * DAY
    end = start + DAY
    const before = ask(start)
    const after = ask(end)
    offset = before
    if (before !== after) {
      let low = start
      let high = end
      while (high - low > 1000) {
        const middle = Math.floor((low + high) / 2000) * 1000
        if (ask(middle) === before) low = middle
        else high = middle
      }
      if (time < high) end = high
      else {
        start = high
        offset = after
      }
    }
    return offset
  }
}
