import { DAY, HOUR, MINUTE, WEEK } from '../../src/duration.ts'
import { seededNormal, seededRandom } from './seeded-random.ts'
import type { BenchEntry, BenchSeries } from './series.ts'

/** What goes wrong. `calm` has nothing. */
export const KINDS = [
  'spike',
  'dip',
  'level shift',
  'drift',
  'variance',
  'season phase',
  'season amplitude',
  'missing',
  'calm',
] as const
export type Kind = (typeof KINDS)[number]

/** Strengths, in standard deviations of the noise where the kind is one of height. */
export const STRENGTHS = ['weak', 'medium', 'strong'] as const
export type Strength = (typeof STRENGTHS)[number]
const HEIGHT = { weak: 4, medium: 8, strong: 16 } as const
/** Hours that the day comes too late. */
const PHASE = { weak: 1, medium: 2, strong: 4 } as const
/** What is left of the tide. */
const AMPLITUDE = { weak: 0.7, medium: 0.4, strong: 0 } as const
/** Multiples of the usual noise. */
const VARIANCE = { weak: 2, medium: 3, strong: 6 } as const
/** Hours without a value. */
const MISSING = { weak: 0.25, medium: 1, strong: 6 } as const

/** Noise, as a part of the mean level; `heavy` has the tails of Student's t with three degrees of freedom. */
export const NOISES = ['quiet', 'loud', 'heavy'] as const
export type Noise = (typeof NOISES)[number]
const SPREAD = { quiet: 0.01, loud: 0.06, heavy: 0.02 } as const

export const SYNTHETIC_STEP = 5 * MINUTE
const START = Date.UTC(2024, 0, 1)
const TRAIN = 2 * WEEK
const LENGTH = 3 * WEEK
const LEVEL = 100
const SEEDS = [1, 2]

/** Every kind at every strength under every noise, from seeds: two weeks to learn from, then one with a single anomaly. */
export function listSynthetic(): BenchEntry[] {
  return KINDS.flatMap(kind =>
    (kind === 'calm' ? (['strong'] as const) : STRENGTHS).flatMap(strength =>
      NOISES.flatMap(noise =>
        SEEDS.map(seed => ({
          name: `${kind}, ${strength}, ${noise}, ${seed}`,
          load: async () => makeSynthetic(kind, strength, noise, seed),
        })),
      ),
    ),
  )
}

/** Reads back what a series is, from its name. */
export function synthesisOf(name: string): { kind: Kind; strength: Strength; noise: Noise } {
  const [kind, strength, noise] = name.split(', ') as [Kind, Strength, Noise]
  return { kind, strength, noise }
}

export function makeSynthetic(kind: Kind, strength: Strength, noise: Noise, seed: number): BenchSeries {
  const key = 1000 * seed + 100 * KINDS.indexOf(kind) + 10 * STRENGTHS.indexOf(strength) + NOISES.indexOf(noise)
  const random = seededRandom(key)
  const drawError = seededErrors(noise, key + 1)
  const rows = LENGTH / SYNTHETIC_STEP
  const trainRows = TRAIN / SYNTHETIC_STEP
  const perHour = HOUR / SYNTHETIC_STEP
  const perDay = DAY / SYNTHETIC_STEP
  const first = trainRows + perDay + Math.floor(random() * 4 * perDay)
  const span = spanOf(kind, strength, random, perHour)
  const times = Float64Array.from({ length: rows }, (_, i) => START + i * SYNTHETIC_STEP)
  const labels = new Uint8Array(rows)
  if (span > 0) labels.fill(1, first, first + span)
  const value = times.map((time, i) => {
    const error = drawError()
    return labels[i] ? strangeValue(kind, strength, (i - first) / span, time, noise, error) : calmValue(time, noise, error)
  })
  const name = `${kind}, ${strength}, ${noise}, ${seed}`
  return { set: 'synthetic', name, times, columns: { value }, labels, trainRows, step: SYNTHETIC_STEP }
}

/** Errors in standard deviations. A little of the last one stays, as in most metrics. */
export function seededErrors(noise: Noise, seed: number): () => number {
  const drawNoise = noise === 'heavy' ? seededHeavy(seed) : seededNormal(seed)
  let memory = 0
  return () => {
    memory = 0.3 * memory + Math.sqrt(1 - 0.3 ** 2) * drawNoise()
    return memory
  }
}

/** Level, tide and error, which is in standard deviations of the noise. */
export function calmValue(time: number, noise: Noise, error: number): number {
  return LEVEL + tide(time) + spreadOf(noise) * error
}

/** The value of a row inside an anomaly; `at` is its place there, from 0 to 1. */
export function strangeValue(kind: Kind, strength: Strength, at: number, time: number, noise: Noise, error: number): number {
  switch (kind) {
    case 'spike':
    case 'level shift':
      return calmValue(time, noise, error + HEIGHT[strength])
    case 'dip':
      return calmValue(time, noise, error - HEIGHT[strength])
    case 'drift':
      return calmValue(time, noise, error + 1.5 * HEIGHT[strength] * at)
    case 'variance':
      return LEVEL + tide(time) + spreadOf(noise) * VARIANCE[strength] * error
    case 'season phase':
      return LEVEL + tide(time - PHASE[strength] * HOUR) + spreadOf(noise) * error
    case 'season amplitude':
      return LEVEL + AMPLITUDE[strength] * tide(time) + spreadOf(noise) * error
    case 'missing':
      return NaN
    case 'calm':
      return calmValue(time, noise, error)
  }
}

function spreadOf(noise: Noise): number {
  return SPREAD[noise] * LEVEL
}

/** Rows of an anomaly: few where it is a matter of height alone, half a day and more where it is one of shape. */
export function spanOf(kind: Kind, strength: Strength, random: () => number, perHour: number): number {
  if (kind === 'calm') return 0
  if (kind === 'spike' || kind === 'dip') return 1 + Math.floor(3 * random())
  if (kind === 'missing') return MISSING[strength] * perHour
  if (kind === 'level shift' || kind === 'variance') return Math.floor((2 + 4 * random()) * perHour)
  return Math.floor((12 + 12 * random()) * perHour)
}

/** A day with a rise in the morning and a shoulder in the evening, lower at weekends. */
export function tide(time: number): number {
  const day = (2 * Math.PI * (time % DAY)) / DAY
  const weekday = Math.floor((time - START) / DAY) % 7
  const height = weekday >= 5 ? 0.6 : 1
  return height * (-30 * Math.cos(day) - 8 * Math.cos(2 * day - 1))
}

/** Student's t with three degrees of freedom, scaled to a standard deviation of 1. */
function seededHeavy(seed: number): () => number {
  const normal = seededNormal(seed)
  return () => {
    const chi = normal() ** 2 + normal() ** 2 + normal() ** 2
    return normal() / Math.sqrt(chi / 3) / Math.sqrt(3)
  }
}
