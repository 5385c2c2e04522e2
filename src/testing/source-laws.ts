import assert from 'node:assert/strict'
import { type Labels, seriesId } from '../anomaly.ts'
import { SourceError } from '../errors.ts'
import type { TimeRange } from '../frame/frame.ts'
import type { SeriesAnswer, Source } from '../sources/source.ts'

/** A source whose world is known, for the laws. */
export interface SourceSubject {
  /** A new source over the known world. */
  make(): Source | Promise<Source>
  /** The same source over a world that cannot give all of the answer; undefined when there is no such thing. */
  makeBroken?(): Source | Promise<Source>
  /** Selects at least one series, one of which has a stretch without samples. */
  readonly expr: string
  /** Starts and ends beside the grid, to see that it is not moved. */
  readonly range: TimeRange
  readonly step: number
  /** What the world holds: NaN where there is no sample. */
  valueAt(labels: Labels, time: number): number
  /** Identities (`seriesId`) of all series of `expr`. */
  readonly series: readonly string[]
  /** Questions that reached the other side since the source was made, when they can be counted. */
  countRequests?(): number
  /** Texts that must not be seen. */
  readonly secrets?: readonly string[]
}

/** A promise of every source. `check` throws on a breach. */
export interface SourceLaw {
  readonly name: string
  check(subject: SourceSubject): Promise<void>
}

const never = () => new AbortController().signal

async function readAll(subject: SourceSubject, range = subject.range): Promise<SeriesAnswer> {
  const source = await subject.make()
  return source.read({ expr: subject.expr, range, step: subject.step }, never())
}

function grid({ start, end }: TimeRange, step: number): number[] {
  const times: number[] = []
  for (let time = Math.ceil(start / step) * step; time < end; time += step) times.push(time)
  return times
}

/** Laws of sources, each proved by a lawbreaker in `source-laws.test.ts`. */
export const sourceLaws: readonly SourceLaw[] = [
  {
    name: 'answers at every multiple of the step in the range and at no other time',
    async check(subject) {
      const expected = grid(subject.range, subject.step)
      assert.ok(expected.length > 3, 'the subject must have a range of several steps')
      for (const { labels, times } of (await readAll(subject)).frames)
        assert.deepEqual(Array.from(times), expected, `times of ${seriesId(labels)}`)
    },
  },
  {
    name: 'gives one column, as long as the times, and marks NaN that was sent',
    async check(subject) {
      for (const { times, columns, notANumber } of (await readAll(subject)).frames) {
        assert.deepEqual(Object.keys(columns), ['value'])
        assert.equal(columns.value.length, times.length)
        if (!notANumber) continue
        assert.equal(notANumber.length, times.length)
        assert.ok(
          notANumber.every((mark, i) => mark === 0 || Number.isNaN(columns.value[i])),
          'only a row that is NaN may be marked as NaN that was sent',
        )
      }
    },
  },
  {
    name: 'gives every series once, and no other',
    async check(subject) {
      const ids = (await readAll(subject)).frames.map(({ labels }) => seriesId(labels)).sort()
      assert.deepEqual(ids, [...subject.series].sort())
    },
  },
  {
    name: 'gives the values that are there',
    async check(subject) {
      let compared = 0
      for (const { labels, times, columns } of (await readAll(subject)).frames)
        times.forEach((time, i) => {
          const expected = subject.valueAt(labels, time)
          if (Number.isNaN(expected)) return
          compared++
          assert.equal(columns.value[i], expected, `${seriesId(labels)} at ${time}`)
        })
      assert.ok(compared > 0, 'the subject must have values')
    },
  },
  {
    name: 'gives NaN where there is no sample, not zero and not the one before',
    async check(subject) {
      let absent = 0
      for (const { labels, times, columns } of (await readAll(subject)).frames)
        times.forEach((time, i) => {
          if (!Number.isNaN(subject.valueAt(labels, time))) return
          absent++
          assert.ok(Number.isNaN(columns.value[i]), `${seriesId(labels)} at ${time} must be NaN, got ${columns.value[i]}`)
        })
      assert.ok(absent > 0, 'the subject must have a time without a sample')
    },
  },
  {
    name: 'says the same of a time whichever range is asked',
    async check(subject) {
      const whole = await readAll(subject)
      const times = grid(subject.range, subject.step)
      const start = times[Math.floor(times.length / 2)]
      const part = await readAll(subject, { start, end: subject.range.end })
      const known = new Map(whole.frames.map(frame => [seriesId(frame.labels), frame]))
      for (const { labels, columns } of part.frames) {
        const all = known.get(seriesId(labels))
        assert.ok(all, `${seriesId(labels)} must also be in the whole range`)
        assert.deepEqual(Array.from(columns.value), Array.from(all.columns.value.subarray(times.indexOf(start))))
      }
    },
  },
  {
    name: 'gives the same answer twice, in memory of its own',
    async check(subject) {
      const source = await subject.make()
      const ask = () => source.read({ expr: subject.expr, range: subject.range, step: subject.step }, never())
      const first = await ask()
      const values = first.frames.map(({ columns }) => Array.from(columns.value))
      for (const { columns } of first.frames) columns.value.fill(-1)
      const second = await ask()
      assert.deepEqual(
        second.frames.map(({ columns }) => Array.from(columns.value)),
        values,
      )
    },
  },
  {
    name: 'answers an empty range without rows',
    async check(subject) {
      const { start } = subject.range
      for (const { times } of (await readAll(subject, { start, end: start })).frames) assert.equal(times.length, 0)
    },
  },
  {
    name: 'gives all of an answer or a SourceError',
    async check(subject) {
      const source = await subject.makeBroken?.()
      if (!source) return
      await assert.rejects(
        async () => source.read({ expr: subject.expr, range: subject.range, step: subject.step }, never()),
        (error: unknown) => error instanceof SourceError && typeof error.retryable === 'boolean' && error.message.length > 0,
      )
    },
  },
  {
    name: 'rejects with the reason of the signal, before and during',
    async check(subject) {
      const reason = new Error('enough')
      const query = { expr: subject.expr, range: subject.range, step: subject.step }
      const stopped = AbortSignal.abort(reason)
      const source = await subject.make()
      const asks: Readonly<Record<string, () => Promise<unknown>>> = {
        read: () => source.read(query, stopped),
        latest: () => source.latest({ expr: subject.expr, time: subject.range.end }, stopped),
        names: () => source.names(stopped),
        check: () => source.check(stopped),
      }
      for (const [name, ask] of Object.entries(asks)) {
        const outcome = await Promise.resolve()
          .then(ask)
          .then(
            () => 'an answer',
            error => error,
          )
        assert.equal(outcome, reason, `${name} must reject with the reason of the signal`)
      }
      if (!subject.countRequests) return
      const stop = new AbortController()
      const reading = source.read(query, stop.signal)
      stop.abort(reason)
      await assert.rejects(reading, error => error === reason)
    },
  },
  {
    name: 'asks the other side for nothing twice',
    async check(subject) {
      const source = await subject.make()
      const before = subject.countRequests?.() ?? 0
      const { requests } = await source.read({ expr: subject.expr, range: subject.range, step: subject.step }, never())
      assert.equal(new Set(requests).size, requests.length, 'no request may be made twice')
      if (subject.countRequests) assert.equal(subject.countRequests() - before, requests.length, 'each request must be told')
    },
  },
  {
    name: 'gives the latest value of each series in one row at the time asked',
    async check(subject) {
      const source = await subject.make()
      const time = grid(subject.range, subject.step)[0]
      const { frames } = await source.latest({ expr: subject.expr, time }, never())
      assert.ok(frames.length > 0, 'the subject must have a value at the first time')
      for (const { labels, times, columns } of frames) {
        assert.deepEqual(Array.from(times), [time])
        assert.ok(subject.series.includes(seriesId(labels)), `${seriesId(labels)} must be one of the series`)
        assert.equal(columns.value[0], subject.valueAt(labels, time))
      }
    },
  },
  {
    name: 'names its metrics once each, and answers a check',
    async check(subject) {
      const source = await subject.make()
      await source.check(never())
      const names = await source.names(never())
      assert.ok(names.length > 0, 'must have names')
      assert.equal(new Set(names).size, names.length)
    },
  },
  {
    name: 'shows no secret in requests, warnings and errors',
    async check(subject) {
      const said: string[] = []
      for (const make of [subject.make, subject.makeBroken]) {
        const source = await make?.call(subject)
        await source?.read({ expr: subject.expr, range: subject.range, step: subject.step }, never()).then(
          answer => said.push(...answer.requests, ...answer.warnings),
          (error: SourceError) => said.push(error.message, ...(error.requests ?? []), String(error.cause), error.stack ?? ''),
        )
      }
      for (const secret of subject.secrets ?? [])
        for (const text of said) assert.ok(!text.includes(secret), `a secret is in: ${text.replaceAll(secret, '***')}`)
    },
  },
]
