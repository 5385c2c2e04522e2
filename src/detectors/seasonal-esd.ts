import { z } from 'zod'
import { component } from '../component.ts'
import { DAY } from '../duration.ts'
import { generalizedEsd } from '../math/generalized-esd.ts'
import { isMeasured } from '../math/is-measured.ts'
import { stl } from '../math/stl.ts'
import { duration } from '../schema.ts'
import { copyState } from '../state.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'
import type { Decompose } from './season-cycles.ts'
import { emptyCycles, findCycles, seasonAt } from './season-cycles.ts'
import type { SeasonSlots } from './season-slots.ts'
import { addToSlots, emptySlots, SLOTS } from './season-slots.ts'

const config = z.strictObject({
  season: duration().default(DAY).describe('period of the tide'),
  keep: z.int().min(2).max(60).default(7).describe('seasons that are decomposed'),
  window: z
    .int()
    .min(200)
    .max(20_160)
    .default(2016)
    .describe('rows whose median and median absolute deviation are usual; 16 bytes each'),
  alpha: z.number().positive().max(0.5).default(0.05).describe('level of significance of the test'),
  most: z.number().min(0).max(0.4).default(0.05).describe('share of the rows that can be outliers'),
})

/** Rows between tests of the window. */
const TEST = 144
const FIRST = 100
const FLOOR = 0.005

const decompose: Decompose = (values, [period]) => {
  const { seasonal, trend } = stl(values, { period, outer: 5, jump: Math.ceil(period / 10) })
  return { seasonals: [seasonal], trend }
}

/**
 * Seasonal hybrid ESD (Hochenbaum, Vallis & Kejariwal 2017, sections 3.2 and 3.3; generalized ESD: Rosner 1983), made causal: the season comes from
 * robust decomposition of the last whole seasons, the median stands for the trend, and every 144 rows the test is run on the last `window` rows without
 * season. The score is the test's statistic: distance from the median in scaled MADs, both of the rows that are no outliers. The band is the test's
 * critical value, so a row outside is an outlier at `alpha`.
 */
export const seasonalEsd = component({
  type: 'seasonal-esd',
  summary:
    'Distance from season and median in median absolute deviations, with the band of the extreme studentized deviate test.',
  config,
  create: options => fromStream({ lookback: 4 * options.season, open: snapshot => openSeasonalEsd(options, snapshot) }),
  examples: [{}, { season: '6m', keep: 3, window: 300 }],
})

interface Memory extends Record<string, unknown> {
  version: 1
  slots: SeasonSlots
  fitted: boolean
  cycles: Float64Array[]
  rows: number
  /** The last rows, as rings. */
  times: Float64Array
  values: Float64Array
  /** What the last test said; NaN before. */
  median: number
  scale: number
  critical: number
}

function openSeasonalEsd({ season, keep, window, alpha, most }: z.output<typeof config>, snapshot?: State): Stream {
  const seasons = [season]
  const m: Memory =
    snapshot?.version === 1
      ? (copyState(snapshot) as unknown as Memory)
      : {
          version: 1,
          slots: emptySlots(keep),
          fitted: false,
          cycles: emptyCycles(seasons),
          rows: 0,
          times: new Float64Array(window),
          values: new Float64Array(window),
          median: NaN,
          scale: NaN,
          critical: NaN,
        }
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  const rest = new Float64Array(window)

  function test(): void {
    const known = Math.min(m.rows, window)
    if (!m.fitted || known < FIRST) return
    for (let i = 0; i < known; i++) rest[i] = m.values[i] - seasonAt(m.cycles, seasons, m.times[i])
    const found = generalizedEsd(rest.subarray(0, known), Math.floor(most * known), alpha)
    m.median = found.median
    m.scale = found.scale
    m.critical = found.critical
  }

  return {
    score(time, row) {
      const x = row[0]
      judgement.value = x
      judgement.score = judgement.expected = judgement.lower = judgement.upper = NaN
      if (Number.isNaN(m.critical)) return judgement
      const expected = m.median + seasonAt(m.cycles, seasons, time)
      const scaleFor = (value: number) => Math.max(m.scale, FLOOR * Math.max(Math.abs(expected), Math.abs(value)))
      const margin = m.critical * scaleFor(expected)
      judgement.expected = expected
      judgement.lower = expected - margin
      judgement.upper = expected + margin
      if (isMeasured(x)) judgement.score = Math.abs(x - expected) / scaleFor(x)
      return judgement
    },
    learn(time, row) {
      const x = row[0]
      if (!isMeasured(x)) return
      const ended = addToSlots(m.slots, Math.floor((time / season) * SLOTS), x)
      const found = ended > 0 && findCycles(m.slots, seasons, decompose, m.cycles)
      m.times[m.rows % window] = time
      m.values[m.rows % window] = x
      m.rows++
      if (found) m.fitted = true
      if (found || m.rows % TEST === 0) test()
    },
    snapshot: () => copyState(m) as unknown as State,
  }
}
