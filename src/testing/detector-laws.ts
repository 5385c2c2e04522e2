import assert from 'node:assert/strict'
import { deserialize, serialize } from 'node:v8'
import type { Detector, Fit, Model, Models, Scores, State, Stream } from '../detectors/detector.ts'
import { MINUTE, SECOND, WEEK } from '../duration.ts'
import type { Frame } from '../frame/frame.ts'
import { fromValues } from '../frame/frame.ts'

/**
 * What every detector promises. `check` throws an `AssertionError` on a breach; a detector without a stream passes the laws of streams, one without fits
 * those of models.
 */
export interface DetectorLaw {
  readonly name: string
  check(detector: Detector): void
}

/** A Monday in winter, so that no daylight saving begins within the few weeks that laws look at. */
const START = Date.UTC(2024, 10, 4)
const COLUMNS = ['score', 'value', 'expected', 'lower', 'upper'] as const

export const detectorLaws: readonly DetectorLaw[] = [
  {
    name: 'scores every row of the range and no other',
    check(detector) {
      const input = exampleSeries(detector)
      const range = lastPart(input, 0.3)
      const { times, columns } = detector.detect(input, range)
      const wanted = input.times.filter(time => time >= range.start && time < range.end)
      assert.deepEqual(times, wanted, 'times must be the rows of the range')
      for (const name of COLUMNS) assert.equal(columns[name]?.length, wanted.length, `${name} must have a value per row`)
      const values = input.columns.value.subarray(input.times.length - wanted.length)
      assert.deepEqual(columns.value, values.slice(), 'value must be the value of the row')
      const nothing = detector.detect(input, { start: range.end + WEEK, end: range.end + 2 * WEEK })
      assert.equal(nothing.times.length, 0, 'a range without rows must give no scores')
    },
  },
  {
    name: 'is deterministic',
    check(detector) {
      const input = exampleSeries(detector)
      assertSame(detector.detect(input, whole(input)), detector.detect(input, whole(input)))
    },
  },
  {
    name: 'does not write into its input',
    check(detector) {
      const input = exampleSeries(detector)
      const copy = structuredClone(input)
      detector.detect(input, whole(input))
      assert.deepEqual(input, copy)
    },
  },
  {
    name: 'never says Infinity and never scores below zero',
    check(detector) {
      const { times, columns } = exampleSeries(detector)
      const cruel = [0, -0, Infinity, -Infinity, 1e308, -1e308, 5e-324, NaN, 1e15, -1]
      const hostile = [
        columns.value.map((value, i) => (i % 37 === 0 ? cruel[(i / 37) % cruel.length] : value)),
        columns.value.map((_, i) => cruel[(i * 7) % cruel.length]),
        columns.value.fill(0),
        columns.value.map((_, i) => (i === times.length - 5 ? 1 : 0)),
      ]
      for (const values of hostile) {
        const input = fromValues(times, values)
        const scores = detector.detect(input, whole(input))
        for (const name of ['score', 'expected', 'lower', 'upper'] as const)
          for (const value of scores.columns[name])
            assert.ok(Math.abs(value) !== Infinity, `${name} must be finite or NaN, got ${value}`)
        for (const score of scores.columns.score) assert.ok(!(score < 0), `score must be at least 0, got ${score}`)
      }
    },
  },
  {
    name: 'is undecided on little data',
    check(detector) {
      const input = exampleSeries(detector)
      const { score } = detector.detect(input, { start: input.times[0], end: input.times[3] }).columns
      assert.deepEqual([...score], [NaN, NaN, NaN], 'the first three scores must be NaN')
    },
  },
  {
    name: 'says NaN of a row without a value',
    check(detector) {
      const input = exampleSeries(detector)
      const at = [1, 50, input.times.length - 20, input.times.length - 1]
      const holes = withValues(input, (value, i) => (at.includes(i) ? NaN : value))
      const { score } = detector.detect(holes, whole(holes)).columns
      for (const i of at) assert.ok(Number.isNaN(score[i]), `score of a missing row must be NaN, got ${score[i]}`)
    },
  },
  {
    name: 'recovers after a gap',
    check(detector) {
      const input = exampleSeries(detector)
      const size = input.times.length
      const gap = withValues(input, (value, i) => (i > 0.8 * size && i < 0.9 * size ? NaN : value))
      const { score } = detector.detect(gap, whole(gap)).columns
      const after = score.subarray(Math.ceil(0.95 * size))
      assert.ok(after.every(Number.isFinite), 'scores must be known again after a gap')
      const usual = largest(detector.detect(input, lastPart(input, 0.4)).columns.score)
      assert.ok(largest(after) <= 3 * Math.max(usual, 1), `scores after a gap must be as usual (${usual}), got ${largest(after)}`)
    },
  },
  {
    name: 'does not look ahead',
    check(detector) {
      if (!detector.causal) return
      const input = exampleSeries(detector)
      const cut = Math.floor(0.7 * input.times.length)
      const range = { start: input.times[0], end: input.times[cut] }
      const other = withValues(input, (value, i) => (i < cut ? value : -3 * value))
      assertSame(detector.detect(input, range), detector.detect(other, range))
      const head = { ...input, times: input.times.slice(0, cut), columns: { value: input.columns.value.slice(0, cut) } }
      assertSame(detector.detect(input, range), detector.detect(head, range))
    },
  },
  {
    name: 'needs no more than its lookback',
    check(detector) {
      const input = exampleSeries(detector)
      const first = input.times.findIndex(time => time >= input.times[0] + detector.lookback)
      assert.ok(first > 0, 'lookback must be a positive duration')
      const { score } = detector.detect(input, { start: input.times[first], end: whole(input).end }).columns
      assert.ok(score.every(Number.isFinite), 'every score after the lookback must be known')
    },
  },
  {
    name: 'gives a point one score whichever range is asked',
    check(detector) {
      const input = exampleSeries(detector)
      const all = detector.detect(input, whole(input))
      const range = {
        start: input.times[Math.floor(0.6 * input.times.length)],
        end: input.times[Math.floor(0.8 * input.times.length)],
      }
      const from = input.times.indexOf(range.start)
      assertSame(part(all, from, input.times.indexOf(range.end)), detector.detect(input, range))
    },
  },
  {
    name: 'scores as a stream what it scores as a batch',
    check(detector) {
      if (!detector.open) return
      const input = exampleSeries(detector)
      assertSame(detector.detect(input, whole(input)), follow(detector.open(), input))
    },
  },
  {
    name: 'continues from its snapshot',
    check(detector) {
      const { open } = detector
      if (!open) return
      const input = exampleSeries(detector)
      const size = input.times.length
      const through = follow(open(), input)
      for (const at of [0, 5, Math.floor(size * 0.4), Math.floor(size * 0.9)]) {
        const stream = open()
        follow(stream, rows(input, 0, at))
        const snapshot = stream.snapshot()
        const stored = deserialize(serialize(snapshot)) as State
        assert.deepEqual(stored, snapshot, 'a snapshot must be plain data')
        // What is learned after a snapshot must not show in it.
        follow(stream, rows(input, at, size))
        assert.deepEqual(snapshot, stored, 'a snapshot must not change afterwards')
        assertSame(part(through, at, size), follow(open(stored), rows(input, at, size)))
      }
    },
  },
  {
    name: 'is not taught by scoring',
    check(detector) {
      const { open } = detector
      if (!open) return
      const input = exampleSeries(detector)
      const stream = open()
      const watched = open()
      for (let i = 0; i < input.times.length; i++) {
        const row = [input.columns.value[i]]
        for (let again = 0; again < 2; again++) watched.score(input.times[i] + again, [row[0] * 9 + 1])
        stream.learn(input.times[i], row)
        watched.learn(input.times[i], row)
      }
      assert.deepEqual(watched.snapshot(), stream.snapshot(), 'a snapshot must not depend on what was scored')
    },
  },
  {
    name: 'does not grow without end',
    check(detector) {
      const { open } = detector
      if (!open) return
      const stream = open()
      const input = exampleSeries(detector)
      const size = input.times.length
      follow(stream, input)
      const once = serialize(stream.snapshot()).length
      for (let turn = 1; turn <= 3; turn++) {
        const later = input.times.map(time => time + turn * size * stepOf(input))
        follow(stream, { ...input, times: later })
      }
      const later = serialize(stream.snapshot()).length
      // Rarer scores may need a few more numbers; what keeps rows has thousands more.
      assert.ok(later <= 1.05 * once + 512, `a snapshot must stay of one size, got ${once} and then ${later} bytes`)
    },
  },
  {
    name: 'ranks a spike first',
    check(detector) {
      const input = exampleSeries(detector)
      const at = input.times.length - 40
      const spike = withValues(input, (value, i) => (i === at ? value + 400 : value))
      const { times, columns } = detector.detect(spike, lastPart(spike, 0.2))
      const rank = (values: Float64Array) => values.indexOf(largest(values)) - times.indexOf(input.times[at])
      const late = rank(columns.score)
      if (late === 0) return
      assert.equal(rank(columns.alarm ?? columns.score), 0, 'the spike must have the highest score or alarm')
      assert.ok(late > 0 && late <= 2, `a smoothed score must be highest within two rows of the spike, got ${late} rows`)
    },
  },
  {
    name: 'notices a flat line that moves',
    check(detector) {
      const input = exampleSeries(detector)
      for (const level of [0, 5, 1e6]) {
        const at = input.times.length - 20
        const moved = withValues(input, (_, i) => (i >= at ? level * 1.5 + 1 : level))
        const { score } = detector.detect(moved, lastPart(moved, 0.2)).columns
        const calm = score.subarray(0, score.length - 20)
        assert.ok(
          calm.every(value => value < 1),
          `a flat line must score below 1, got ${largest(calm)}`,
        )
        for (const value of score.subarray(score.length - 20, score.length - 18))
          assert.ok(value > 5, `the first two rows of the move must score above 5, got ${value} at level ${level}`)
      }
    },
  },
  {
    name: 'gives the same scores for times shifted by whole weeks',
    check(detector) {
      const input = exampleSeries(detector)
      const shifted = { ...input, times: input.times.map(time => time + 2 * WEEK) }
      const here = detector.detect(input, whole(input))
      const there = detector.detect(shifted, whole(shifted))
      // Slots are found by division, whose last bits depend on the size of the time.
      assertClose(here, there)
    },
  },
  {
    name: 'asks for fits when it is given models, and does none',
    check(detector) {
      if (!detector.fit) return
      const input = exampleSeries(detector)
      const stream = detector.open!(undefined, NO_MODEL)
      let asked = false
      for (let i = 0; i < input.times.length; i++) {
        assert.ok(!asked || stream.wants?.() === 'first', `a fit that nobody did must be wanted still, got ${stream.wants?.()}`)
        asked ||= stream.wants?.() === 'first'
        stream.learn(input.times[i], [input.columns.value[i]])
      }
      assert.ok(asked, 'a first fit must be wanted within one and a half lookbacks')
      const fit = fitOf(detector, stream.snapshot())
      const models = { model: { version: 1, state: fit.state }, tried: fit.range.end }
      const wants = detector.open!(stream.snapshot(), models).wants?.()
      assert.equal(wants, undefined, 'no fit must be wanted just after one')
      const early = detector.open!(undefined, NO_MODEL)
      follow(early, rows(input, 0, 3))
      assert.equal(drive(detector.fit(early.snapshot())), undefined, 'a fit of three rows must be undefined')
    },
  },
  {
    name: 'fits the same from the same snapshot, whatever was left half way',
    check(detector) {
      const { fit } = detector
      if (!fit) return
      const input = exampleSeries(detector)
      const size = input.times.length
      const first = fitOf(detector, learned(detector, input, Math.floor(0.6 * size)))
      const snapshot = learned(detector, input, size)
      const model: Model = { version: 1, state: first.state }
      const given = structuredClone({ snapshot, model })
      const second = fitOf(detector, snapshot, model)
      assert.ok(Number.isFinite(second.validation), `validation must be a number, got ${second.validation}`)
      assert.ok(Number.isFinite(second.current), `current must be a number when there was a model, got ${second.current}`)
      assert.ok(second.rows > 0 && second.rows <= size, `rows must be 1 to ${size}, got ${second.rows}`)
      assert.ok(second.range.start >= input.times[0], 'a range must begin with a row')
      assert.ok(second.range.end > input.times[size - 1], 'a range must end after the last row')
      assert.deepEqual(deserialize(serialize(second.state)), second.state, 'a model must be plain data')
      const ended = fit(snapshot, model)
      for (let turn = 0; turn < 3; turn++) ended.next()
      ended.return(undefined)
      const resting = fit(snapshot)
      for (let turn = 0; turn < 2; turn++) resting.next()
      assert.deepEqual(fitOf(detector, snapshot, model), second, 'a fit must be the same again')
      assert.deepEqual({ snapshot, model }, given, 'a fit must not write into its snapshot or model')
    },
  },
  {
    name: 'goes on from its snapshot with the model that it was given',
    check(detector) {
      if (!detector.fit) return
      const input = exampleSeries(detector)
      const size = input.times.length
      const half = Math.floor(0.6 * size)
      const snapshot = learned(detector, input, half)
      const fit = fitOf(detector, snapshot)
      const models = { model: { version: 1, state: fit.state }, tried: fit.range.end }
      const through = follow(detector.open!(snapshot, models), rows(input, half, size))
      const last = through.columns.score.subarray(Math.floor((size - half) / 2))
      assert.ok(last.every(Number.isFinite), 'a stream must judge with the model that it was given, and go on to')
      for (const at of [half, half + 3, Math.floor(0.9 * size)]) {
        const stream = detector.open!(snapshot, models)
        follow(stream, rows(input, half, at))
        const stored = deserialize(serialize(stream.snapshot())) as State
        const again = detector.open!(stored, structuredClone(models))
        assertSame(part(through, at - half, size - half), follow(again, rows(input, at, size)))
      }
    },
  },
  {
    name: 'keeps nothing of a model that is taken away',
    check(detector) {
      if (!detector.fit) return
      const input = exampleSeries(detector)
      const size = input.times.length
      const [from, to] = [Math.floor(0.8 * size), Math.floor(0.9 * size)]
      const snapshot = learned(detector, input, from)
      const tried = input.times[from]
      const said = [learned(detector, input, Math.floor(0.6 * size)), snapshot].map((state, i) => {
        const model = { version: i + 1, state: fitOf(detector, state).state }
        const stream = detector.open!(snapshot, { model, tried })
        const scores = follow(stream, rows(input, from, to))
        return { scores, after: follow(detector.open!(stream.snapshot(), { tried }), rows(input, to, size)) }
      })
      assert.notDeepEqual(
        [...said[0].scores.columns.score],
        [...said[1].scores.columns.score],
        'two models must not judge the same',
      )
      assertSame(said[0].after, said[1].after)
    },
  },
]

const NO_MODEL: Models = { tried: NaN }

/** Goes through a fit to its end; what is done must grow from 0 to 1. */
function drive(fit: Generator<number, Fit | undefined>): Fit | undefined {
  let done = 0
  for (;;) {
    const { done: isOver, value } = fit.next()
    if (isOver) return value
    assert.ok(value >= done && value <= 1, `what is done must grow from 0 to 1, got ${value} after ${done}`)
    done = value
  }
}

function fitOf({ fit }: Detector, snapshot: State, model?: Model): Fit {
  const done = drive(fit!(snapshot, model))
  assert.ok(done, 'a fit must be done where a first one is wanted')
  return done
}

/** What a stream without a model remembers of the rows before `to`. */
function learned(detector: Detector, input: Frame<'value'>, to: number): State {
  const stream = detector.open!(undefined, NO_MODEL)
  for (let i = 0; i < to; i++) stream.learn(input.times[i], [input.columns.value[i]])
  return stream.snapshot()
}

/** A daily tide with noise, of 1.5 lookbacks of the detector and 1,000 to 3,000 rows, values around 100. */
function exampleSeries(detector: Detector): Frame<'value'> {
  const span = Math.max(1.5 * detector.lookback, 1000 * SECOND)
  const step = Math.max(1, Math.min(30 * MINUTE, roundStep(span / 2000)))
  const size = Math.ceil(span / step) + 50
  const random = mulberry(7)
  const times = Float64Array.from({ length: size }, (_, i) => START + i * step)
  const values = times.map(
    time => 100 + 20 * Math.sin((2 * Math.PI * time) / 86_400_000) + 4 * (random() + random() + random() - 1.5),
  )
  return fromValues(times, values, { __name__: 'example' })
}

/** The nearest step that people use and that divides a week. */
export function roundStep(ms: number): number {
  const steps = [0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800].map(seconds => seconds * SECOND)
  return steps.findLast(step => step <= ms) ?? steps[0]
}

/** Uniform numbers 0 … 1 of a 32-bit state (mulberry32, T. Ettinger). */
export function mulberry(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

function withValues(input: Frame<'value'>, change: (value: number, i: number) => number): Frame<'value'> {
  return { ...input, columns: { value: input.columns.value.map(change) } }
}

function rows(input: Frame<'value'>, from: number, to: number): Frame<'value'> {
  return { ...input, times: input.times.slice(from, to), columns: { value: input.columns.value.slice(from, to) } }
}

const stepOf = ({ times }: Frame) => times[1] - times[0]
const whole = (input: Frame) => ({ start: input.times[0], end: input.times.at(-1)! + 1 })
const lastPart = (input: Frame, share: number) => ({
  start: input.times[Math.floor((1 - share) * input.times.length)],
  end: whole(input).end,
})

function largest(values: Float64Array): number {
  return values.reduce((most, value) => (value > most ? value : most), -Infinity)
}

/** Scores, then teaches, row by row. */
function follow(stream: Stream, input: Frame<'value'>): Scores {
  const columns = Object.fromEntries(COLUMNS.map(name => [name, new Float64Array(input.times.length)])) as Scores['columns']
  for (let i = 0; i < input.times.length; i++) {
    const row = [input.columns.value[i]]
    const judgement = stream.score(input.times[i], row)
    for (const name of COLUMNS) columns[name][i] = judgement[name]
    stream.learn(input.times[i], row)
  }
  return { labels: input.labels, times: input.times, columns }
}

function part({ labels, times, columns }: Scores, from: number, to: number): Scores {
  return {
    labels,
    times: times.slice(from, to),
    columns: Object.fromEntries(COLUMNS.map(name => [name, columns[name].slice(from, to)])) as Scores['columns'],
  }
}

export function assertSame(a: Scores, b: Scores): void {
  assert.deepEqual(b.times, a.times)
  // Not as arrays: of these NaN is told from NaN by its bits, and a difference between long ones takes a second to be shown.
  for (const name of COLUMNS)
    for (let i = 0; i < a.times.length; i++) {
      const [one, other] = [a.columns[name][i], b.columns[name][i]]
      if (!Object.is(one, other)) assert.fail(`${name} of row ${i} must be the same, got ${one} and ${other}`)
    }
}

function assertClose(a: Scores, b: Scores): void {
  for (const name of COLUMNS)
    for (let i = 0; i < a.times.length; i++) {
      const [one, other] = [a.columns[name][i], b.columns[name][i]]
      const near = Number.isNaN(one) ? Number.isNaN(other) : Math.abs(one - other) <= 1e-4 * (1 + Math.abs(one))
      assert.ok(near, `${name} of row ${i} must be ${one}, got ${other}`)
    }
}
