import { seededRandom as openRandom } from '../src/math/random.ts'
import { buildCellBits } from '../src/models/htm/cell-bits.ts'
import { generateCells } from '../src/models/htm/generate.ts'
import { openRegion, type RegionOptions } from '../src/models/htm/hierarchy.ts'
import { openSdrClassifier } from '../src/models/htm/sdr-classifier.ts'
import { openValueBuckets } from '../src/models/htm/value-buckets.ts'
import type { BenchOptions, Row } from './bench.ts'
import { seededNormal } from './data/seeded-random.ts'
import { openSet } from './data/sets.ts'
import { encodeSeries } from './htm-hierarchy.ts'
import { probationRows } from './protocols/nab.ts'

export const summary = 'HTM: values rows ahead, by classifier and by generation, beside the last value and that of a day ago'

const AHEAD = [1, 3, 12]
const FILES = ['realKnownCause/nyc_taxi.csv', 'realAWSCloudwatch/elb_request_count_8c0756.csv']
/** As numentaTM of the Numenta Anomaly Benchmark, whose raw scores are lowest. */
const REGION: RegionOptions = {
  pooler: { inputs: 454, columns: 2048, active: 40, potential: 0.8, connected: 0.2, increment: 0.003, decrement: 0.0005 },
  memory: {
    columns: 2048,
    cells: 32,
    activation: 20,
    minimum: 13,
    growth: 31,
    initial: 0.24,
    connected: 0.5,
    increment: 0.04,
    decrement: 0.008,
    punishment: 0.001,
    segmentsPerCell: 128,
    synapsesPerSegment: 128,
    segments: 20_000,
  },
}
const CELL_BITS = 2048
/** As in the detector. */
const BUCKETS = 32
const RATE = 1.5
/** Rows between two that generation is asked at: it goes through all synapses. */
const GENERATE_EVERY = 7
const DAY = 86_400_000

export async function run({ data }: BenchOptions): Promise<readonly Row[]> {
  const rows = [...forecast('daily tide', ...makeTide(0.05)), ...forecast('daily tide in noise', ...makeTide(0.5))]
  const entries = await openSet('nab', data)
  if (!entries) console.error('htm forecast: NAB was not run, --data must name the folder of the data sets')
  for (const { name, load } of (entries ?? []).filter(({ name }) => FILES.includes(name))) {
    const { times, columns } = await load()
    rows.push(...forecast(name.slice(name.indexOf('/') + 1, -4), times, Object.values(columns)[0]))
  }
  return rows
}

/** Four weeks of five minutes: a day and a third of it. */
function makeTide(noise: number): [Float64Array, Float64Array] {
  const normal = seededNormal(3)
  const times = Float64Array.from({ length: 28 * 288 }, (_, row) => row * 300_000)
  const values = times.map(
    time => 10 + 3 * Math.sin((2 * Math.PI * time) / DAY) + 1.5 * Math.cos((6 * Math.PI * time) / DAY) + noise * normal(),
  )
  return [times, values]
}

/** Mean absolute errors after the probation; of each way a row is asked only where all have an answer. */
function forecast(name: string, times: Float64Array, values: Float64Array): Row[] {
  const inputs = encodeSeries(times, values)
  const first = probationRows(values.length)
  const head = values.subarray(0, first)
  const least = head.reduce((a, b) => Math.min(a, b))
  const most = head.reduce((a, b) => Math.max(a, b))
  const range = most - least
  const region = openRegion(REGION, openRandom(1))
  const cellBits = buildCellBits({ columns: 2048, cells: 32, size: CELL_BITS, columnBits: 'none' })
  const buckets = openValueBuckets({ count: BUCKETS, lower: least - 0.2 * range, upper: most + 0.2 * range })
  const classifier = openSdrClassifier({
    bits: CELL_BITS + inputs[0].length,
    buckets: BUCKETS,
    fields: 1,
    steps: Math.max(...AHEAD),
    rate: RATE,
  })
  const onCells = openSdrClassifier({ bits: CELL_BITS, buckets: BUCKETS, fields: 1, steps: Math.max(...AHEAD), rate: RATE })
  const errors = new Map(
    AHEAD.map(ahead => [ahead, { all: 0, last: 0, day: 0, both: 0, cells: 0, generated: 0, rows: 0, inside: 0 }]),
  )
  const perDay = Math.round(DAY / (times[1] - times[0]))
  let spent = 0
  for (let row = 0; row < values.length; row++) {
    region.step(inputs[row], true)
    const start = process.cpuUsage()
    const cells = cellBits.fold(region.activeCells())
    const bits = [...cells, ...[...inputs[row].keys()].filter(bit => inputs[row][bit]).map(bit => CELL_BITS + bit)]
    const bucket = buckets.bucketOf(values[row])
    buckets.learn(values[row])
    classifier.update(bits, [bucket])
    onCells.update(cells, [bucket])
    const { user, system } = process.cpuUsage(start)
    spent += user + system
    if (row < first || row % GENERATE_EVERY > 0) continue
    const made = generateCells({ ...REGION.memory, active: 40 }, region.state().memory, Math.max(...AHEAD) - 1)
    for (const [ahead, sums] of errors) {
      const actual = values[row + ahead]
      if (row + ahead >= values.length || row + ahead < perDay) continue
      const probabilities = classifier.predict(ahead)
      const dreamt = ahead === 1 ? onCells.predict(1) : onCells.predict(1, cellBits.fold(made[ahead - 2]))
      sums.rows++
      sums.last += Math.abs(actual - values[row])
      sums.day += Math.abs(actual - values[row + ahead - perDay])
      sums.both += Math.abs(actual - buckets.expected(probabilities))
      sums.cells += Math.abs(actual - buckets.expected(onCells.predict(ahead)))
      sums.generated += Math.abs(actual - buckets.expected(dreamt))
      if (actual >= buckets.quantile(probabilities, 0.025) && actual <= buckets.quantile(probabilities, 0.975)) sums.inside++
    }
  }
  const rows = [...errors].flatMap(([ahead, sums]) => {
    const peer = 'the last value'
    const row = (of: string, sum: number): Row => ({
      name: `htm forecast, ${name}, ${ahead} ahead: ${of}`,
      value: sum / sums.rows,
      unit: 'mean error',
      peer,
      ratio: sums.last / sum,
    })
    return [
      row('as a day ago', sums.day),
      row('classifier of cells and input', sums.both),
      row('classifier of cells', sums.cells),
      row('generation', sums.generated),
      { name: `htm forecast, ${name}, ${ahead} ahead: inside the 95 % band`, value: sums.inside / sums.rows, unit: '' },
    ]
  })
  return [
    ...rows,
    { name: `htm forecast, ${name}: time of both classifiers, 12 ahead, a row`, value: spent / 1000 / values.length, unit: 'ms' },
  ]
}
