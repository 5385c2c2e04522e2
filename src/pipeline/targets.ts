import type { Labels } from '../anomaly.ts'
import type { Target } from '../sources/source.ts'

/** What the target of a series does; unknown: the source cannot say. */
export type TargetState = 'up' | 'down' | 'undiscovered' | 'unknown'

/** Labels that a series has from its target, and those of them that name one. */
const OF_A_TARGET = ['instance', 'pod', 'job', 'namespace', 'cluster'] as const
const NAMES = ['instance', 'pod'] as const

/** Whether a series says of which target it is. */
export function namesTarget(labels: Labels): boolean {
  return NAMES.some(name => labels[name] !== undefined)
}

/**
 * Says the state of the target of a series. It is undiscovered only when targets of series that have data are found in the same answer: otherwise
 * the labels of the series may just not be those of its target.
 */
export function openTargets(targets: readonly Target[], live: readonly Labels[]): (labels: Labels) => TargetState {
  const byName = Map.groupBy(
    targets.flatMap(target => NAMES.flatMap(name => nameOf(name, target.labels).map(key => ({ key, target })))),
    ({ key }) => key,
  )
  const find = (labels: Labels): Target[] => {
    const named = NAMES.flatMap(name => nameOf(name, labels).flatMap(key => byName.get(key) ?? []))
    return named.map(({ target }) => target).filter(target => agree(labels, target.labels))
  }
  const isKnown = live.some(labels => find(labels).length > 0)
  return labels => {
    const own = find(labels)
    if (own.length > 0) return own.some(({ up }) => up) ? 'up' : 'down'
    return isKnown && namesTarget(labels) ? 'undiscovered' : 'unknown'
  }
}

function nameOf(name: string, labels: Labels): readonly string[] {
  return labels[name] === undefined ? [] : [`${name}=${labels[name]}`]
}

/** Whether labels of a target that both have are the same. */
function agree(series: Labels, target: Labels): boolean {
  return OF_A_TARGET.every(name => series[name] === undefined || target[name] === undefined || series[name] === target[name])
}
