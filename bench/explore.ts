import { pageOf } from '../src/cli/explore/page.ts'
import { type ExploreOptions, explore } from '../src/cli/explore/report.ts'
import { MINUTE } from '../src/duration.ts'
import { correlateAt } from '../src/math/correlate-at.ts'
import { seededRandom } from '../src/math/random.ts'
import type { Row } from './bench.ts'

export const summary = 'explore 500 series of 10,000 rows: all seasons, all pairs, all lags'

const SERIES = 500
const ROWS = 10_000
const GOAL = 30
const OPTIONS: ExploreOptions = { basis: 'residual', rank: false, least: 0.5, redundant: 0.9 }

export async function run(): Promise<readonly Row[]> {
  // Families of five, and all of one kind with gaps: then every pair is counted anew.
  return [...measure('a hundred families', 100, 7), ...measure('one family with gaps', 1, 1), ...countFalse()]
}

/** A series that has nothing to do with any other. */
type Make = (rows: number, noise: () => number, random: () => number) => Float64Array

const remembering =
  (share: number): Make =>
  (rows, noise) => {
    let level = 0
    return Float64Array.from({ length: rows }, () => (level = share * level + noise()))
  }

const UNRELATED: Readonly<Record<string, Make>> = {
  noise: remembering(0),
  'short memory': remembering(0.6),
  'long memory': remembering(0.95),
  'random walk': remembering(1),
  'heavy tails': (rows, noise) => Float64Array.from({ length: rows }, () => noise() / Math.abs(noise())),
  steps: (rows, noise, random) => {
    let level = 0
    return Float64Array.from({ length: rows }, () => (random() < 0.01 ? (level = noise()) : level) + 0.1 * noise())
  },
  gaps: (rows, noise, random) => remembering(0.6)(rows, noise, random).map(value => (random() < 0.3 ? NaN : value)),
  'common day': (rows, noise, random) => {
    const size = 3 + 15 * random()
    return remembering(0.8)(rows, noise, random).map((value, i) => value + size * Math.sin((2 * Math.PI * i) / 288))
  },
  'one event': (rows, noise, random) => {
    const start = Math.floor(random() * rows)
    return Float64Array.from({ length: rows }, (_, i) => noise() + (i >= start && i < start + 20 ? 30 : 0))
  },
  'rare spikes': (rows, _, random) => Float64Array.from({ length: rows }, () => (random() < 0.01 ? 10 * random() : 0)),
}
const LENGTHS = [100, 400, 1500]
const SETS = 12

/** Sets of thirty unrelated series in which any pair is told, at any strength: one in a hundred is allowed. */
function countFalse(): Row[] {
  return Object.entries(UNRELATED).map(([kind, make], k): Row => {
    let wrong = 0
    for (const rows of LENGTHS)
      for (let set = 0; set < SETS; set++) {
        const series = Array.from({ length: 30 }, (_, i) => {
          const random = seededRandom(1e6 * (k + 1) + 1e4 * set + 10 * rows + i)
          const noise = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
          return { labels: { __name__: `s${i}` }, read: 'value' as const, values: make(rows, noise, () => random.next()) }
        })
        const times = Float64Array.from({ length: rows }, (_, i) => i * 5 * MINUTE)
        const { pairs } = explore({ series, times, step: 5 * MINUTE, late: 2, names: [], warnings: [] }, { ...OPTIONS, least: 0 })
        if (pairs.length > 0) wrong++
      }
    return { name: `unrelated, ${kind}: sets with a pair`, value: wrong, unit: `of ${LENGTHS.length * SETS}` }
  })
}

function measure(name: string, families: number, gapsIn: number): Row[] {
  const collection = collect(families, gapsIn)
  const clock = performance.now()
  const cpu = process.cpuUsage()
  const report = explore(collection, OPTIONS)
  const page = pageOf(report, { title: name, now: 0 })
  const seconds = (performance.now() - clock) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const pairs = (SERIES * (SERIES - 1)) / 2
  const naive = timeNaive(collection.series[1].values, collection.series[2].values, report.reach) * pairs
  return [
    {
      name: `${name}: explored`,
      value: seconds,
      unit: 's',
      goal: GOAL,
      met: seconds < GOAL,
      peer: 'each pair at each lag',
      ratio: naive / seconds,
    },
    { name: `${name}: processor time`, value: (user + system) / 1e6, unit: 's' },
    { name: `${name}: page`, value: page.length / 1e6, unit: 'MB' },
  ]
}

function collect(families: number, gapsIn: number) {
  const random = seededRandom(1)
  const noise = () => random.next() + random.next() + random.next() - 1.5
  const common = Array.from({ length: families }, () => {
    let level = 0
    return Float64Array.from({ length: ROWS }, () => (level = 0.7 * level + noise()))
  })
  const series = Array.from({ length: SERIES }, (_, s) => ({
    labels: { __name__: `family_${s % families}`, instance: String(s) },
    read: 'value' as const,
    values: Float64Array.from({ length: ROWS }, (_, i) => {
      if (s % gapsIn === 0 && random.next() < 0.02) return NaN
      const day = s % 3 === 0 ? 5 * Math.sin((2 * Math.PI * i) / 1440) : 0
      return 100 + 3 * common[s % families][i] + day + 0.3 * noise()
    }),
  }))
  const times = Float64Array.from({ length: ROWS }, (_, i) => i * MINUTE)
  return { series, times, step: MINUTE, late: 2, names: [], warnings: [] }
}

/** Seconds of the obvious way for one pair. */
function timeNaive(x: Float64Array, y: Float64Array, reach: number): number {
  const start = performance.now()
  for (let lag = -reach; lag <= reach; lag++) correlateAt(x, y, lag)
  return (performance.now() - start) / 1000
}
