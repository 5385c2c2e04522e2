import type { Frame } from '../../src/frame/frame.ts'
import { median } from '../../src/math/median.ts'
import { seededRandom } from '../data/seeded-random.ts'
import type { BenchSeries } from '../data/series.ts'
import { makeDetector, pickDetector } from './pick-detector.ts'
import type { Scored } from './scored.ts'

/** Scorers that stand beside every detector: what must be beaten. */
export const YARDSTICKS = ['mean-absolute-z', 'random'] as const

/** Errors of the naive twin count at most so much, as in the reference rows. */
const CLIP = 20

/** A score for every row of the series. */
export async function scoreSeries(series: BenchSeries, detector: string): Promise<Scored> {
  if (detector === 'random') return { score: scoreRandom(series), seconds: 0 }
  if (detector === 'mean-absolute-z') return { score: scoreNaive(series), seconds: 0 }
  const { times, columns } = series
  const made = await makeDetector(pickDetector(detector), Object.keys(columns).length)
  const frame: Frame = { labels: {}, times, columns }
  const start = performance.now()
  const said: Readonly<Record<string, Float64Array>> = made.detect(frame, {
    start: times[0],
    end: times[times.length - 1] + 1,
  }).columns
  const seconds = (performance.now() - start) / 1000
  return { score: said.score!, ...(said.alarm ? { alarm: said.alarm } : {}), seconds }
}

function scoreRandom({ name, times }: BenchSeries): Float64Array {
  const random = seededRandom([...name].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 4_294_967_296, 7))
  return Float64Array.from(times, () => random())
}

/**
 * |value − training mean| / training standard deviation, the mean of all columns, each clipped; of a single column unclipped and from the median.
 */
function scoreNaive({ times, columns, trainRows }: BenchSeries): Float64Array {
  const all = Object.values(columns)
  const out = new Float64Array(times.length)
  for (const column of all) {
    const train = column.subarray(0, trainRows).filter(value => !Number.isNaN(value))
    const mean = train.reduce((a, b) => a + b, 0) / Math.max(1, train.length)
    const sd = Math.sqrt(train.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, train.length))
    const center = all.length === 1 ? median(train) : mean
    const clip = all.length === 1 ? Infinity : CLIP
    for (let i = 0; i < out.length; i++)
      out[i] += Math.min(clip, Math.abs(column[i] - center) / (sd < 1e-8 ? 1 : sd)) / all.length
  }
  return out
}
