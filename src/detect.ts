import type { Anomaly, Labels } from './anomaly.ts'
import type { Detector } from './detectors/detector.ts'
import { detectors } from './detectors/index.ts'
import { MINUTE } from './duration.ts'
import { InputError } from './errors.ts'
import { fromValues, rowAt } from './frame/frame.ts'
import { create, type Part } from './pipeline/configuration.ts'
import { examine } from './pipeline/examine.ts'
import { refiners } from './refiners/index.ts'
import type { Refiner } from './refiners/refiner.ts'
import { rules } from './rules/index.ts'
import type { Rule } from './rules/rule.ts'

export interface DetectOptions {
  /** Epoch ms of each value, ascending; by default a value every `step` from 1970 on. */
  readonly times?: ArrayLike<number>
  /** ms between values; by default the median distance of `times`, or a minute. */
  readonly step?: number
  readonly labels?: Labels
  /** A type, a type with options, or a detector; default `default`. */
  readonly detector?: string | Part | Detector
  /** Likewise; default `budget`. */
  readonly rule?: string | Part | Rule
  /** Likewise; default `merge` and `shape`. */
  readonly refine?: readonly (string | Part | Refiner)[]
}

/** An anomaly with its rows: values `from` … `to - 1`, the strangest at `at`. */
export interface DetectedAnomaly extends Anomaly {
  readonly from: number
  readonly to: number
  readonly at: number
}

/**
 * Finds what is not a tide in an array of numbers, each row judged by those before it. `null`, `undefined` and NaN are unknown. Throws
 * `InputError` when times do not ascend or do not fit the values, `TypeError` for an unknown type, a zod error for wrong options.
 *
 *     const anomalies = detect(values)
 *     for (const { from, to, sentence } of anomalies) console.log(from, to, sentence)
 */
export function detect(values: ArrayLike<number | null | undefined>, options: DetectOptions = {}): readonly DetectedAnomaly[] {
  if (typeof values?.length !== 'number') throw new InputError(`values must be an array of numbers, got ${typeof values}`)
  const known = Float64Array.from(values, value => value ?? NaN)
  const apart = options.step ?? MINUTE
  if (!(apart > 0 && Number.isFinite(apart))) throw new InputError(`step must be a positive number of ms, got ${apart}`)
  const frame = fromValues(options.times ?? Float64Array.from(known, (_, i) => i * apart), known, options.labels)
  const step = options.step ?? usualStep(frame.times)
  const name = typeof options.detector === 'string' ? options.detector : (partType(options.detector) ?? 'default')
  const examiner = {
    name,
    detector: isMade<Detector>(options.detector, 'detect')
      ? options.detector
      : create(detectors, asPart(options.detector ?? 'default'), undefined),
    rule: isMade<Rule>(options.rule, 'judge') ? options.rule : create(rules, asPart(options.rule ?? 'budget'), undefined),
  }
  const refine = (options.refine ?? ['merge', 'shape']).map(part =>
    isMade<Refiner>(part, 'refine') ? part : create(refiners, asPart(part), undefined),
  )
  const [{ anomalies }] = examine(frame, [examiner], refine, step)
  return anomalies.map(anomaly => {
    const rows = {
      from: rowAt(frame.times, anomaly.start),
      to: rowAt(frame.times, anomaly.end),
      at: rowAt(frame.times, anomaly.peak),
    }
    const sentence = options.times || anomaly.sentence === undefined ? anomaly.sentence : withRows(anomaly.sentence, rows)
    return { ...anomaly, ...rows, ...(sentence === undefined ? {} : { sentence }) }
  })
}

const TIMES = /(since|from)( \d{4}-\d\d-\d\d)? \d\d:\d\d(:\d\d)?( to( \d{4}-\d\d-\d\d)? \d\d:\d\d(:\d\d)?)? UTC/

/** Values without times have places: `from 1970-… to 1970-… UTC` becomes `at 500–503`. */
function withRows(sentence: string, { from, to }: { from: number; to: number }): string {
  const place = to - from > 1 ? `at ${from}–${to - 1}` : `at ${from}`
  return sentence.replace(TIMES, place)
}

function isMade<Made>(part: unknown, verb: string): part is Made {
  return typeof part === 'object' && part !== null && typeof (part as Record<string, unknown>)[verb] === 'function'
}

function asPart(part: string | Part | object): Part {
  return typeof part === 'string' ? { type: part } : (part as Part)
}

function partType(part: unknown): string | undefined {
  const type = (part as Partial<Part> | undefined)?.type
  return typeof type === 'string' ? type : undefined
}

function usualStep(times: ArrayLike<number>): number {
  const steps = Array.from({ length: Math.max(0, times.length - 1) }, (_, i) => times[i + 1] - times[i]).toSorted((a, b) => a - b)
  return steps.length > 0 ? steps[steps.length >> 1] : MINUTE
}
