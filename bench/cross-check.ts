import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { MULTIVARIATE_TUNING } from '../src/detectors/combining/open-multivariate.ts'
import { UNIVARIATE_TUNING } from '../src/detectors/combining/univariate.ts'
import type { BenchOptions, Row } from './bench.ts'
import { findSet } from './data/nab.ts'
import { seededRandom } from './data/seeded-random.ts'
import type { BenchSeries } from './data/series.ts'
import { segmentsOf } from './data/series.ts'
import { GOALS } from './labelled.ts'
import { COOL_DOWN, GOALS as NAB_GOALS, nabFiles } from './nab.ts'
import { acfPeriod } from './protocols/acf-period.ts'
import { NAB_PROFILES, scoreNabWithCoolDown } from './protocols/nab.ts'
import { meanOf } from './protocols/order.ts'
import { vus } from './protocols/vus.ts'
import { openEntries } from './scoring/open-entries.ts'
import { fingerprint, pickDetector } from './scoring/pick-detector.ts'
import { scoreSet } from './scoring/score-set.ts'
import type { Scored } from './scoring/scored.ts'
import { alarmOf } from './scoring/scored.ts'

export const summary =
  'constants of the default chosen without one data set and measured on it (--data DIR; --seed N draws other factors)'

const CACHE = resolve(import.meta.dirname, '../.tidewatch/bench/cross-check')
const DETECTOR = join(import.meta.dirname, 'tuned-default.ts')
/** Widest buffer of VUS for frames of several columns. */
const WIDTH = 100
/** Without a seed; each constant is multiplied by these, the others kept. */
const FACTORS = [0.7, 1.4] as const
/** What the ranking score of one metric is made of; the other constants only move its alarm, which VUS-PR does not look at. */
const OF_SCORE: readonly string[] = ['season', 'day', 'level', 'beyond', 'smooth'] satisfies (keyof typeof UNIVARIATE_TUNING)[]
const WHOLE: readonly string[] = ['univariate.smooth']

/** Those that take longest come last. */
const SETS = ['nab', 'asd', 'smd', 'aiops'] as const
type CheckedSet = (typeof SETS)[number]
const METRICS: Readonly<Record<CheckedSet, string>> = {
  nab: 'NAB standard, cool-down',
  aiops: 'AIOPS VUS-PR',
  smd: 'SMD VUS-PR',
  asd: 'ASD VUS-PR',
}

/** One constant moved. */
export interface Variant {
  /** `univariate.hold × 0.70`; empty when nothing is moved. */
  readonly name: string
  readonly tuning: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** The sets whose figure it can change. */
  readonly sets: readonly CheckedSet[]
}

/** Figures of a variant on a set: over all of its series, and over those at odd and at even places. */
export interface Figures {
  readonly all: number
  readonly odd: number
  readonly even: number
}
export type Measurements = ReadonlyMap<Variant, Readonly<Partial<Record<CheckedSet, Figures>>>>

/** Nothing moved first, then every constant, twice. */
export function listVariants(seed?: number): Variant[] {
  const random = seed === undefined ? undefined : seededRandom(seed)
  const groups = [
    ['univariate', UNIVARIATE_TUNING, ['nab', 'aiops']],
    ['multivariate', MULTIVARIATE_TUNING, ['smd', 'asd']],
  ] as const
  const moved = groups.flatMap(([group, tuning, sets]) =>
    Object.entries<number>({ ...tuning }).flatMap(([constant, value]) =>
      FACTORS.map((fixed, i): Variant => {
        const factor = random ? 2 ** ((i === 0 ? -1 : 1) * (0.25 + 0.75 * random())) : fixed
        const name = `${group}.${constant}`
        const next = WHOLE.includes(name) ? Math.round(value * factor) : value * factor
        return {
          name: `${name} × ${factor.toFixed(2)}`,
          tuning: { [group]: { [constant]: next } },
          sets: group === 'univariate' && !OF_SCORE.includes(constant) ? ['nab'] : sets,
        }
      }),
    ),
  )
  return [{ name: '', tuning: {}, sets: SETS }, ...moved]
}

/**
 * The variant that is best on some figures, each in units of that of the defaults, in the mean; among those that can change the figure in
 * question. Sets that a variant cannot change count as they are by default.
 */
export function choose(
  measured: Measurements,
  changing: CheckedSet,
  pick: (figures: Figures, set: CheckedSet) => number,
): Variant {
  const [defaults] = measured.keys()
  const standard = measured.get(defaults!)!
  let best = defaults!
  let most = 1
  for (const [variant, figures] of measured) {
    if (!variant.sets.includes(changing)) continue
    const ratios = SETS.map(set => {
      const there = pick(standard[set]!, set)
      return Number.isNaN(there) ? NaN : pick(figures[set] ?? standard[set]!, set) / there
    })
    const mean = meanOf(ratios.filter(ratio => !Number.isNaN(ratio)))
    if (mean > most) {
      most = mean
      best = variant
    }
  }
  return best
}

export async function run({ data, jobs = 2, seed }: BenchOptions): Promise<readonly Row[]> {
  const folder = findSet(data, 'nab', 'combined_windows.json')
  if (folder === undefined) {
    console.error('cross-check: not run, --data must name the folder of the data sets')
    return []
  }
  const variants = listVariants(seed)
  const measured = new Map<Variant, Partial<Record<CheckedSet, Figures>>>(variants.map(variant => [variant, {}]))
  const tasks = SETS.flatMap(set => variants.filter(({ sets }) => sets.includes(set)).map(variant => ({ set, variant }))).values()
  // Each lane has one thread at a time; figures are made here meanwhile.
  const runLane = async (): Promise<void> => {
    for (const { set, variant } of tasks) {
      const figures = await recall(variant, set, () =>
        set === 'nab' ? measureNab(folder, variant) : measureLabelled(set, data, variant),
      )
      if (figures) measured.get(variant)![set] = figures
    }
  }
  await Promise.all(Array.from({ length: jobs }, runLane))
  return tell(measured)
}

/** Figures as they were kept on disk for the same code and constants, or made now and kept. */
async function recall(variant: Variant, set: CheckedSet, make: () => Promise<Figures | undefined>): Promise<Figures | undefined> {
  const file = join(CACHE, `${fingerprint(pickDetector(nameOf(variant)))}-${set}.json`)
  if (existsSync(file)) return JSON.parse(await readFile(file, 'utf8'))
  const figures = await make()
  if (!figures) return undefined
  await mkdir(CACHE, { recursive: true })
  await writeFile(file, JSON.stringify(figures))
  return figures
}

async function measureNab(folder: string, variant: Variant): Promise<Figures> {
  const scored = await scoreSet('nab', folder, nameOf(variant), 1)
  const files = await nabFiles(folder, new Map([...scored!].map(([name, said]) => [name, alarmOf(said)])))
  return halve(files, part => scoreNabWithCoolDown(part, NAB_PROFILES.standard!, COOL_DOWN).score)
}

async function measureLabelled(set: CheckedSet, data: string | undefined, variant: Variant): Promise<Figures | undefined> {
  const scored = await scoreSet(set, data, nameOf(variant), 1)
  if (!scored) return undefined
  const values: number[] = []
  for (const { name, load } of (await openEntries(set, data))!) values.push(measureVus(await load(), scored.get(name)!))
  return halve(values, part => meanOf(part.filter(value => !Number.isNaN(value))))
}

/** As the benches of the sets measure it; NaN without an anomaly in the test part. */
function measureVus({ columns, labels, trainRows }: BenchSeries, { score }: Scored): number {
  const truth = labels.subarray(trainRows)
  if (segmentsOf(truth).length === 0) return NaN
  const all = Object.values(columns)
  return vus(score.subarray(trainRows), truth, all.length > 1 ? WIDTH : acfPeriod(all[0]!)).pr
}

function halve<Series>(series: readonly Series[], measure: (part: readonly Series[]) => number): Figures {
  return {
    all: measure(series),
    odd: measure(series.filter((_, i) => i % 2 === 0)),
    even: measure(series.filter((_, i) => i % 2 === 1)),
  }
}

function nameOf({ tuning }: Variant): string {
  return JSON.stringify({ type: DETECTOR, ...tuning })
}

function tell(measured: Measurements): Row[] {
  const [defaults] = measured.keys()
  const standard = measured.get(defaults!)!
  const rows: Row[] = []
  for (const set of SETS) {
    const unit = set === 'nab' ? 'points' : ''
    const goal = set === 'nab' ? NAB_GOALS.standard! : GOALS[set]!.goal
    const of = (variant: Variant): Figures => measured.get(variant)![set] ?? standard[set]!
    const say = (name: string, value: number, held = false): void => {
      rows.push({ name: `${METRICS[set]}: ${name}`, value, unit, ...(held ? { goal, met: value >= goal } : {}) })
    }
    const named = ({ name }: Variant) => (name === '' ? 'the defaults' : name)
    say('the defaults', of(defaults!).all, true)
    const changing = [...measured.keys()].filter(variant => variant.sets.includes(set))
    const all = changing.map(variant => of(variant).all)
    say('least of one constant moved', Math.min(...all))
    say('greatest of one constant moved', Math.max(...all))
    const elsewhere = choose(measured, set, (figures, other) => (other === set ? NaN : figures.all))
    say(`chosen without it (${named(elsewhere)})`, of(elsewhere).all, true)
    for (const [from, to] of [
      ['odd', 'even'],
      ['even', 'odd'],
    ] as const) {
      const chosen = choose(measured, set, (figures, other) => (other === set ? figures[from] : NaN))
      say(`${to} series, the defaults`, of(defaults!)[to])
      say(`${to} series, chosen on the ${from} ones (${named(chosen)})`, of(chosen)[to])
    }
  }
  for (const [variant, figures] of measured)
    for (const set of variant.sets)
      if (variant !== defaults && figures[set])
        rows.push({ name: `${METRICS[set]}: ${variant.name}`, value: figures[set].all, unit: set === 'nab' ? 'points' : '' })
  return rows
}
