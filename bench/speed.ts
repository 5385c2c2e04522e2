import { serialize } from 'node:v8'
import type { Detector } from '../src/detectors/detector.ts'
import { detectors } from '../src/detectors/index.ts'
import { DAY, MINUTE, WEEK } from '../src/duration.ts'
import type { Frame } from '../src/frame/frame.ts'
import { fromValues } from '../src/frame/frame.ts'
import { mad } from '../src/math/mad.ts'
import { median } from '../src/math/median.ts'
import type { BenchOptions, Row } from './bench.ts'
import { seededNormal } from './data/seeded-random.ts'
import type { PeerTime } from './peers.ts'
import { timePeers } from './peers.ts'

export const summary =
  'CPU time and size of each detector on four weeks at one minute, beside naive twins and Python packages (--only TYPE for one)'

/** ms that four weeks at one minute may take. */
const TIME_GOALS: Readonly<Record<string, number>> = { default: 250, 'matrix-profile': 3000, seasonal: 50, 'holt-winters': 50 }
/** Those that look at little, and must go through so many rows in a second. */
const LIGHT = ['seasonal', 'holt-winters', 'ewma', 'absence', 'mean-variance', 'percentage-change', 'absolute-change']
const LIGHT_GOAL = 200_000
/** Bytes of what a stream remembers, where a store has to keep it for every one of many series. */
const SMALL = ['seasonal', 'holt-winters', 'ewma', 'absence']
const SMALL_GOAL = 4096
/** Runs of which the best counts; slow detectors run once. */
const TIMES = 5
const SLOW = 1000

const START = Date.UTC(2024, 0, 1)
const RANGE = { start: START, end: START + 4 * WEEK }

export async function run({ only }: BenchOptions): Promise<readonly Row[]> {
  const input = fourWeeks()
  const types = Object.keys(detectors).filter(type => only === undefined || only === type)
  const peers = await timePeers(input.columns.value, types)
  const rows: Row[] = []
  for (const type of types) rows.push(...timeDetector(type, input, peers))
  return rows
}

function timeDetector(type: string, input: Frame<'value'>, peers: readonly PeerTime[]): Row[] {
  const { config, create, examples } = detectors[type]!
  const detector: Detector = create(config.parse(examples[0]))
  const rows: Row[] = []
  const batch = timeRuns(() => void detector.detect(input, RANGE))
  const goal = TIME_GOALS[type]
  const held = goal === undefined ? {} : { goal, met: batch <= goal }
  rows.push({ name: `${type}: four weeks`, value: batch, unit: 'ms', ...held })
  const naive = NAIVE[type]
  if (naive) rows.push({ name: `${type}: naive twin`, ...against(batch, naive.says, naive.time(input.columns.value)) })
  for (const { peer, does, ms } of peers.filter(({ type: of }) => of === type))
    rows.push({ name: `${type}: ${does}`, ...against(batch, peer, ms) })
  if (!detector.open) return rows
  const { open } = detector
  const stream = timeRuns(() => void follow(open(), input))
  const speed = (input.times.length / stream) * 1000
  const light = LIGHT.includes(type) ? { goal: LIGHT_GOAL, met: speed >= LIGHT_GOAL } : {}
  rows.push({ name: `${type}: stream`, value: speed, unit: 'points/s', ...light })
  const bytes = serialize(follow(open(), input).snapshot()).length
  const small = SMALL.includes(type) ? { goal: SMALL_GOAL, met: bytes <= SMALL_GOAL } : {}
  rows.push({ name: `${type}: memory of a stream`, value: bytes, unit: 'bytes', ...small })
  return rows
}

function against(ours: number, peer: string, theirs: number): Omit<Row, 'name'> {
  return { value: theirs, unit: 'ms', peer, ratio: theirs / ours }
}

/** ms of processor time, the least of some runs: what it takes on a machine that does nothing else. */
function timeRuns(work: () => void): number {
  let best = timeOnce(work)
  for (let i = 0; i < TIMES && best < SLOW; i++) best = Math.min(best, timeOnce(work))
  return best
}

function timeOnce(work: () => void): number {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

function follow(stream: ReturnType<NonNullable<Detector['open']>>, { times, columns }: Frame) {
  const row = new Float64Array(1)
  for (let i = 0; i < times.length; i++) {
    row[0] = columns.value[i]
    stream.score(times[i], row)
    stream.learn(times[i], row)
  }
  return stream
}

/** Requests of a small company: a daily tide, quiet weekends, noise that grows with the level. */
function fourWeeks(): Frame<'value'> {
  const normal = seededNormal(1)
  const times = Float64Array.from({ length: (4 * WEEK) / MINUTE }, (_, i) => START + i * MINUTE)
  const values = times.map(time => {
    const weekend = [6, 0].includes(new Date(time).getUTCDay()) ? 0.5 : 1
    const level = (100 + 60 * Math.sin((2 * Math.PI * time) / DAY)) * weekend
    return level + Math.sqrt(level) * normal()
  })
  return fromValues(times, values)
}

/** The obvious way to the same end, without anything learned; ms for all rows, measured on some. */
interface Naive {
  readonly says: string
  time(value: Float64Array): number
}

const NAIVE: Readonly<Record<string, Naive>> = {
  seasonal: { says: 'median of the same minutes of all earlier days', time: value => timeRows(value, 10, seasonalTwin) },
  ewma: { says: 'weighted mean and variance of all earlier rows', time: value => timeRows(value, 200, weightedTwin) },
  'mean-variance': { says: 'mean and variance of a day, row by row', time: value => timeRows(value, 20, windowTwin) },
  'spectral-residual': { says: 'discrete Fourier transform by its sum', time: value => timeRows(value, 2000, fourierTwin) },
  'matrix-profile': { says: 'all distances of windows of 100 in a week', time: value => timeRows(value, 2000, profileTwin) },
}

/** Each `every`-th row of the last two weeks is measured. */
function timeRows(value: Float64Array, every: number, twin: (value: Float64Array, row: number) => number): number {
  const from = value.length / 2
  let sum = 0
  let rows = 0
  const ms = timeOnce(() => {
    for (let i = from; i < value.length; i += every, rows++) sum += twin(value, i)
  })
  if (!Number.isFinite(sum)) throw new Error('a naive twin must give numbers')
  return (ms / rows) * value.length
}

function seasonalTwin(value: Float64Array, row: number): number {
  const perDay = DAY / MINUTE
  const same: number[] = []
  for (let day = row - perDay; day >= 5; day -= perDay) for (let j = day - 5; j < day + 5; j++) same.push(value[j])
  return Math.abs(value[row] - median(same)) / Math.max(mad(same), 0.001)
}

function weightedTwin(value: Float64Array, row: number): number {
  let weight = 1
  let sum = 0
  let squares = 0
  let weights = 0
  for (let i = row - 1; i >= 0; i--, weight *= 0.99) {
    sum += weight * value[i]
    squares += weight * value[i] ** 2
    weights += weight
  }
  const mean = sum / weights
  return Math.abs(value[row] - mean) / Math.sqrt(Math.max(squares / weights - mean ** 2, 1e-9))
}

function windowTwin(value: Float64Array, row: number): number {
  const window = value.subarray(row - DAY / MINUTE, row)
  const mean = window.reduce((a, b) => a + b, 0) / window.length
  const variance = window.reduce((a, b) => a + (b - mean) ** 2, 0) / window.length
  return Math.abs(value[row] - mean) / Math.sqrt(variance)
}

/** A Fourier transform and back, of 256 rows. */
function fourierTwin(value: Float64Array, row: number): number {
  const n = 256
  let sum = 0
  for (let pass = 0; pass < 2; pass++)
    for (let k = 0; k < n; k++) {
      let re = 0
      let im = 0
      for (let t = 0; t < n; t++) {
        re += value[row - n + t] * Math.cos((2 * Math.PI * k * t) / n)
        im -= value[row - n + t] * Math.sin((2 * Math.PI * k * t) / n)
      }
      sum += Math.hypot(re, im)
    }
  return sum
}

function profileTwin(value: Float64Array, row: number): number {
  const window = 100
  const own = normalized(value, row - window)
  let nearest = Infinity
  for (let from = row - 10_080; from <= row - 2 * window; from++) {
    const other = normalized(value, from)
    let sum = 0
    for (let k = 0; k < window; k++) sum += (own[k] - other[k]) ** 2
    if (sum < nearest) nearest = sum
  }
  return Math.sqrt(nearest)

  function normalized(all: Float64Array, from: number): Float64Array {
    const part = all.subarray(from, from + window)
    const mean = part.reduce((a, b) => a + b, 0) / window
    const sd = Math.sqrt(part.reduce((a, b) => a + (b - mean) ** 2, 0) / window)
    return part.map(x => (x - mean) / Math.max(sd, 1e-9))
  }
}
