import assert from 'node:assert/strict'
import { deserialize, serialize } from 'node:v8'
import type { Detector, State } from '../detectors/detector.ts'
import { runStream } from '../detectors/from-stream.ts'
import { MINUTE, SECOND } from '../duration.ts'
import type { Frame } from '../frame/frame.ts'
import { assertSame, type DetectorLaw, mulberry, roundStep } from './detector-laws.ts'

const START = Date.UTC(2024, 10, 4)
const ALWAYS = { start: -Infinity, end: Infinity }
/** What is added to the disturbed column, whose noise is about 1 and whose tide about 20. */
const DISTURBANCE = 400

/** What detectors promise beside `detectorLaws` that look at all columns of a frame together. */
export const multivariateLaws: readonly DetectorLaw[] = [
  {
    name: 'goes on from a snapshot with rows of several columns',
    check(detector) {
      const input = exampleRows(detector)
      const cut = input.times[Math.floor(0.7 * input.times.length)]
      const whole = detector.detect(input, ALWAYS)
      const stream = detector.open!()
      const first = runStream(stream, part(input, -Infinity, cut), ALWAYS)
      const stored = deserialize(serialize(stream.snapshot())) as State
      const second = runStream(detector.open!(stored), part(input, cut, Infinity), ALWAYS)
      assertSame(part(whole, -Infinity, cut), first)
      assertSame(part(whole, cut, Infinity), second)
    },
  },
  {
    name: 'names the disturbed column and says its value',
    check(detector) {
      const input = exampleRows(detector)
      const at = Math.floor(0.9 * input.times.length)
      for (const disturbed of [0, 2]) {
        const columns = Object.fromEntries(
          Object.entries(input.columns).map(([name, column], c) => [
            name,
            column.map((value, i) => (c === disturbed && i === at ? value + DISTURBANCE : value)),
          ]),
        )
        const scores = detector.detect({ ...input, columns }, ALWAYS)
        assert.equal(scores.columns.channel?.[at], disturbed, 'channel must be the disturbed column')
        assert.equal(scores.columns.value[at], Object.values(columns)[disturbed][at], 'value must be that of the channel')
        const known = scores.columns.score.slice(0, at).filter(Number.isFinite).sort()
        const usual = known[Math.floor(0.95 * known.length)]
        assert.ok(
          scores.columns.score[at] > usual,
          `the disturbed row must stand out of ${usual}, got ${scores.columns.score[at]}`,
        )
      }
    },
  },
  {
    name: 'lives with constant, absent and interrupted columns',
    check(detector) {
      const input = exampleRows(detector)
      const { times, columns } = input
      const [first] = Object.values(columns)
      const hostile: Frame = {
        ...input,
        columns: {
          ...columns,
          constant: times.map(() => 7),
          absent: times.map(() => NaN),
          interrupted: first.map((value, i) => (i % 100 > 80 ? NaN : value)),
          huge: first.map((value, i) => (i % 97 === 0 ? 1e308 : value)),
        },
      }
      const { score } = detector.detect(hostile, ALWAYS).columns
      assert.ok(!score.some(value => Math.abs(value) === Infinity || value < 0), 'a score must be finite and not negative')
      const last = score.slice(Math.floor(0.9 * times.length))
      const decided = last.filter(Number.isFinite).length / last.length
      assert.ok(decided > 0.5, `rows with most columns known must have a score, got one for ${decided} of them`)
    },
  },
  {
    name: 'says NaN of a row of which nothing is known',
    check(detector) {
      const input = exampleRows(detector)
      const at = Math.floor(0.9 * input.times.length)
      const columns = Object.fromEntries(
        Object.entries(input.columns).map(([name, column]) => [name, column.map((value, i) => (i === at ? NaN : value))]),
      )
      const { score } = detector.detect({ ...input, columns }, ALWAYS).columns
      assert.ok(Number.isNaN(score[at]), `a row of NaN must score NaN, got ${score[at]}`)
      assert.ok(Number.isFinite(score[score.length - 1]), 'rows long after it must have a score')
    },
  },
]

/** Four columns: three ride on one tide with noise of their own, one is noise alone; as long as the detector wants, at most 2,500 rows. */
function exampleRows(detector: Detector): Frame {
  const span = Math.max(1.5 * detector.lookback, 1000 * SECOND)
  const step = Math.max(1, Math.min(30 * MINUTE, roundStep(span / 2000)))
  const size = Math.ceil(span / step) + 50
  const random = mulberry(11)
  const noise = () => 2 * (random() + random() + random() - 1.5)
  const times = Float64Array.from({ length: size }, (_, i) => START + i * step)
  const tide = times.map(time => 100 + 20 * Math.sin((2 * Math.PI * time) / 86_400_000))
  return {
    labels: {},
    times,
    columns: {
      a: tide.map(value => value + noise()),
      b: tide.map(value => 2 * value + noise()),
      c: tide.map(value => 50 - 0.5 * value + noise()),
      d: tide.map(() => 10 + noise()),
    },
  }
}

function part<Given extends Frame>(frame: Given, start: number, end: number): Given {
  const from = frame.times.findIndex(time => time >= start)
  const to = frame.times.findLastIndex(time => time < end) + 1
  const columns = Object.fromEntries(Object.entries(frame.columns).map(([name, column]) => [name, column.slice(from, to)]))
  return { ...frame, times: frame.times.slice(from, to), columns }
}
