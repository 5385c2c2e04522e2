import { createHash } from 'node:crypto'
import { isInfinite } from '../../math/is-measured.ts'
import type { Message, StoredAnomaly } from '../../stores/store.ts'

/** An alert of API v2. The label set is its identity, so no label ever holds a number, a time, an id or the name of a detector. */
export interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: string
  readonly endsAt: string
  readonly generatorURL: string
}

export interface AlertOptions {
  readonly now: number
  readonly externalUrl: string
  /** ms that a firing alert goes on after it was last sent. */
  readonly lapse: number
  readonly alertname?: string | undefined
  readonly labels?: Readonly<Record<string, string>>
}

/** Receivers cut or refuse what is longer, and some lose with it the other alerts of the group. */
const LONGEST_ANNOTATION = 1024
/** Never left out, however many labels there are. */
const OURS = ['alertname', 'flow', 'severity']
/** Far more than series have; together with the longest value it keeps an alert below the usual limits of a receiver. */
const MOST_LABELS = 64
const LONGEST_LABEL_NAME = 128
const LONGEST_LABEL_VALUE = 512

/** The alert of a message: firing until `lapse` from now, or ended when the anomaly ended, or when it was withdrawn. */
export function toAlert(message: Message, options: AlertOptions): Alert {
  const { anomaly } = message
  return {
    labels: alertLabels(anomaly, options),
    annotations: alertAnnotations(anomaly, options.externalUrl),
    startsAt: new Date(anomaly.start).toISOString(),
    endsAt: new Date(Math.max(anomaly.start, alertEnd(message, options))).toISOString(),
    generatorURL: pageOf(anomaly, options.externalUrl),
  }
}

function alertEnd({ kind, anomaly, createdAt }: Message, { now, lapse }: AlertOptions): number {
  if (kind === 'resolved') return Math.min(anomaly.end, now)
  if (kind === 'withdrawn') return Math.min(createdAt, now)
  return now + lapse
}

const pageOf = ({ id }: StoredAnomaly, externalUrl: string) => `${externalUrl}/#/anomalies/${encodeURIComponent(id)}`

/**
 * `flow` is ours; labels of the flow win over those of the notifier, and both over our defaults `alertname` and `severity`. A label of the
 * series that is called like one of these becomes `exported_…`, because losing it would make two series one alert. Where two names become
 * the same one, the genuine one keeps it.
 */
export function alertLabels(anomaly: StoredAnomaly, options: AlertOptions): Record<string, string> {
  const ofFlow = Object.entries(anomaly.annotations).flatMap(([key, value]) =>
    key.startsWith('label:') ? [[key.slice('label:'.length), value] as const] : [],
  )
  const own: Record<string, string> = { alertname: options.alertname ?? anomaly.flow }
  if (anomaly.annotations.severity) own.severity = anomaly.annotations.severity
  for (const given of [Object.entries(options.labels ?? {}), ofFlow]) {
    const added = addLabels({}, given)
    for (const [name, value] of Object.entries(added)) own[name] = value
  }
  own.flow = anomaly.flow

  const series = Object.entries(anomaly.labels).map(([name, value]) => [name === '__name__' ? 'metric' : name, value] as const)
  return bounded(addLabels(own, series))
}

/** The labels with more of them under names that are free, the genuine names first. */
function addLabels(own: Readonly<Record<string, string>>, given: readonly (readonly [string, string])[]): Record<string, string> {
  const all = { ...own }
  const isGenuine = (name: string) => toLabelName(name) === name
  const sorted = given
    .filter(([, value]) => value !== '')
    .toSorted(([a], [b]) => Number(isGenuine(b)) - Number(isGenuine(a)) || compare(a, b))
  for (const [name, value] of sorted) {
    let free = toLabelName(name)
    while (free in all) free = free in own && !free.startsWith('exported_') ? `exported_${free}` : `${free}_`
    all[free] = value
  }
  return all
}

/** In order of name. What is too long or too much is replaced by a hash, so that two series never become one alert. */
function bounded(labels: Readonly<Record<string, string>>): Record<string, string> {
  const pairs = Object.entries(labels)
    .map(([name, value]) => [shorten(name, LONGEST_LABEL_NAME, '_'), shorten(value, LONGEST_LABEL_VALUE, '…')] as const)
    .toSorted(([a], [b]) => Number(OURS.includes(b)) - Number(OURS.includes(a)) || compare(a, b))
  const kept = pairs.length > MOST_LABELS ? pairs.slice(0, MOST_LABELS - 1) : pairs
  const rest = pairs.slice(kept.length)
  const all = rest.length > 0 ? [...kept, ['more_labels', hash(JSON.stringify(rest))] as const] : kept
  return Object.fromEntries(all.toSorted(([a], [b]) => compare(a, b)))
}

function alertAnnotations(anomaly: StoredAnomaly, externalUrl: string): Record<string, string> {
  const { severity: _, summary: description, runbook, owner, ...others } = anomaly.annotations
  const page = pageOf(anomaly, externalUrl)
  const extra = Object.entries(others).filter(([key]) => !key.startsWith('label:'))
  const texts: Record<string, string | undefined> = {
    ...addLabels({}, extra),
    summary: anomaly.sentence ?? `${anomaly.flow}: ${anomaly.labels.__name__ ?? 'a series'} is not as expected`,
    description,
    score: print(anomaly.score),
    strength: print(anomaly.strength),
    current: print(anomaly.current),
    expected: print(anomaly.expected),
    lower: print(anomaly.lower),
    upper: print(anomaly.upper),
    shape: anomaly.shape,
    columns: anomaly.columns?.map(({ name, share }) => `${name} ${Math.round(share * 100)}%`).join(', '),
    withdrawn_because: anomaly.withdrawnBecause,
    detector: anomaly.detector,
    anomaly_id: anomaly.id,
    owner,
  }
  const more = page.length <= LONGEST_ANNOTATION / 4 ? `… ${page}` : '…'
  const cutTexts = Object.entries(texts).map(([name, text]) => [
    name,
    text && text.length > LONGEST_ANNOTATION ? cut(text, LONGEST_ANNOTATION - more.length) + more : text,
  ])
  // An address that is cut leads nowhere.
  const links = Object.entries({ runbook_url: runbook, dashboard_url: page }).filter(
    ([, link]) => link !== undefined && link.length <= LONGEST_ANNOTATION,
  )
  return Object.fromEntries([...cutTexts, ...links].filter(([, text]) => Boolean(text)))
}

/** Six significant digits, infinities as Prometheus writes them; undefined when unknown. */
function print(value: number): string | undefined {
  if (Number.isNaN(value)) return undefined
  if (isInfinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return String(Number(value.toPrecision(6)))
}

/** The nearest name that every Alertmanager takes: letters, digits and `_`, no digit first. */
export function toLabelName(text: string): string {
  const name = text.replace(/[^a-zA-Z0-9_]/g, '_')
  return /^[a-zA-Z_]/.test(name) ? name : `_${name}`
}

function shorten(text: string, longest: number, sign: string): string {
  return text.length <= longest ? text : `${cut(text, longest - 9)}${sign}${hash(text)}`
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8)

/** The first `length` characters, without half of a surrogate pair. */
const cut = (text: string, length: number) => text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '')

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
