import assert from 'node:assert/strict'
import { deserialize, serialize } from 'node:v8'
import type { Detector, Judgement, Scores, State } from '../detectors/detector.ts'
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
  {
    name: 'says how much each column added to the score, and is not changed by the question',
    check(detector) {
      const input = exampleRows(detector)
      const size = input.times.length
      const stream = detector.open!()
      let added = 0
      eachRow(input, (time, row, i) => {
        if (i > 0.8 * size && i % 7 === 0) row[1] = NaN
        const isExamined = i % Math.floor(size / 4) === 1
        const before = isExamined ? serialize(stream.snapshot()) : undefined
        const { score, contributions } = stream.score(time, row)
        assertContributions(contributions, row)
        if (score > 0 && contributions.some(value => value > 0)) added++
        if (before) {
          const again = stream.score(time, row)
          assert.ok(Object.is(again.score, score), `the score must be ${score} when it is asked for again, got ${again.score}`)
          assert.ok(serialize(stream.snapshot()).equals(before), 'the snapshot must be the same after scoring')
        }
        stream.learn(time, row)
      })
      assert.ok(added > 0, 'some row must have a score to which a column added')
      const single = detector.open!().score(START, [1]).contributions
      assert.equal(single, undefined, 'contributions must be absent for one column')
    },
  },
  {
    name: 'gives the largest share to the column that departs alone',
    check(detector) {
      const input = exampleRows(detector)
      const at = Math.floor(0.9 * input.times.length)
      const names = Object.keys(input.columns)
      const columns = { ...input.columns, [names[1]]: input.columns[names[1]].slice() }
      columns[names[1]][at] -= DISTURBANCE
      const scores = detector.detect({ ...input, columns }, { start: input.times[at], end: Infinity })
      const shares = sharesOf(scores, names.length)
      const first = shares.map(share => share[0])
      assert.equal(first.indexOf(Math.max(...first)), 1, `the second share must be the largest, got ${first}`)
      assert.equal(scores.columns.channel?.[0], 1, 'channel must be the column with the largest share')
      scores.columns.score.forEach((score, i) => {
        const sum = shares.reduce((total, share) => total + share[i], 0)
        const isWhole = Number.isNaN(sum) ? shares.every(share => Number.isNaN(share[i])) : Math.abs(sum - 1) < 1e-9
        assert.ok(isWhole, `shares must sum to 1 or all be NaN, got ${shares.map(share => share[i])}`)
        assert.ok(!Number.isNaN(score) || Number.isNaN(sum), 'shares must be NaN where the score is')
      })
    },
  },
  {
    name: 'names the column that contributes most',
    check(detector) {
      const input = exampleRows(detector)
      const stream = detector.open!()
      let named = 0
      eachRow(input, (time, row, i) => {
        const { channel = NaN, contributions } = stream.score(time, row)
        assertContributions(contributions, row)
        const most = Math.max(...contributions)
        if (most > 0 && !Number.isNaN(channel)) {
          const own = contributions[channel]
          if (own < most * (1 - 1e-9)) assert.fail(`channel ${channel} of row ${i} must contribute most, ${most}, got ${own}`)
          named++
        }
        stream.learn(time, row)
      })
      assert.ok(named > 0, 'some row must have a channel and contributions')
    },
  },
  {
    name: 'gives a column the same share wherever it stands',
    check(detector) {
      const input = exampleRows(detector)
      const names = Object.keys(input.columns)
      const order = [2, 0, 3, 1]
      const columns = Object.fromEntries(order.map(c => [names[c], input.columns[names[c]]]))
      const other = detector.open!()
      const stream = detector.open!()
      const rows = { ...input, columns: { ...columns } }
      const moved = new Float64Array(order.length)
      // Side by side, so that a breach is found without going through all rows.
      eachRow(rows, (time, row, i) => {
        order.forEach((c, place) => {
          moved[c] = row[place]
        })
        const here = partsOf(stream.score(time, moved))
        const there = partsOf(other.score(time, row))
        order.forEach((c, place) => {
          const isSame = Math.abs(here[c] - there[place]) < 1e-6
          if (!isSame)
            assert.fail(`column ${c} must have share ${here[c]} of row ${i} at place ${place} too, got ${there[place]}`)
        })
        stream.learn(time, moved)
        other.learn(time, row)
      })
    },
  },
]

/** Contributions by their sum, all 0 when there are none. */
function partsOf({ contributions }: Judgement): number[] {
  assert.ok(contributions, 'contributions must be there for every row')
  const sum = contributions.reduce((a, b) => a + b, 0)
  return Array.from(contributions, value => (sum > 0 ? value / sum : 0))
}

/** Calls with each row of the frame, which is the caller's until the next. */
function eachRow(input: Frame, call: (time: number, row: Float64Array, i: number) => void): void {
  const columns = Object.values(input.columns)
  const row = new Float64Array(columns.length)
  input.times.forEach((time, i) => {
    for (let c = 0; c < row.length; c++) row[c] = columns[c][i]
    call(time, row, i)
  })
}

function assertContributions(contributions: Float64Array | undefined, row: Float64Array): asserts contributions {
  assert.ok(contributions, 'contributions must be there for every row')
  assert.equal(contributions.length, row.length, 'contributions must have a number for each column')
  contributions.forEach((value, c) => {
    assert.ok(value >= 0 && value < Infinity, `a contribution must be finite and not negative, got ${value}`)
    assert.ok(!Number.isNaN(row[c]) || value === 0, `an unknown column must contribute 0, got ${value}`)
  })
}

function sharesOf(scores: Scores, columns: number): Float64Array[] {
  return Array.from({ length: columns }, (_, c) => {
    const share = scores.columns[`share${c}`]
    assert.ok(share, `there must be a column share${c}`)
    return share
  })
}

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
