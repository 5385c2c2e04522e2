import { serialize } from 'node:v8'
import type { Detector } from '../src/detectors/detector.ts'
import { detectors } from '../src/detectors/index.ts'
import { DAY, MINUTE, WEEK } from '../src/duration.ts'
import type { Frame } from '../src/frame/frame.ts'
import { fromValues } from '../src/frame/frame.ts'
import { mad } from '../src/math/mad.ts'
import { median } from '../src/math/median.ts'
import type { BenchOptions, Row } from './bench.ts'
import { bestOf } from './bench.ts'

export const summary = 'speed and size of each detector on four weeks at one minute (--only TYPE for one)'

/** A causal backtest of four weeks at one minute must be this fast (ms) for those that people run over everything. */
const BACKTEST_GOAL = 50
const WITH_GOAL = ['seasonal', 'holt-winters']
const SNAPSHOT_GOAL = 4096
const START = Date.UTC(2024, 0, 1)

export async function run({ only }: BenchOptions): Promise<readonly Row[]> {
  const input = fourWeeks()
  const range = { start: START, end: START + 4 * WEEK }
  const naive = timeNaive(input)
  const rows: Row[] = []
  for (const [type, { config, create, examples }] of Object.entries(detectors)) {
    if (only !== undefined && only !== type) continue
    const detector: Detector = create(config.parse(examples[0]))
    const batch = bestOf(5, () => void detector.detect(input, range))
    const goal = WITH_GOAL.includes(type) ? { goal: BACKTEST_GOAL, met: batch < BACKTEST_GOAL } : {}
    rows.push({
      name: `${type} backtest`,
      value: batch,
      unit: 'ms',
      ...goal,
      ...(type === 'seasonal' ? { peer: 'naive seasonal median', ratio: naive / batch } : {}),
    })
    rows.push({ name: `${type} batch`, value: (input.times.length / batch) * 1000, unit: 'points/s' })
    if (!detector.open) continue
    const { open } = detector
    const stream = bestOf(5, () => void follow(open(), input))
    rows.push({ name: `${type} stream`, value: (input.times.length / stream) * 1000, unit: 'points/s' })
    const bytes = serialize(follow(open(), input).snapshot()).length
    rows.push({ name: `${type} snapshot`, value: bytes, unit: 'bytes', goal: SNAPSHOT_GOAL, met: bytes <= SNAPSHOT_GOAL })
  }
  return rows
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
  let state = 1
  const random = () => (state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296) / 4_294_967_296
  const times = Float64Array.from({ length: (4 * WEEK) / MINUTE }, (_, i) => START + i * MINUTE)
  const values = times.map(time => {
    const weekend = [6, 0].includes(new Date(time).getUTCDay()) ? 0.5 : 1
    const level = (100 + 60 * Math.sin((2 * Math.PI * time) / DAY)) * weekend
    return level + Math.sqrt(level) * (random() + random() + random() - 1.5) * 2
  })
  return fromValues(times, values)
}

/** ms of the obvious way: for each row, median and MAD of the same ten minutes of all earlier days. Measured on each tenth row. */
function timeNaive({ times, columns: { value } }: Frame<'value'>): number {
  const perDay = DAY / MINUTE
  const start = performance.now()
  let sum = 0
  for (let i = 2 * perDay; i < times.length; i += 10) {
    const same: number[] = []
    for (let day = i - perDay; day >= 5; day -= perDay) for (let j = day - 5; j < day + 5; j++) same.push(value[j])
    sum += Math.abs(value[i] - median(same)) / Math.max(mad(same), 0.001)
  }
  if (!Number.isFinite(sum)) throw new Error('the naive twin must give numbers')
  return (performance.now() - start) * 10
}
