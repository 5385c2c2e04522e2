import { z } from 'zod'
import { component } from '../component.ts'
import { HOUR } from '../duration.ts'
import { isMeasured } from '../math/is-measured.ts'
import { duration } from '../schema.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  patience: duration().optional().describe('missing for so long is clearly silent, when gaps are unusual; default three steps'),
  flat: duration()
    .optional()
    .describe('least time without any change that is suspicious, for series that normally vary; default 60 steps'),
  down: z.number().optional().describe('a value that means the target is down: 0 for `up`'),
})

/** Rows with a value before silence means anything: a series must have been there to vanish. */
const WARM_UP = 5
/** A flat line is suspicious only after so many changes, and when at least half of the rows changed. */
const LIVELY = 30

/**
 * Missing data is evidence. The score is the time a series has been missing (or at `down`, or flat) as a multiple of what it may be:
 * 1 is clearly silent, 0 is present; NaN before a series was ever there. What it may be grows with the gaps and flat stretches the series
 * usually has. `expected` is the last value seen; there is no band.
 */
export const absence = component({
  type: 'absence',
  summary: 'Series that vanish, stand still or report down for longer than they usually do; 1 is clearly silent.',
  config,
  create: options => fromStream({ lookback: 6 * HOUR, findsMissingData: true, open: snapshot => openAbsence(options, snapshot) }),
  examples: [{}, { patience: '5m', flat: '2h' }, { down: 0 }],
})

interface Silence extends Record<string, unknown> {
  version: 1
  rows: number
  changes: number
  step: number
  time: number
  present: number
  last: number
  moved: number
  usualGap: number
  usualFlat: number
}

function openAbsence({ patience, flat, down }: z.output<typeof config>, snapshot?: State): Stream {
  const s: Silence =
    snapshot?.version === 1
      ? ({ ...snapshot } as unknown as Silence)
      : { version: 1, rows: 0, changes: 0, step: NaN, time: NaN, present: NaN, last: NaN, moved: NaN, usualGap: 0, usualFlat: 0 }
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  const isPresent = (x: number) => !Number.isNaN(x) && x !== down
  // The row after the last value is due one step later: only what is beyond that is missing, plus the step of the row itself.
  const allowedGap = () => Math.max(patience ?? 3 * s.step, 2 * s.usualGap)
  const allowedFlat = () => Math.max(flat ?? 60 * s.step, 3 * s.usualFlat)
  const missing = (time: number) => time - s.present
  return {
    score(time, row) {
      const x = row[0]
      judgement.value = x
      judgement.expected = s.last
      if (s.rows < WARM_UP) judgement.score = NaN
      else if (!isPresent(x)) judgement.score = missing(time) / allowedGap()
      else {
        const lively = s.changes >= LIVELY && s.changes >= s.rows / 2
        judgement.score = lively && x === s.last ? (time - s.moved) / allowedFlat() : 0
      }
      return judgement
    },
    learn(time, row) {
      const x = row[0]
      const gap = time - s.time
      // Steps are told by neighbouring rows; a hole in the rows themselves must not stretch them.
      if (gap > 0) s.step = !(s.step <= gap) ? gap : gap < 1.5 * s.step ? s.step + 0.05 * (gap - s.step) : s.step
      s.time = time
      if (!isPresent(x)) return
      if (s.rows >= WARM_UP) {
        const gone = missing(time) - s.step
        if (gone > 0.5 * s.step) s.usualGap = grow(s.usualGap, gone, allowedGap())
        else s.usualGap *= 0.9999
      }
      if (x !== s.last) {
        const still = s.present - s.moved
        if (s.rows >= WARM_UP) s.usualFlat = still > s.usualFlat ? grow(s.usualFlat, still, allowedFlat()) : s.usualFlat * 0.9999
        s.changes++
        s.moved = time
        s.last = isMeasured(x) ? x : NaN
      }
      s.present = time
      s.rows++
      // The share of changing rows is that of the last few thousand rows.
      if (s.rows > 4000) {
        s.rows /= 2
        s.changes /= 2
      }
    },
    snapshot: () => ({ ...s }),
  }
}

/** Half way to what was seen, and never further than twice what was allowed: one outage does not make outages usual. */
function grow(usual: number, seen: number, allowed: number): number {
  return seen > usual ? usual + 0.5 * (Math.min(seen, 2 * allowed) - usual) : usual * 0.98 + 0.02 * seen
}
