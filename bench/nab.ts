import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BenchOptions, Row } from './bench.ts'
import { findSet, readNab } from './data/nab.ts'
import { readTarGz } from './data/tar.ts'
import type { NabFile } from './protocols/nab.ts'
import { NAB_PROFILES, scoreNab, scoreNabWithCoolDown } from './protocols/nab.ts'
import { YARDSTICKS } from './scoring/score-series.ts'
import { scoreSet } from './scoring/score-set.ts'
import { alarmOf } from './scoring/scored.ts'

export const summary =
  'Numenta Anomaly Benchmark 1.1, causal (--data DIR, --detector TYPE, --golden checks the scorer on published results)'

export const GOALS: Readonly<Record<string, number>> = { standard: 77, 'low FP': 69, 'low FN': 82 }
/** What each detector is held to; the others are only measured. */
const GOALS_OF: Readonly<Record<string, Readonly<Record<string, number>>>> = { default: GOALS, htm: { standard: 70 } }
/** Best public entry, in the same profiles: ARTime, which knows the range of the whole file; low FP is CAD OSE's. */
export const RECORD: Readonly<Record<string, number>> = { standard: 74.85, 'low FP': 66.98, 'low FN': 80.36 }
/** Silence after an alert, as part of the probation. */
export const COOL_DOWN = 0.1

/** What the original scorer says of the two published results that come with the data. */
const GOLDEN: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  numentaTM: { standard: 64.5535, 'low FP': 56.6653, 'low FN': 69.3761 },
  randomCutForest: { standard: 51.7171, 'low FP': 38.3608, 'low FN': 59.7488 },
}

export async function run(options: BenchOptions): Promise<readonly Row[]> {
  const { data, detector = 'default', jobs } = options
  const folder = findSet(data, 'nab', 'combined_windows.json')
  if (folder === undefined) {
    console.error('nab: not run, --data must name the folder of the data sets')
    return []
  }
  if (options.golden) return checkGolden(folder)
  const rows: Row[] = []
  for (const name of [detector, ...YARDSTICKS])
    for (const [way, scores] of Object.entries<NabScores['plain']>({ ...(await measureNab(folder, name, jobs)) }))
      for (const [profile, value] of Object.entries<number>(scores)) {
        const against = name === detector ? compare(value, profile, GOALS_OF[name]?.[profile]) : {}
        rows.push({ name: `nab ${name}: ${profile}${way === 'plain' ? '' : SILENT}`, value, unit: 'points', ...against })
      }
  return rows
}

const SILENT = `, cool-down of ${COOL_DOWN} probations`

/** Points by profile: as the detector says it, and with a silence after each alert. */
export interface NabScores {
  readonly plain: Readonly<Record<string, number>>
  readonly coolDown: Readonly<Record<string, number>>
}

/** Points of a detector's alarms. */
export async function measureNab(folder: string, detector: string, jobs?: number): Promise<NabScores> {
  const scored = await scoreSet('nab', folder, detector, jobs)
  const files = await nabFiles(folder, new Map([...scored!].map(([name, said]) => [name, alarmOf(said)])))
  const profiles = Object.entries(NAB_PROFILES)
  return {
    plain: Object.fromEntries(profiles.map(([name, profile]) => [name, scoreNab(files, profile).score])),
    coolDown: Object.fromEntries(
      profiles.map(([name, profile]) => [name, scoreNabWithCoolDown(files, profile, COOL_DOWN).score]),
    ),
  }
}

function compare(value: number, profile: string, goal: number | undefined): Partial<Row> {
  const held = goal === undefined ? {} : { goal, met: value >= goal }
  return { ...held, peer: 'public record', ratio: value / RECORD[profile]! }
}

/** The corpus with these scores; undecided rows say 0, the lowest score. */
export async function nabFiles(folder: string, scores: ReadonlyMap<string, Float64Array>): Promise<NabFile[]> {
  return Promise.all(
    (await readNab(folder)).map(async ({ name, load }) => {
      const { windows } = await load()
      return { name, windows: windows!, scores: scores.get(name)!.map(score => (score > 0 ? score : 0)) }
    }),
  )
}

/** Scores the published results and holds them to what the original scorer says, to four decimals. */
export async function checkGolden(folder: string): Promise<Row[]> {
  const rows: Row[] = []
  for (const [detector, goals] of Object.entries(GOLDEN)) {
    const archive = readTarGz(await readFile(join(folder, 'golden', `${detector}.tar.gz`)))
    const scores = new Map((await readNab(folder)).map(({ name }) => [name, readScores(archive, detector, name)]))
    const files = await nabFiles(folder, scores)
    for (const [profile, weights] of Object.entries(NAB_PROFILES)) {
      const value = scoreNab(files, weights).score
      const goal = goals[profile]!
      rows.push({
        name: `nab published ${detector}: ${profile}`,
        value,
        unit: 'points',
        goal,
        met: value.toFixed(4) === goal.toFixed(4),
      })
    }
  }
  return rows
}

function readScores(archive: ReadonlyMap<string, Buffer>, detector: string, name: string): Float64Array {
  const path = `${detector}/${name.replace('/', `/${detector}_`)}`
  const text = archive.get(path)
  if (!text) throw new RangeError(`the archive must have ${path}`)
  const [header, ...lines] = text.toString('utf8').trim().split('\n')
  const at = header!.split(',').indexOf('anomaly_score')
  return Float64Array.from(lines, line => Number(line.split(',')[at]))
}
