import type { Labels } from '../../anomaly.ts'
import type { Frame } from '../../frame/frame.ts'
import type { Target } from '../source.ts'

/** Labels that find the targets of series, the widest first: a job has all of its targets, so that the others are known too. */
const BY = ['job', 'instance', 'pod'] as const
/** Values of a label that are asked for; with more the request would be very long, and the outage is one of many targets anyway. */
const MOST_VALUES = 50

/** PromQL for the scrape targets of series and of their jobs; undefined when they have no label of a target, or are of too many. */
export function targetQuery(series: readonly Labels[]): string | undefined {
  const by = BY.find(name => series.some(labels => labels[name] !== undefined))
  if (!by) return undefined
  const values = [...new Set(series.flatMap(labels => labels[by] ?? []))].sort()
  if (values.length > MOST_VALUES) return undefined
  return `up{${by}=~${JSON.stringify(values.map(escape).join('|'))}}`
}

export function toTargets(frames: readonly Frame<'value'>[]): readonly Target[] {
  return frames.map(({ labels, columns }) => ({ labels, up: columns.value[0] === 1 }))
}

function escape(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
}
