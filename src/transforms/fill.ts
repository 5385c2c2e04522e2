import { z } from 'zod'
import { component } from '../component.ts'
import { isBeyondMeasure, isMeasured } from '../math/is-measured.ts'
import { duration } from '../schema.ts'
import type { State } from '../state.ts'
import { copyState } from '../state.ts'
import { fromCells } from './from-cells.ts'
import type { Emit, Transform, TransformStream } from './transform.ts'

const config = z.strictObject({
  gaps: z
    .enum(['hold', 'interpolate', 'alert', 'ignore'])
    .default('hold')
    .describe(
      'hold the last value, draw a line to the next (rows wait for it), put in `value` so that the gap is seen, or leave it',
    ),
  limit: duration().prefault('5m').describe('hold and interpolate: the longest time between two known values that is filled'),
  value: z.number().default(0).describe('alert: what a missing row says'),
})

/**
 * Says what a missing row means. `hold` repeats the last value until `limit` after it. `interpolate` draws a line between two known values at
 * most `limit` apart; because the next value is not known yet, the rows of a gap wait for it, `limit` at most, and then come out unknown; rows
 * outside gaps do not wait. `alert` makes a gap a value, 0 unless told otherwise, so that a detector of values sees it. Rows that are not in the
 * frame at all are not made.
 */
export const fill = component<Transform, typeof config>({
  type: 'fill',
  summary: 'Says what a missing row means: the last value, a line to the next one, a value that alerts, or nothing.',
  config,
  examples: [{}, { gaps: 'interpolate', limit: '1h' }, { gaps: 'alert' }, { gaps: 'ignore' }],
  create({ gaps, limit, value }) {
    if (gaps === 'interpolate')
      return { lookback: 0, delay: () => limit, stepAfter: step => step, open: snapshot => openInterpolate(limit, snapshot) }
    return fromCells({
      lookback: 0,
      start: () => ({ time: NaN, last: NaN }),
      apply(cell, time, x) {
        if (!Number.isNaN(x)) {
          cell.time = time
          cell.last = x
          return x
        }
        if (gaps === 'alert') return value
        return gaps === 'hold' && time - cell.time <= limit ? cell.last : NaN
      },
    })
  },
})

interface Waiting extends Record<string, unknown> {
  /** Last known time and value of each column. */
  knownAt: number[]
  known: number[]
  /** Rows that wait, in order of time. */
  times: number[]
  rows: Float64Array[]
}

function openInterpolate(limit: number, snapshot?: State): TransformStream {
  const s: Waiting =
    snapshot?.version === 1 ? copyState(snapshot.waiting as Waiting) : { knownAt: [], known: [], times: [], rows: [] }
  /** A cell waits while a value may still come that is near enough to the one before it. */
  const waits = (i: number, now: number) =>
    s.rows[i].some((value, c) => Number.isNaN(value) && s.times[i] > s.knownAt[c] && s.knownAt[c] + limit > now)
  const release = (now: number, emit: Emit) => {
    let ready = 0
    while (ready < s.rows.length && !waits(ready, now)) ready++
    if (ready === 0) return
    const times = s.times.splice(0, ready)
    const rows = s.rows.splice(0, ready)
    for (let i = 0; i < ready; i++) emit(times[i], rows[i])
  }
  return {
    apply(time, row, emit) {
      const own = Float64Array.from({ length: row.length }, (_, c) =>
        isMeasured(row[c]) || isBeyondMeasure(row[c]) ? row[c] : NaN,
      )
      for (let c = 0; c < own.length; c++) {
        if (!isMeasured(own[c])) continue
        const [from, before] = [s.knownAt[c], s.known[c]]
        if (time - from <= limit)
          for (let i = s.rows.length - 1; i >= 0 && s.times[i] > from; i--)
            if (!isBeyondMeasure(s.rows[i][c])) s.rows[i][c] = before + ((own[c] - before) * (s.times[i] - from)) / (time - from)
        s.knownAt[c] = time
        s.known[c] = own[c]
      }
      s.times.push(time)
      s.rows.push(own)
      release(time, emit)
    },
    snapshot: () => ({ version: 1, waiting: copyState(s) }),
  }
}
