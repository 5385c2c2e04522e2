import { serialize } from 'node:v8'
import { seededRandom as openRandom } from '../src/math/random.ts'
import { likelihoodOptions, logLikelihood, openAnomalyLikelihood } from '../src/models/htm/anomaly-likelihood.ts'
import { buildDateEncoder } from '../src/models/htm/date-encoder.ts'
import { type HierarchyOptions, openHierarchy, openRegion, type RegionOptions } from '../src/models/htm/hierarchy.ts'
import { buildScalarEncoder } from '../src/models/htm/scalar-encoder.ts'
import type { BenchOptions, Row } from './bench.ts'
import { seededNormal, seededRandom } from './data/seeded-random.ts'
import type { BenchSeries } from './data/series.ts'
import { openSet } from './data/sets.ts'
import { NAB_PROFILES, probationRows, scoreNab } from './protocols/nab.ts'

export const summary = 'HTM: one region beside two, on breaks in the order of patterns and on files of NAB (--data)'

/** Rows of the lower region that the upper one sees at once. */
const STRETCH = 4
/** Rows of a word, words of a stream, and the share of them before the first break. */
const LENGTH = 12
const WORDS = 700
const LEARNING = 0.6
/** Of the later words that may break the order, but none soon after another break. */
const BREAKS = 0.1
const ORDERS = ['AABB', 'ABAC', 'ABACAD']
const SEEDS = [1, 2, 3]
const NOISES = [0.02, 0.1]
/** Two files of each kind that has anomalies, the shorter ones. */
const FILES = [
  'artificialWithAnomaly/art_daily_jumpsup.csv',
  'artificialWithAnomaly/art_daily_nojump.csv',
  'realAWSCloudwatch/ec2_cpu_utilization_24ae8d.csv',
  'realAWSCloudwatch/rds_cpu_utilization_cc0c53.csv',
  'realAdExchange/exchange-2_cpc_results.csv',
  'realAdExchange/exchange-4_cpm_results.csv',
  'realKnownCause/ambient_temperature_system_failure.csv',
  'realKnownCause/nyc_taxi.csv',
  'realTraffic/TravelTime_451.csv',
  'realTraffic/speed_7578.csv',
  'realTweets/Twitter_volume_AMZN.csv',
  'realTweets/Twitter_volume_UPS.csv',
]

const POOLER = { active: 40, potential: 0.8, connected: 0.2, increment: 0.003, decrement: 0.0005 }
const MEMORY = {
  activation: 13,
  minimum: 10,
  growth: 20,
  initial: 0.21,
  connected: 0.2,
  increment: 0.1,
  decrement: 0.05,
  punishment: 0.005,
  segmentsPerCell: 64,
  synapsesPerSegment: 40,
  segments: 20_000,
}

export async function run({ data }: BenchOptions): Promise<readonly Row[]> {
  return [...runStreams(), ...(await runNab(data))]
}

function optionsFor(inputs: number, columns: number, cells: number): HierarchyOptions {
  const lower: RegionOptions = { pooler: { ...POOLER, inputs, columns }, memory: { ...MEMORY, columns, cells } }
  return {
    lower,
    upper: {
      pooler: { ...POOLER, columns: columns / 4, active: 20, potential: 0.5, increment: 0.01, decrement: 0.002 },
      memory: { ...MEMORY, columns: columns / 4, cells, activation: 9, minimum: 7, growth: 14 },
    },
    rows: STRETCH,
    bits: 2048,
    pooled: 'active',
  }
}

/** Surprise of each row by both regions, the upper one's kept for the rows until its next, and ms a row of both and, where asked, of one region alone. */
function goThrough(options: HierarchyOptions, inputs: readonly Uint8Array[], timesOne: boolean) {
  const alone = openRegion(options.lower, openRandom(1))
  let start = process.cpuUsage()
  if (timesOne) for (const input of inputs) alone.step(input, true)
  const one = timesOne ? msSince(start) / inputs.length : NaN
  const hierarchy = openHierarchy(options, openRandom(1))
  const lower = new Float64Array(inputs.length)
  const upper = new Float64Array(inputs.length)
  start = process.cpuUsage()
  for (const [row, input] of inputs.entries()) {
    const surprise = hierarchy.step(input, true)
    lower[row] = surprise.lower
    upper[row] = Number.isNaN(surprise.upper) ? (upper[row - 1] ?? 0) : surprise.upper
  }
  const both = msSince(start) / inputs.length
  const state = hierarchy.state()
  const bytes = { one: serialize(state.lower).length, both: serialize(state).length }
  return { lower, upper, one, both, bytes }
}

function msSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

function runStreams(): Row[] {
  const rows: Row[] = []
  const costs: { one: number; both: number; bytes: { one: number; both: number } }[] = []
  for (const noise of NOISES) {
    const areas: Record<string, number[]> = { 'lower region': [], 'upper region': [], 'sum of both': [] }
    for (const order of ORDERS) {
      for (const seed of SEEDS) {
        const { values, isBroken } = makeStream(order, noise, seed)
        const encoder = buildScalarEncoder(
          { size: 400, active: 21, resolution: 0.01, offset: 0.5, buckets: 200 },
          openRandom(seed),
        )
        const inputs = Array.from(values, value => {
          const input = new Uint8Array(encoder.size)
          encoder.encode(value, input)
          return input
        })
        const gone = goThrough(optionsFor(encoder.size, 2048, 16), inputs, seed === SEEDS[0])
        if (seed === SEEDS[0]) costs.push(gone)
        const judged = isBroken.flatMap((_, word) =>
          word >= LEARNING * WORDS && !isBroken[word - 1] && !isBroken[word - 2] ? [word] : [],
        )
        const most = (surprises: Float64Array, word: number) =>
          Math.max(...surprises.subarray(word * LENGTH + STRETCH - 1, (word + 1) * LENGTH))
        const lower = judged.map(word => Math.max(...gone.lower.subarray(word * LENGTH, (word + 1) * LENGTH)))
        const upper = judged.map(word => most(gone.upper, word))
        const labels = judged.map(word => isBroken[word])
        areas['lower region'].push(areaUnder(lower, labels))
        areas['upper region'].push(areaUnder(upper, labels))
        areas['sum of both'].push(
          areaUnder(
            lower.map((share, i) => share + upper[i]),
            labels,
          ),
        )
      }
    }
    for (const [of, values] of Object.entries(areas)) {
      rows.push({ name: `htm order of patterns, noise ${noise}, ${of}: ROC area`, value: meanOf(values), unit: '' })
    }
  }
  return [...rows, ...describeCosts('htm order of patterns', costs)]
}

function describeCosts(name: string, costs: readonly { one: number; both: number; bytes: { one: number; both: number } }[]) {
  const peer = 'one region'
  const one = meanOf(costs.map(cost => cost.one))
  const both = meanOf(costs.map(cost => cost.both))
  const bytes = { one: meanOf(costs.map(cost => cost.bytes.one)), both: meanOf(costs.map(cost => cost.bytes.both)) }
  return [
    { name: `${name}, two regions: time of a row`, value: both, unit: 'ms', peer, ratio: one / both },
    { name: `${name}, two regions: snapshot`, value: bytes.both, unit: 'bytes', peer, ratio: bytes.one / bytes.both },
  ]
}

/**
 * Words of random values in a cyclic order. In the last part some words come out of order, but only such as followed the word before them elsewhere:
 * no row and no pair of words is new, only their order. After a break the order goes on from there.
 */
function makeStream(order: string, noise: number, seed: number) {
  const random = seededRandom(seed)
  const normal = seededNormal(seed + 100)
  const shapes = new Map([...new Set(order)].map(word => [word, Array.from({ length: LENGTH }, random)]))
  const words: string[] = []
  const isBroken: boolean[] = []
  for (let at = 0; words.length < WORDS; at++) {
    const quiet = !isBroken.slice(-2 * order.length).includes(true)
    const others = [...order].flatMap((word, place) =>
      word !== order[at % order.length] && order.at(place - 1) === words.at(-1) ? [place] : [],
    )
    const breaks = words.length >= LEARNING * WORDS && quiet && others.length > 0 && random() < BREAKS
    if (breaks) at = others[Math.floor(random() * others.length)]
    words.push(order[at % order.length])
    isBroken.push(breaks)
  }
  const values = Float64Array.from(
    { length: WORDS * LENGTH },
    (_, row) => shapes.get(words[Math.floor(row / LENGTH)])![row % LENGTH] + noise * normal(),
  )
  return { values, isBroken }
}

/** Share of pairs of a broken and a whole word in which the broken one is more surprising; ties count half. */
function areaUnder(scores: readonly number[], labels: readonly boolean[]): number {
  let won = 0
  let pairs = 0
  for (let i = 0; i < scores.length; i++) {
    if (!labels[i]) continue
    for (let j = 0; j < scores.length; j++) {
      if (labels[j]) continue
      pairs++
      won += scores[i] > scores[j] ? 1 : scores[i] === scores[j] ? 0.5 : 0
    }
  }
  return won / pairs
}

async function runNab(data: string | undefined): Promise<Row[]> {
  const entries = await openSet('nab', data)
  if (!entries) {
    console.error('htm hierarchy: NAB was not run, --data must name the folder of the data sets')
    return []
  }
  const scored: Record<string, { name: string; scores: Float64Array; windows: NonNullable<BenchSeries['windows']> }[]> = {
    'lower region': [],
    'upper region': [],
    'greater of both': [],
  }
  const costs = []
  for (const entry of entries.filter(({ name }) => FILES.includes(name))) {
    const { times, columns, windows = [] } = await entry.load()
    const [values] = Object.values(columns)
    const gone = goThrough(optionsFor(454, 2048, 32), encodeSeries(times, values), true)
    costs.push(gone)
    const lower = judge(gone.lower, values)
    const upper = judge(gone.upper, values)
    const greater = lower.map((score, row) => Math.max(score, upper[row]))
    for (const [of, scores] of Object.entries({ 'lower region': lower, 'upper region': upper, 'greater of both': greater })) {
      scored[of].push({ name: entry.name, scores, windows })
    }
  }
  const rows = Object.entries(scored).map(([of, files]) => ({
    name: `htm ${files.length} files of NAB, ${of}: standard`,
    value: scoreNab(files, NAB_PROFILES.standard).score,
    unit: '',
  }))
  return [...rows, ...describeCosts(`htm ${costs.length} files of NAB`, costs)]
}

/** Value and time of day, as the Numenta Anomaly Benchmark encodes them; the range is that of the probation. */
export function encodeSeries(times: Float64Array, values: Float64Array): Uint8Array[] {
  const probation = values.subarray(0, probationRows(values.length)).filter(value => !Number.isNaN(value))
  const range =
    probation.reduce((most, value) => Math.max(most, value)) - probation.reduce((least, value) => Math.min(least, value))
  const resolution = Math.max(0.001, (1.4 * range) / 130)
  const scalar = buildScalarEncoder({ size: 400, active: 21, resolution, offset: probation[0], buckets: 1000 }, openRandom(1))
  const date = buildDateEncoder({ timeOfDay: { size: 54, active: 21 } })
  return Array.from(values, (value, row) => {
    const input = new Uint8Array(scalar.size + date.size)
    if (!Number.isNaN(value)) scalar.encode(value, input)
    date.encode(times[row], input, scalar.size)
    return input
  })
}

function judge(surprises: Float64Array, values: Float64Array): Float64Array {
  const likelihood = openAnomalyLikelihood(likelihoodOptions(probationRows(values.length)))
  return surprises.map((surprise, row) => logLikelihood(likelihood.update(surprise, values[row])))
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
