import type { Anomaly, Labels } from '../anomaly.ts'
import { writeSentence } from '../refiners/sentence.ts'
import type { MissingCase } from './missing-view.ts'

interface Group {
  readonly labels: Labels
  /** Series that have data now, and that are expected to. */
  readonly counts: { readonly live: number; readonly known: number }
  /** What is stored of the group. */
  readonly before: Anomaly | undefined
  readonly note: string | undefined
  /** Of the flow. */
  readonly name: string
}

/** Whether an anomaly is one for several series. */
export function isGroup({ numbers }: Anomaly): boolean {
  return numbers?.known !== undefined
}

/** One anomaly for several series that have no data. Its value is the number of series that have some, with how many are expected. */
export function groupAnomaly(cases: readonly MissingCase[], { labels, counts, before, note, name }: Group): Anomaly {
  const anomalies = cases.map(({ anomaly }) => anomaly)
  const strongest = anomalies.reduce((a, b) => (b.strength > a.strength ? b : a))
  const start = least(anomalies.map(one => one.start))
  const end = -least(anomalies.map(one => -one.end))
  const since = least(cases.map(({ anomaly, presence, now }) => (now ? presence.last : anomaly.start)))
  const isOver = cases.every(({ now }) => !now)
  const { live = counts.live, known = counts.known } = (isOver && before?.numbers) || counts
  const { ignored: _, sentence, ...facts } = strongest
  const wording = { name, ...strongest.wording, ...(note === undefined ? {} : { note }) }
  const group: Anomaly = {
    ...facts,
    labels,
    start,
    end,
    current: live,
    expected: known,
    lower: NaN,
    upper: NaN,
    direction: 'down',
    ongoing: anomalies.some(one => one.ongoing),
    numbers: { missing: end - since, since, live, known },
    wording,
  }
  return sentence === undefined ? group : { ...group, sentence: writeSentence(group, { ...wording, now: end }) }
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b))
}
