import type { Anomaly, AnomalyColumn, Labels, Wording } from '../anomaly.ts'
import { DAY, formatDuration, MINUTE, SECOND } from '../duration.ts'
import { isInfinite } from '../math/is-measured.ts'

/** One sentence for a person, from the numbers of the anomaly (and of its shape, when it has one). Times are UTC; no full stop. */
export function writeSentence(anomaly: Anomaly, wording: Wording = {}): string {
  return `${writeShape(anomaly, wording)}${wording.during ? `, during ${wording.during}` : ''}`
}

function writeShape(anomaly: Anomaly, wording: Wording): string {
  const whole = describeSeries(anomaly.labels, wording)
  const leading = anomaly.shape === 'silence' ? [] : leadingColumns(anomaly)
  if (leading.length > 1 || (leading[0] && leading[0].expected === undefined))
    return writeTogether(anomaly, leading, whole, wording)
  const subject = !leading[0] ? whole : whole === UNNAMED ? leading[0].name : `${leading[0].name} of ${whole}`
  switch (anomaly.shape) {
    case 'silence':
      return writeMissing(anomaly, subject, wording)
    case 'level-shift':
      return writeLevelShift(anomaly, subject, wording)
    case 'trend':
      return writeTrend(anomaly, subject, wording)
    case 'variance':
      return writeVariance(anomaly, subject, wording)
    case 'season-broken':
      return writeBrokenSeason(anomaly, subject, wording)
    default:
      return writeSpike(anomaly, subject, wording)
  }
}

/** A sentence names so many columns at most, as few as make up so large a part of the score, and none with less than a part of the largest. */
const MOST_LEADING = 3
const LEADING_SHARE = 0.8
const LEAST_OF_LARGEST = 1 / 3

function leadingColumns({ columns = [] }: Anomaly): readonly AnomalyColumn[] {
  let before = 0
  return columns.slice(0, MOST_LEADING).filter(({ share }) => {
    const isNeeded = before < LEADING_SHARE && share >= LEAST_OF_LARGEST * columns[0].share
    before += share
    return isNeeded
  })
}

function writeTogether(anomaly: Anomaly, leading: readonly AnomalyColumn[], subject: string, wording: Wording): string {
  const { ongoing } = anomaly
  const names = leading.map(({ name }) => name)
  const [verb, together] = names.length > 1 ? [ongoing ? 'are' : 'were', ' together'] : [ongoing ? 'is' : 'was', '']
  const values = leading.map(({ name, value, share, expected = NaN }) => {
    const usual = Number.isFinite(expected) ? ` where ${formatNumber(expected)} is usual` : ''
    return `${name} ${ongoing ? 'is' : 'was'} ${formatNumber(value)}${usual} (${Math.round(share * 100)}% of the score)`
  })
  return `${subject}: ${listNames(names)} ${verb} unusual${together} ${writeTime(anomaly, wording)}: ${values.join(', ')}`
}

function listNames(names: readonly string[]): string {
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : names.join('')
}

function writeSpike(anomaly: Anomaly, subject: string, wording: Wording): string {
  const { current, expected, lower, upper, ongoing } = anomaly
  const [now, usual] = formatPair(current, expected, wording.unit)
  // What is strange about it is then not its height.
  if (current >= lower && current <= upper) {
    const verb = ongoing ? 'moves' : 'moved'
    const where = `${now} where ${usual} is usual${writeBand(anomaly, wording)}`
    return `${subject} ${verb} in an unusual way, though within its band, ${writeTime(anomaly, wording)}: ${where}`
  }
  const comparison = Number.isFinite(expected) ? `, ${compare(current, expected, usual)}` : ''
  const bound = isInfinite(current) ? ' (no bound)' : ''
  return `${subject} ${ongoing ? 'is' : 'was'} ${now}${bound}${comparison}${writeBand(anomaly, wording)} ${writeTime(anomaly, wording)}`
}

function writeLevelShift(anomaly: Anomaly, subject: string, wording: Wording): string {
  const { before = anomaly.expected, after = anomaly.current } = anomaly.numbers ?? {}
  const [from, to] = formatPair(before, after, wording.unit)
  const ratio = before > 0 && after / before >= 1.1 ? ` (${formatRatio(after / before)})` : ''
  const verb = after >= before ? 'rose' : 'fell'
  const stay = anomaly.ongoing ? 'and has stayed there' : 'and stayed there'
  return `${subject} ${verb} from ${from} to ${to}${ratio} ${stay}${writeBand(anomaly, wording)} ${writeTime(anomaly, wording)}`
}

function writeTrend(anomaly: Anomaly, subject: string, wording: Wording): string {
  const { from = anomaly.expected, to = anomaly.current } = anomaly.numbers ?? {}
  const [first, last] = formatPair(from, to, wording.unit)
  const verb = to >= from ? 'climb' : 'fall'
  const tense = anomaly.ongoing ? `keeps ${verb}ing` : to >= from ? 'climbed' : 'fell'
  return `${subject} ${tense} from ${first} to ${last}${writeBand(anomaly, wording)} ${writeTime(anomaly, wording)}`
}

function writeVariance(anomaly: Anomaly, subject: string, wording: Wording): string {
  const { low = anomaly.current, high = anomaly.current, ratio = NaN } = anomaly.numbers ?? {}
  const [bottom, top] = formatPair(low, high, wording.unit)
  const width = ratio >= 1.1 ? ` ${formatRatio(ratio)} as widely as usual,` : ''
  const verb = anomaly.ongoing ? 'swings' : 'swung'
  return `${subject} ${verb}${width} between ${bottom} and ${top}${writeBand(anomaly, wording)} ${writeTime(anomaly, wording)}`
}

function writeBrokenSeason(anomaly: Anomaly, subject: string, wording: Wording): string {
  const [now, usual] = formatPair(anomaly.current, anomaly.expected, wording.unit)
  const verb = anomaly.ongoing ? 'does not follow' : 'did not follow'
  return `${subject} ${verb} its usual course ${writeTime(anomaly, wording)}: ${now} where ${usual} is usual${writeBand(anomaly, wording)}`
}

function writeMissing(anomaly: Anomaly, subject: string, wording: Wording): string {
  const { numbers = {}, current, expected, ongoing, start, end } = anomaly
  const { missing = end - start, every, since, known, live, siblings, expected: all } = numbers
  const { unit, note, notANumber } = wording
  const long = `for ${formatLength(missing)}${since === undefined ? '' : `, ${ongoing ? 'since' : 'from'} ${writeMoment(since, wording)}`}`
  const others = siblings !== undefined && ongoing ? `; ${siblings} of ${all} series of the flow have data` : ''
  const around = `${note === undefined ? '' : `; ${note}`}${others}`
  if (known !== undefined && live !== undefined) {
    const which = live > 0 ? `${known - live} of ${known} series` : `all ${known} series`
    return `${subject}: ${which} ${ongoing ? 'have had' : 'had'} no data ${long}${around}`
  }
  if (Number.isNaN(current)) {
    const regular = every === undefined ? '' : `; a sample normally arrives every ${formatDuration(every)}`
    const state = notANumber ? (ongoing ? 'is not a number' : 'was not a number') : `${ongoing ? 'has had' : 'had'} no data`
    return `${subject} ${state} ${long}${around}${notANumber ? '' : regular}`
  }
  if (current === expected)
    return `${subject} ${ongoing ? 'has not moved' : 'did not move'} from ${formatNumber(current, unit)} ${long}`
  const usual = Number.isFinite(expected) ? `; it was ${formatNumber(expected, unit)} before` : ''
  return `${subject} ${ongoing ? 'has been' : 'was'} ${formatNumber(current, unit)} ${long}${around}${usual}`
}

/** The anomaly with what is known of its missing data; its sentence anew, when it has one. */
export function withNote(anomaly: Anomaly, note: string | undefined, now: number): Anomaly {
  const { wording, sentence } = anomaly
  const noted = { ...wording, ...(note === undefined ? {} : { note }) }
  if (sentence === undefined || wording === undefined) return anomaly
  return { ...anomaly, wording: noted, sentence: writeSentence(anomaly, { ...noted, now }) }
}

/** Labels that say which one of many a series is, the most telling first; `job` and the like say what all have in common. */
const TELLING = ['instance', 'pod', 'server', 'zone', 'to', 'type', 'rcode', 'code', 'name', 'device', 'handler']
const COMMON = new Set([
  '__name__',
  'signal',
  'column',
  'job',
  'le',
  'quantile',
  'namespace',
  'cluster',
  'prometheus',
  'endpoint',
  'service',
])
const SHOWN_LABELS = 3

/** A series without labels and name. */
const UNNAMED = 'The value'

const rankOf = (key: string) => (TELLING.includes(key) ? TELLING.indexOf(key) : TELLING.length)

/** The series for people: its name (or summary) and the few labels that tell it from others, `up{instance=10.0.0.1:9153}`. */
export function describeSeries(labels: Labels, { name, summary }: Wording = {}): string {
  const own = labels.__name__ ?? labels.signal ?? labels.column
  const telling = Object.keys(labels)
    .filter(key => !COMMON.has(key) && labels[key] !== '')
    .toSorted((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1))
    .slice(0, SHOWN_LABELS)
    .map(key => `${key}=${labels[key]}`)
  const subject = summary?.trim().replace(/\.$/, '') || own || name || UNNAMED
  return telling.length > 0 ? `${subject}{${telling.join(', ')}}` : subject
}

/** `9.1× the usual 528/s`, `34% above the usual 528/s`, … ; plain when a ratio says nothing (zero, signs differ). */
function compare(current: number, expected: number, usual: string): string {
  const ratio = current / expected
  if (!(expected !== 0 && ratio >= 0 && Number.isFinite(ratio)) || expected < 0) {
    if (current === expected) return `just the usual ${usual}`
    return `${current > expected ? 'above' : 'below'} the usual ${usual}`
  }
  if (ratio >= 2) return `${formatRatio(ratio)} the usual ${usual}`
  const percent = formatSignificant(Math.abs(ratio - 1) * 100, 2)
  if (ratio === 1) return `just the usual ${usual}`
  return `${percent}% ${ratio > 1 ? 'above' : 'below'} the usual ${usual}`
}

function writeBand({ lower, upper, expected, current }: Anomaly, { unit }: Wording): string {
  // What never moved has no width worth naming.
  if (!isInfinite(current) && upper - lower < 1e-6 * Math.abs(current - expected))
    return ` (expected ${formatNumber(expected, unit)})`
  const hasLower = Number.isFinite(lower)
  const hasUpper = Number.isFinite(upper)
  const kind = kindOf(unit)
  // Such numbers are never below zero, whatever a symmetric band says.
  if (hasUpper && (!hasLower || (lower <= 0 && kind.positive && expected >= 0)))
    return ` (expected at most ${formatNumber(upper, unit)})`
  if (hasLower && !hasUpper) return ` (expected at least ${formatNumber(lower, unit)})`
  if (!hasLower) return ''
  // Units that do not change with the number stand in the sentence already, and one unit at the end does for both.
  const [from, to] = formatPair(lower, upper, kind.scaled ? unit : undefined)
  const [, , suffix] = from.match(/^(-?[\d.]+)(\D+)$/) ?? []
  const first =
    suffix && to.endsWith(suffix) && !/[a-z]$/i.test(to.slice(0, -suffix.length)) ? from.slice(0, -suffix.length) : from
  return ` (expected ${first}${lower < 0 || upper < 0 ? ' to ' : '–'}${to})`
}

const dayOf = (time: number) => Math.floor(time / DAY)

function writeTime({ start, end, ongoing }: Anomaly, { now = NaN }: Wording): string {
  const seconds = start % MINUTE !== 0 || end % MINUTE !== 0
  // Without a time of writing nobody knows which day a reader would think of.
  const dated = dayOf(start) !== dayOf(now) || (!ongoing && dayOf(end) !== dayOf(now))
  if (ongoing) return `since ${formatTime(start, seconds, dated)} UTC`
  const from = formatTime(start, seconds, dated)
  return `from ${from} to ${formatTime(end, seconds, dayOf(start) !== dayOf(end))} UTC`
}

/** One time, with its day when that is not the day of writing. */
function writeMoment(time: number, { now = NaN }: Wording): string {
  return `${formatTime(time, time % MINUTE !== 0, dayOf(time) !== dayOf(now))} UTC`
}

function formatTime(time: number, seconds: boolean, dated: boolean): string {
  const text = new Date(time).toISOString()
  return `${dated ? `${text.slice(0, 10)} ` : ''}${text.slice(11, seconds ? 19 : 16)}`
}

/** A duration as people say it: the two largest units, `2h5m`. */
function formatLength(ms: number): string {
  const grain = ms >= 2 * DAY ? DAY / 24 : ms >= 120 * MINUTE ? MINUTE : ms >= 2 * SECOND ? SECOND : 1
  return formatDuration(Math.round(ms / grain) * grain)
}

/** `9.1×`, `34×`, `1200×`. */
export function formatRatio(ratio: number): string {
  return `${ratio < 9.95 ? ratio.toFixed(1).replace(/\.0$/, '') : formatSignificant(ratio, ratio < 99.5 ? 2 : 3)}×`
}

interface Kind {
  readonly suffix: string
  /** Never negative. */
  readonly positive: boolean
  /** The number changes with its unit (ms and s, KiB and MiB), so that a unit must stand at each. */
  readonly scaled: 'seconds' | 'bytes' | 'percent' | undefined
}

function kindOf(unit = ''): Kind {
  switch (unit.toLowerCase()) {
    case '':
      return { suffix: '', positive: false, scaled: undefined }
    case 'count':
    case 'short':
      return { suffix: '', positive: true, scaled: undefined }
    case 's':
    case 'seconds':
      return { suffix: ' s', positive: true, scaled: 'seconds' }
    case 'b':
    case 'bytes':
      return { suffix: ' B', positive: true, scaled: 'bytes' }
    case 'ratio':
    case 'percentunit':
      return { suffix: '%', positive: true, scaled: 'percent' }
    case '%':
    case 'percent':
      return { suffix: '%', positive: true, scaled: undefined }
  }
  if (unit.startsWith('1/')) return { suffix: unit.slice(1), positive: true, scaled: undefined }
  if (unit.startsWith('/')) return { suffix: unit, positive: true, scaled: undefined }
  return { suffix: ` ${unit}`, positive: unit === 'cores', scaled: undefined }
}

/** Three significant digits (whole numbers up to 9999 in full) and the unit: `4812/s`, `12.3 ms`, `1.5 GiB`, `43%`. NaN is `unknown`, +Inf has no unit. */
export function formatNumber(value: number, unit?: string, digits = 3): string {
  if (Number.isNaN(value)) return 'unknown'
  if (isInfinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const kind = kindOf(unit)
  const size = Math.abs(value)
  if (kind.scaled === 'seconds' && size > 0) {
    if (size < 1e-3) return `${formatSignificant(value * 1e6, digits)} µs`
    if (size < 1) return `${formatSignificant(value * 1e3, digits)} ms`
    if (size >= 120) return `${value < 0 ? '-' : ''}${formatLength(size * SECOND)}`
  }
  if (kind.scaled === 'percent') return `${formatSignificant(value * 100, digits)}%`
  if (kind.scaled === 'bytes') {
    const power = size < 1024 ? 0 : Math.min(5, Math.floor(Math.log2(size) / 10))
    return `${formatSignificant(value / 1024 ** power, digits)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'][power]}`
  }
  return formatSignificant(value, digits) + kind.suffix
}

/** Two numbers that a reader compares: given more digits while they would look the same and are not. */
function formatPair(a: number, b: number, unit: string | undefined): readonly [string, string] {
  for (let digits = 3; digits < 8; digits++) {
    const pair = [formatNumber(a, unit, digits), formatNumber(b, unit, digits)] as const
    if (pair[0] !== pair[1] || a === b) return pair
  }
  return [formatNumber(a, unit), formatNumber(b, unit)]
}

function formatSignificant(value: number, digits: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size >= 99.95 && size < 9999.5 && digits <= 3) return String(Math.round(value))
  if (size < 1e-4 || size >= 9.995e14)
    return value
      .toExponential(digits - 1)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e')
  if (size < 9999.5) return String(Number(value.toPrecision(digits)))
  for (const [unit, suffix] of [
    [1e3, 'k'],
    [1e6, 'M'],
    [1e9, 'G'],
    [1e12, 'T'],
  ] as const)
    if (size < 999.5 * unit || unit === 1e12) return `${Number((value / unit).toPrecision(digits))}${suffix}`
  return String(value)
}
