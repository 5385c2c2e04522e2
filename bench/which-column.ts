import type { Detector } from '../src/detectors/detector.ts'
import { detectors } from '../src/detectors/index.ts'
import { DAY, MINUTE } from '../src/duration.ts'
import type { BenchOptions, Row } from './bench.ts'
import { seededNormal } from './data/seeded-random.ts'

export const summary =
  'how often the column that was disturbed alone has the largest share in the score, and how large it is (--only TYPE for one)'

const COLUMNS = 8
const ROWS = 3000
const STEP = 5 * MINUTE
/** Rows that are only learned; later every so many are judged disturbed, and learned as they are. */
const CALM = 2000
const EVERY = 25
/** In deviations of a column's noise: within what the day does to it, and far beyond. */
const SIZES = { 'inside its range': 8, 'far outside': 60 }

/** Eight columns of different size ride on one day, each with noise of its own; one at a time is moved. */
export async function run({ only }: BenchOptions): Promise<readonly Row[]> {
  const found: Row[] = []
  for (const { type, config, create } of Object.values(detectors)) {
    if (only !== undefined && only !== type) continue
    const options = config.safeParse({})
    const detector = options.success ? create(options.data) : undefined
    if (detector?.multivariate)
      for (const [name, size] of Object.entries(SIZES)) found.push(...disturb(detector, `${type}: ${name}`, size))
  }
  return found
}

function disturb(detector: Detector, name: string, size: number): Row[] {
  const stream = detector.open!()
  const next = seededNormal(1)
  let asked = 0
  let explained = 0
  let first = 0
  let shares = 0
  for (let i = 0; i < ROWS; i++) {
    const time = i * STEP
    const tide = 20 * Math.sin((2 * Math.PI * time) / DAY)
    const row = Float64Array.from({ length: COLUMNS }, (_, c) => (c + 1) * (100 + tide + next()))
    if (i >= CALM && i % EVERY === 0) {
      const disturbed = (i / EVERY) % COLUMNS
      const moved = row.slice()
      moved[disturbed] += (Math.floor(i / EVERY / COLUMNS) % 2 === 0 ? 1 : -1) * size * (disturbed + 1)
      const contributions = stream.score(time, moved).contributions!
      const sum = contributions.reduce((a, b) => a + b, 0)
      asked++
      if (sum > 0) {
        explained++
        shares += contributions[disturbed] / sum
        if (contributions[disturbed] === Math.max(...contributions)) first++
      }
    }
    stream.learn(time, row)
  }
  return [
    { name: `${name}, first of those with shares`, value: explained > 0 ? (100 * first) / explained : NaN, unit: '%' },
    { name: `${name}, mean share`, value: explained > 0 ? (100 * shares) / explained : NaN, unit: '%' },
    { name: `${name}, with shares`, value: (100 * explained) / asked, unit: '%' },
  ]
}
