import type { Registry } from '../component.ts'
import type { Detector, MissingData } from '../detectors/detector.ts'
import { detectors } from '../detectors/index.ts'
import { perColumn } from '../detectors/per-column.ts'
import { parseDuration } from '../duration.ts'
import { GAP_STEPS } from '../refiners/merge.ts'
import { rules } from '../rules/index.ts'
import type { Rule } from '../rules/rule.ts'
import { transforms } from '../transforms/index.ts'
import { chain, type Transform } from '../transforms/transform.ts'
import { hasColumns } from './columns.ts'
import { create, type FlowConfig, type Part } from './configuration.ts'
import { configurationHash } from './configuration-hash.ts'

/** A detector of a flow, with what its rows go through and the rule that judges its scores. */
export interface Member {
  readonly name: string
  readonly detector: Detector
  readonly rule: Rule
  /** What its rows go through first; none for one that looks at whether there is data. */
  readonly transform: Transform | undefined
  /** ms between the rows that it judges. */
  readonly step: number
  /** How long (ms) a row waits in the transform. */
  readonly late: number
  readonly configuration: string
}

export function makeMember(part: Part & { readonly name: string }, config: FlowConfig, family: Registry<Detector>): Member {
  const { name, rule: own, ...rest } = part as Part & { readonly name: string; readonly rule?: Part }
  const made = create<Detector, void>(family, rest as Part, undefined)
  const detector = hasColumns(config.query) && !made.multivariate && !made.missingData ? perColumn(made) : made
  const transform = detector.missingData || !config.transform ? undefined : transformOf(config)
  return {
    name,
    detector,
    rule: create<Rule, void>(rules, own ?? config.rule, undefined),
    transform,
    step: transform?.stepAfter(config.query.step) ?? config.query.step,
    late: transform?.delay(config.query.step) ?? 0,
    configuration: configurationHash(config, part, family),
  }
}

/** The detectors of a flow want this much history (ms) before their first score. */
export function flowLookback(config: FlowConfig, family: Registry<Detector> = detectors): number {
  const lookbacks = config.detect.map(part => {
    const { detector, transform } = makeMember(part, config, family)
    return detector.lookback + (transform ? transform.lookback + transform.delay(config.query.step) : 0)
  })
  return config.lookback ?? Math.max(0, ...lookbacks)
}

/** The flow's detectors of missing data, by name. */
export function missingDataOf(config: FlowConfig, family: Registry<Detector> = detectors): ReadonlyMap<string, MissingData> {
  const kinds = config.detect.map(part => [part.name, makeMember(part, config, family).detector.missingData] as const)
  return new Map(kinds.filter((kind): kind is readonly [string, MissingData] => kind[1] !== undefined))
}

/** Whether any of the flow's detectors has models that can be fitted apart from its streams. */
export function hasModels(config: FlowConfig, family: Registry<Detector> = detectors): boolean {
  return config.detect.some(part => makeMember(part, config, family).detector.fit !== undefined)
}

/** Calm (ms) after which an anomaly is over: the gap of the flow's `merge` refiner, or two steps. What comes sooner continues it. */
export function mergeGap(config: FlowConfig): number {
  const { refine, query } = config
  const step = transformOf(config).stepAfter(query.step)
  const merge = refine.find(part => part.type === 'merge')
  if (!merge) return 2 * step
  return typeof merge.gap === 'string' ? parseDuration(merge.gap) : GAP_STEPS * step
}

function transformOf({ transform = [] }: FlowConfig): Transform {
  return chain(transform.map(part => create<Transform, void>(transforms, part, undefined)))
}
