import { z } from 'zod'
import { component } from '../component.ts'
import { HOUR, MINUTE } from '../duration.ts'
import { isMeasured } from '../math/is-measured.ts'
import { duration } from '../schema.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'
import { type Interruptions, learnInterruption, noInterruptions, shrink } from './interruptions.ts'

const config = z.strictObject({
  patience: duration()
    .optional()
    .describe('how long data may be missing, when gaps are unusual; default three steps, and not for one missed scrape'),
  flat: duration()
    .optional()
    .describe('least time without any change that is suspicious, for series that normally vary; default 60 steps'),
  down: z.number().optional().describe('a value that means the target is down: 0 for `up`'),
  grace: duration().prefault('5m').describe('how long a workload may have fewer series than before until it is reported'),
})

/** Rows with a value before missing data means anything: a series must have been there to vanish. */
const WARM_UP = 5
/** A flat line is suspicious only after so many changes, and when at least half of the rows changed. */
const LIVELY = 30
/**
 * One missed scrape must not count, however short the step is: a failed scrape leaves a hole of one scrape interval, and `rate` over two of them
 * one that is a little longer. The interval is learned as the usual time between changes; most are not longer than a minute.
 */
const SCRAPES = 2.5
const LONGEST_SCRAPE = MINUTE
/** Weight of one change in the usual time between changes: about forty changes go from a minute to a second. */
const CHANGE_WEIGHT = 0.1

/**
 * Missing data is evidence. The score is the time a series has been missing (or at `down`, or flat) as a multiple of what it may be:
 * 1 is clearly missing, 0 is present; NaN before a series was ever there. What it may be grows with the gaps and flat stretches the series
 * usually has. `expected` is the last value seen; there is no band.
 */
export const absence = component({
  type: 'absence',
  summary: 'Series that vanish, stand still or report down for longer than they usually do; 1 is clearly missing.',
  config,
  create: options =>
    fromStream({
      lookback: 6 * HOUR,
      missingData: { isMissing: value => Number.isNaN(value) || value === options.down, grace: options.grace },
      open: snapshot => openAbsence(options, snapshot),
    }),
  examples: [{}, { patience: '5m', flat: '2h' }, { down: 0, grace: '10m' }],
})

interface Memory extends Record<string, unknown> {
  version: 2
  rows: number
  changes: number
  step: number
  /** Time of the last row, of the last row that was present, and of the last change. */
  time: number
  present: number
  moved: number
  last: number
  /** Usual time between changes (ms), at most `LONGEST_SCRAPE`. */
  scrape: number
  gaps: Interruptions
  flats: Interruptions
}

function openAbsence({ patience, flat, down }: z.output<typeof config>, snapshot?: State): Stream {
  const memory = remembered(snapshot)
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  const isPresent = (x: number) => !Number.isNaN(x) && x !== down
  // The row after the last value is due one step later: only what is beyond that is missing, plus the step of the row itself.
  const allowedGap = () => Math.max(patience ?? Math.max(3 * memory.step, SCRAPES * memory.scrape), 2 * memory.gaps.usual)
  const allowedFlat = () => Math.max(flat ?? 60 * memory.step, 3 * memory.flats.usual)
  const missing = (time: number) => time - memory.present
  return {
    score(time, row) {
      const x = row[0]
      judgement.value = x
      judgement.expected = memory.last
      if (memory.rows < WARM_UP) judgement.score = NaN
      else if (!isPresent(x)) judgement.score = missing(time) / allowedGap()
      else {
        const lively = memory.changes >= LIVELY && memory.changes >= memory.rows / 2
        judgement.score = lively && x === memory.last ? (time - memory.moved) / allowedFlat() : 0
      }
      return judgement
    },
    learn(time, row) {
      const x = row[0]
      learnStep(memory, time)
      if (!isPresent(x)) return
      const gone = missing(time) - memory.step
      if (gone > 0.5 * memory.step) learnInterruption(memory.gaps, gone, allowedGap(), time)
      else shrink(memory.gaps)
      if (x !== memory.last) {
        const still = memory.present - memory.moved
        if (memory.rows >= WARM_UP && still > memory.flats.usual) learnInterruption(memory.flats, still, allowedFlat(), time)
        else shrink(memory.flats)
        // A change after missing rows says nothing of scrapes.
        if (missing(time) <= 1.5 * memory.step) learnScrape(memory, time - memory.moved)
        memory.changes++
        memory.moved = time
        memory.last = isMeasured(x) ? x : NaN
      }
      memory.present = time
      memory.rows++
      // The share of changing rows is that of the last few thousand rows.
      if (memory.rows > 4000) {
        memory.rows /= 2
        memory.changes /= 2
      }
    },
    snapshot: () => ({ ...memory, gaps: { ...memory.gaps }, flats: { ...memory.flats } }),
    tolerance: allowedGap,
  }
}

function remembered(snapshot: State | undefined): Memory {
  if (snapshot?.version === 2) {
    const memory = snapshot as unknown as Memory
    return { ...memory, gaps: { ...memory.gaps }, flats: { ...memory.flats } }
  }
  const fresh: Memory = {
    version: 2,
    rows: 0,
    changes: 0,
    step: NaN,
    time: NaN,
    present: NaN,
    moved: NaN,
    last: NaN,
    scrape: LONGEST_SCRAPE,
    gaps: noInterruptions(),
    flats: noInterruptions(),
  }
  if (snapshot?.version !== 1) return fresh
  const { usualGap, usualFlat, ...same } = snapshot as unknown as Omit<Memory, 'version'> & {
    usualGap: number
    usualFlat: number
  }
  return {
    ...fresh,
    ...same,
    version: 2,
    gaps: { ...noInterruptions(), usual: usualGap },
    flats: { ...noInterruptions(), usual: usualFlat },
  }
}

/** Steps are learned from neighbouring rows; a hole in the rows themselves must not stretch them. */
function learnStep(memory: Memory, time: number): void {
  const gap = time - memory.time
  if (gap > 0)
    memory.step = !(memory.step <= gap) ? gap : gap < 1.5 * memory.step ? memory.step + 0.05 * (gap - memory.step) : memory.step
  memory.time = time
}

function learnScrape(memory: Memory, between: number): void {
  if (!(between > 0)) return
  const factor = 1 + CHANGE_WEIGHT
  const next = between > memory.scrape ? memory.scrape * factor : Math.max(between, memory.scrape / factor)
  memory.scrape = Math.min(next, LONGEST_SCRAPE)
}
