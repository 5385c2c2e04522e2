import type { Anomaly } from '../../anomaly.ts'
import type { Signal } from './signals.ts'

/** One anomaly of a scan, with what it was found in. */
export interface Oddity {
  readonly signal: Signal
  readonly anomaly: Anomaly
  /** Values around it, for the sparkline. */
  readonly values: Float64Array
}

/** Oddities of the same time: most likely one trouble, told by its most telling one. */
export interface Trouble {
  readonly head: Oddity
  /** Strongest first, without the head. */
  readonly others: readonly Oddity[]
  readonly weight: number
}

const WEIGHT = { critical: 1, warning: 0.8, info: 0.5 } as const

/** Doublings of the limit, so that strengths of different detectors compare; a signal that people are woken for counts more. */
export function weigh({ anomaly, signal }: Oddity): number {
  return WEIGHT[signal.severity] * Math.log2(1 + Math.min(Math.max(anomaly.strength, 1), 1e4))
}

/** Groups oddities whose times touch their head's (within `slack` ms); the heaviest head takes first. Each signal counts once, the further ones less. */
export function rankTroubles(oddities: readonly Oddity[], slack: number): readonly Trouble[] {
  let left = oddities.toSorted((a, b) => weigh(b) - weigh(a) || a.anomaly.start - b.anomaly.start)
  const troubles: Trouble[] = []
  while (left.length > 0) {
    const head = left[0]!
    const { start, end } = head.anomaly
    const touches = ({ anomaly }: Oddity) => anomaly.start <= end + slack && anomaly.end >= start - slack
    const group = left.filter(touches)
    left = left.filter(each => !touches(each))
    const seen = new Set<string>()
    let weight = 0
    for (const oddity of group) {
      if (seen.has(oddity.signal.id)) continue
      weight += weigh(oddity) / (1 + seen.size)
      seen.add(oddity.signal.id)
    }
    troubles.push({ head, others: group.slice(1), weight })
  }
  return troubles.toSorted((a, b) => b.weight - a.weight)
}
