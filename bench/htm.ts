import { serialize, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { htm } from '../src/detectors/htm.ts'
import { MINUTE } from '../src/duration.ts'
import { seededRandom as drawFrom } from '../src/math/random.ts'
import { buildDateEncoder } from '../src/models/htm/date-encoder.ts'
import { buildScalarEncoder } from '../src/models/htm/scalar-encoder.ts'
import { openSpatialPooler } from '../src/models/htm/spatial-pooler.ts'
import { openTemporalMemory } from '../src/models/htm/temporal-memory.ts'
import { bestOf, type Row } from './bench.ts'
import { seededNormal } from './data/seeded-random.ts'

export const summary = 'Hierarchical temporal memory of 2,048 columns × 32 cells: time of a record, early and late, and size'

const EARLY = 1000
const LATE = 20_000
/** Records behind those whose slowest hundredth is looked at. */
const TAIL = 2000
/** ms for a record, by the clock early on and of processor time later. */
const EARLY_GOAL = 0.6
const LATE_GOAL = 1.5
/** Bytes. */
const SIZE_GOAL = 100_000_000
const START = Date.UTC(2024, 0, 1)

interface Measured {
  readonly early: number
  readonly late: number
  readonly bytes: number
}

/** Of the detector as it is by default, and of the plain temporal memory on the same pooler, on a day with as much noise again. */
export async function run(): Promise<readonly Row[]> {
  const values = noisyDays()
  let snapshot = 0
  const ours = measure(() => {
    const stream = htm.create(htm.config.parse({})).open!()
    const row = new Float64Array(1)
    return {
      step(time, value) {
        row[0] = value
        stream.score(time, row)
        stream.learn(time, row)
      },
      end() {
        snapshot = serialize(stream.snapshot()).length
      },
    }
  }, values)
  const plain = measure(openPlain, values)
  const against = (name: string, unit: string, value: number, other: number, goal: number): Row => ({
    name: `htm: ${name}`,
    value,
    unit,
    goal,
    met: value <= goal,
    peer: 'plain temporal memory',
    ratio: other / value,
  })
  return [
    against(`record, mean of the first ${EARLY}`, 'ms', ours.early, plain.early, EARLY_GOAL),
    against(`record, 99th percentile after ${LATE} noisy ones`, 'ms', ours.late, plain.late, LATE_GOAL),
    against(`memory after ${LATE + TAIL} records`, 'bytes', ours.bytes, plain.bytes, SIZE_GOAL),
    { name: `htm: snapshot after ${LATE + TAIL} records`, value: snapshot, unit: 'bytes' },
  ]
}

interface Follower {
  step(time: number, value: number): void
  end(): void
}

function measure(open: () => Follower, values: Float64Array): Measured {
  const follow = (follower: Follower, i: number) => follower.step(START + i * MINUTE * 5, values[i])
  const before = bytesInUse()
  const follower = open()
  const step = (i: number) => follow(follower, i)
  let at = 0
  while (at < LATE) step(at++)
  const times = Float64Array.from({ length: TAIL }, () => timeOf(() => step(at++))).sort()
  const bytes = bytesInUse() - before
  follower.end()
  const early = bestOf(3, () => {
    const follower = open()
    for (let i = 0; i < EARLY; i++) follow(follower, i)
  })
  return { early: early / EARLY, late: times[Math.floor(0.99 * TAIL)]!, bytes }
}

/** ms of processor time. */
function timeOf(work: () => void): number {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

function bytesInUse(): number {
  setFlagsFromString('--expose-gc')
  // What the first collection finds to be garbage may be given back by the second only.
  for (let k = 0; k < 2; k++) runInNewContext('gc')()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function noisyDays(): Float64Array {
  const normal = seededNormal(1)
  return Float64Array.from({ length: LATE + TAIL }, (_, i) => 100 + 20 * Math.sin((2 * Math.PI * i) / 288) + 20 * normal())
}

/** With the settings of the Numenta Anomaly Benchmark. */
function openPlain(): Follower {
  const values = buildScalarEncoder({ size: 400, active: 21, buckets: 600, resolution: 3, offset: 100 }, drawFrom(1))
  const dates = buildDateEncoder({ timeOfDay: { size: 54, active: 21 } })
  const inputs = values.size + dates.size
  const pooler = openSpatialPooler(
    { inputs, columns: 2048, active: 40, potential: 0.8, connected: 0.2, increment: 0.003, decrement: 0.0005 },
    drawFrom(2),
  )
  const memory = openTemporalMemory(
    {
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
    drawFrom(3),
  )
  const input = new Uint8Array(inputs)
  return {
    step(time, value) {
      input.fill(0)
      values.encode(value, input)
      dates.encode(time, input, values.size)
      memory.step(pooler.pool(input, true), true)
    },
    end() {},
  }
}
