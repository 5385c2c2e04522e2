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
  return [...measure('a hundred families', 100, 7), ...measure('one family with gaps', 1, 1)]
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
