import assert from 'node:assert/strict'
import { deserialize, serialize } from 'node:v8'
import { DAY, HOUR, MINUTE, WEEK } from '../duration.ts'
import { type Frame, fromValues } from '../frame/frame.ts'
import type { State } from '../state.ts'
import { type Transform, type TransformStream, transformFrame } from '../transforms/transform.ts'

/** What every transform promises. `check` throws an `AssertionError` on a breach. */
export interface TransformLaw {
  readonly name: string
  check(transform: Transform): void
}

/** A Monday. */
const START = Date.UTC(2024, 10, 4)
const STEP = 30 * MINUTE
const ROWS = 600

export const transformLaws: readonly TransformLaw[] = [
  {
    name: 'hands rows on in order, each once, none before its time',
    check(transform) {
      const { times } = exampleSeries()
      for (const frame of [exampleSeries(), withHoles()]) {
        const stream = transform.open()
        let last = -Infinity
        feed(stream, frame, (given, time, row) => {
          assert.ok(time > last, `time must be after ${last}, got ${time}`)
          assert.ok(time <= given, `a row of ${time} must not come out at ${given}`)
          assert.equal(row.length, 1, 'a row must have as many columns as went in')
          last = time
        })
        assert.ok(last > times[0], 'rows must come out')
      }
    },
  },
  {
    name: 'is late by no more than it says',
    check(transform) {
      const most = transform.delay(STEP)
      for (const frame of [exampleSeries(), withHoles()])
        feed(transform.open(), frame, (given, time) =>
          assert.ok(given - time <= most, `a row must come out within ${most} ms, got ${given - time}`),
        )
    },
  },
  {
    name: 'hands on rows as far apart as it says',
    check(transform) {
      const { times } = transformFrame(transform.open(), exampleSeries())
      const step = transform.stepAfter(STEP)
      assert.ok(times.length >= Math.floor((ROWS * STEP) / step) - 1, `there must be a row every ${step} ms`)
      for (let i = 1; i < times.length; i++) assert.equal(times[i] - times[i - 1], step, 'step must be what stepAfter says')
    },
  },
  {
    name: 'is deterministic',
    check(transform) {
      const frame = withHoles()
      assert.deepEqual(transformFrame(transform.open(), frame), transformFrame(transform.open(), frame))
    },
  },
  {
    name: 'does not write into its input',
    check(transform) {
      const frame = withHoles()
      const copy = structuredClone(frame)
      const stream = transform.open()
      for (let i = 0; i < frame.times.length; i++) {
        const row = Object.freeze([frame.columns.value[i]])
        stream.apply(frame.times[i], row, () => {})
      }
      transformFrame(transform.open(), frame)
      assert.deepEqual(frame, copy)
      // Typed arrays cannot be frozen: the row itself is looked at.
      const own = Float64Array.of(1)
      transform.open().apply(START, own, (_, row) => row.fill(9))
      assert.deepEqual(own, Float64Array.of(1), 'what is handed on must not be the row that was given')
    },
  },
  {
    name: 'makes nothing infinite',
    check(transform) {
      const cruel = [0, -0, 1e308, -1e308, 5e-324, NaN, 1e15, -1]
      const { times } = exampleSeries()
      const frame = fromValues(
        times,
        times.map((_, i) => cruel[(i * 7 + Math.floor(i / 10)) % cruel.length]),
      )
      for (const value of transformFrame(transform.open(), frame).columns.value)
        assert.ok(Math.abs(value) !== Infinity, `must be finite or NaN, got ${value}`)
    },
  },
  {
    name: 'hands on an infinite value as it is, once, and otherwise takes it as unknown',
    check(transform) {
      const { times, columns } = exampleSeries()
      const at = times.length >>> 1
      const after = (value: number) => {
        const values = columns.value.map((own, i) => (i === at ? value : own))
        return transformFrame(transform.open(), fromValues(times, values)).columns.value
      }
      const unknown = after(NaN)
      for (const infinite of [Infinity, -Infinity]) {
        const out = after(infinite)
        const place = out.indexOf(infinite)
        assert.ok(place >= 0, `${infinite} must come out, got no such row`)
        assert.deepEqual(
          Array.from(out).toSpliced(place, 1),
          Array.from(unknown).toSpliced(place, 1),
          'the other rows must be as if it were unknown',
        )
      }
    },
  },
  {
    name: 'makes nothing of nothing',
    check(transform) {
      const { times } = exampleSeries()
      const nothing = fromValues(times, new Float64Array(times.length).fill(NaN))
      const { value } = transformFrame(transform.open(), nothing).columns
      assert.ok(value.every(Number.isNaN), 'what was never known must stay unknown')
    },
  },
  {
    name: 'knows every row after its lookback',
    check(transform) {
      const { times, columns } = transformFrame(transform.open(), exampleSeries())
      const known = times.findIndex(time => time > START + transform.lookback)
      assert.ok(known >= 0, 'lookback must be shorter than the example')
      for (let i = known; i < times.length; i++)
        assert.ok(Number.isFinite(columns.value[i]), `row ${i} must be known after the lookback, got ${columns.value[i]}`)
    },
  },
  {
    name: 'recovers after a gap',
    check(transform) {
      const gap = exampleSeries(i => i > 350 && i < 420)
      const { times, columns } = transformFrame(transform.open(), gap)
      const after = times.findIndex(time => time > START + 420 * STEP + transform.lookback + transform.stepAfter(STEP))
      assert.ok(after > 0, 'rows must come out after a gap')
      assert.ok(columns.value.subarray(after).every(Number.isFinite), 'values must be known again after a gap')
    },
  },
  {
    name: 'does not look ahead',
    check(transform) {
      const frame = withHoles()
      const cut = 400
      const other = fromValues(
        frame.times,
        frame.columns.value.map((value, i) => (i < cut ? value : -3 * value + 7)),
      )
      const [a, b] = [frame, other].map(each => {
        const said: [number, number][] = []
        // A row that waits may be told by those it waits for, and by no other.
        const late = each.times[cut] - transform.delay(STEP)
        feed(transform.open(), each, (_, time, row) => time < late && said.push([time, row[0]]))
        return said
      })
      assert.deepEqual(a, b, 'what comes out must not depend on rows that went in later')
    },
  },
  {
    name: 'goes on from its snapshot',
    check(transform) {
      const frame = withHoles()
      const through = transformFrame(transform.open(), frame)
      for (const at of [0, 1, 7, 233, 301, 555]) {
        const stream = transform.open()
        const before = transformFrame(stream, rows(frame, 0, at))
        const snapshot = stream.snapshot()
        const stored = deserialize(serialize(snapshot)) as State
        assert.deepEqual(stored, snapshot, 'a snapshot must be plain data')
        transformFrame(stream, rows(frame, at, ROWS))
        assert.deepEqual(snapshot, stored, 'a snapshot must not change afterwards')
        const copy = structuredClone(stored)
        const after = transformFrame(transform.open(stored), rows(frame, at, ROWS))
        assert.deepEqual(stored, copy, 'a snapshot must not be written into')
        assert.deepEqual(Float64Array.from([...before.times, ...after.times]), through.times)
        assert.deepEqual(Float64Array.from([...before.columns.value, ...after.columns.value]), through.columns.value)
      }
    },
  },
  {
    name: 'does not grow without end',
    check(transform) {
      const stream = transform.open()
      const size = (turn: number) => {
        const { times, columns } = exampleSeries()
        transformFrame(stream, { labels: {}, times: times.map(time => time + turn * ROWS * STEP), columns })
        return serialize(stream.snapshot()).length
      }
      const once = size(0)
      let later = 0
      for (let turn = 1; turn <= 3; turn++) later = size(turn)
      // What is kept of a window is cut in pieces.
      assert.ok(later <= 2 * once + 4096, `a snapshot must stay of one size, got ${once} and then ${later} bytes`)
    },
  },
  {
    name: 'lets each column go its own way',
    check(transform) {
      const a = withHoles()
      const b = exampleSeries()
      const both = { labels: {}, times: a.times, columns: { a: a.columns.value, b: b.columns.value } }
      const together = valueAt(transformFrame(transform.open(), both))
      for (const [name, alone] of [
        ['a', a],
        ['b', b],
      ] as const) {
        const { times, columns } = transformFrame(transform.open(), alone)
        times.forEach((time, i) => {
          const seen = together(time, name)
          if (seen !== undefined) assert.deepEqual(seen, columns.value[i], `column ${name} must be what it is alone`)
        })
      }
    },
  },
  {
    name: 'says the same of times shifted by whole weeks',
    check(transform) {
      const frame = exampleSeries()
      const shifted = { ...frame, times: frame.times.map(time => time + 2 * WEEK) }
      const [here, there] = [frame, shifted].map(each => transformFrame(transform.open(), each))
      assert.deepEqual(
        there.times.map(time => time - 2 * WEEK),
        here.times,
      )
      here.columns.value.forEach((value, i) => {
        const other = there.columns.value[i]
        const near = Number.isNaN(value) ? Number.isNaN(other) : Math.abs(value - other) <= 1e-6 * (1 + Math.abs(value))
        assert.ok(near, `row ${i} must be ${value}, got ${other}`)
      })
    },
  },
]

/** A tide of a day around 100, between 60 and 140, with a noise that is the same each time. */
function exampleSeries(isMissing: (i: number) => boolean = () => false): Frame<'value'> {
  const times = Float64Array.from({ length: ROWS }, (_, i) => START + i * STEP)
  const values = times.map((time, i) =>
    isMissing(i) ? NaN : 100 + 25 * Math.sin((2 * Math.PI * time) / DAY) + 10 * Math.sin(i * i * 0.37),
  )
  return fromValues(times, values)
}

/** With holes of one row, of a few, and of many hours. */
function withHoles(): Frame<'value'> {
  return exampleSeries(i => i % 41 === 17 || (i > 230 && i < 235) || (i > 290 && i * STEP < 290 * STEP + 20 * HOUR) || i === 300)
}

function rows(frame: Frame<'value'>, from: number, to: number): Frame<'value'> {
  return { ...frame, times: frame.times.slice(from, to), columns: { value: frame.columns.value.slice(from, to) } }
}

function feed(
  stream: TransformStream,
  { times, columns }: Frame<'value'>,
  see: (given: number, time: number, row: Float64Array) => void,
): void {
  for (let i = 0; i < times.length; i++) stream.apply(times[i], [columns.value[i]], (time, row) => see(times[i], time, row))
}

function valueAt({ times, columns }: Frame<'a' | 'b'>): (time: number, name: 'a' | 'b') => number | undefined {
  const at = new Map([...times].map((time, i) => [time, i]))
  return (time, name) => (at.has(time) ? columns[name][at.get(time)!] : undefined)
}
