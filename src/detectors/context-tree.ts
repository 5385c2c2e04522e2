import { z } from 'zod'
import { component } from '../component.ts'
import { DAY } from '../duration.ts'
import { clamp } from '../math/clamp.ts'
import { isMeasured } from '../math/is-measured.ts'
import type { Contexts, ContextsState } from '../models/context-tree.ts'
import { rememberContexts } from '../models/context-tree.ts'
import { copyState } from '../state.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'

const config = z.strictObject({
  contexts: z.int().min(64).max(65_536).default(2048).describe('contexts that are remembered'),
  margin: z
    .number()
    .min(0)
    .max(10)
    .default(1)
    .describe('the seven steps of values reach over the range seen, and so many ranges beyond it on either side'),
  rest: z.int().min(1).default(120).describe('rows of silence after an unexpected one'),
})
type Config = z.output<typeof config>

/** Steps from low to high; the top value is a symbol of its own. */
const STEPS = 7
/** Rows from which the range is first known; it is learned anew at each doubling up to `RANGE_ROWS`, and after each such number of rows. */
const FIRST_RANGE = 128
const RANGE_ROWS = 4096
/** Rows before the first score. */
const WARM_UP = 256
/** From here on a raw score starts the rest. */
const HIGH = 0.75
/** Puts the raw score, 0 … 1, beside scores in standard deviations. */
const SCALE = 10
const FLOOR = 0.01
const SEEN_FLOOR = 0.001

/**
 * Context anomaly detection (CAD OSE, M. Smirnov; see `rememberContexts`) made causal: the range that values are cut into steps by is
 * not that of the whole series but of the newest 4,096 rows, widened, and learned anew at fixed row counts. The score is ten times
 * that of the contexts, 0 while one of the `rest` rows before was high, plus log2(1 + ranges outside the widened range). Undecided for
 * 256 rows. Knows no expected value; the band is the widened range. A stream keeps 86 bytes a context and 32 KB of values.
 */
export const contextTree = component({
  type: 'context-tree',
  summary: 'Symbols that the contexts before them did not foretell (CAD OSE, causal).',
  config,
  create: options => fromStream({ lookback: DAY, open: snapshot => openContexts(options, snapshot) }),
  examples: [{}, { contexts: 128, margin: 2, rest: 30 }],
})

interface Memory extends Record<string, unknown> {
  version: 1
  seen: number
  values: Float64Array
  low: number
  high: number
  /** Rows since the last high one. */
  calm: number
}

function openContexts({ contexts: cap, margin, rest }: Config, snapshot?: State): Stream {
  const { contexts: state, ...known } = copyState(snapshot ?? {}) as Partial<Memory> & { contexts?: ContextsState }
  const m: Memory =
    snapshot?.version === 1
      ? (known as Memory)
      : { version: 1, seen: 0, values: new Float64Array(RANGE_ROWS).fill(NaN), low: NaN, high: NaN, calm: 0 }
  const contexts: Contexts = rememberContexts(cap, state)
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  const widthOf = () => Math.max(m.high - m.low, FLOOR * Math.max(Math.abs(m.high), Math.abs(m.low)), 1e-12)
  const symbolOf = (x: number) => {
    const width = widthOf() * (1 + 2 * margin)
    return clamp(Math.floor(((x - m.low + margin * widthOf()) / width) * STEPS), 0, STEPS)
  }

  return {
    score(_time, row) {
      const x = row[0]
      judgement.value = x
      judgement.score = judgement.lower = judgement.upper = NaN
      if (m.seen < WARM_UP) return judgement
      const width = widthOf()
      judgement.lower = m.low - margin * width
      judgement.upper = m.high + margin * width
      if (!isMeasured(x)) return judgement
      const outside = Math.max(0, judgement.lower - x, x - judgement.upper) / Math.max(width, SEEN_FLOOR * Math.abs(x))
      judgement.score = (m.calm >= rest ? SCALE * contexts.score(symbolOf(x)) : 0) + Math.log2(1 + outside)
      return judgement
    },
    learn(_time, row) {
      const x = row[0]
      if (!isMeasured(x)) return
      m.values[m.seen % RANGE_ROWS] = x
      m.seen++
      if (m.seen > FIRST_RANGE) {
        const symbol = symbolOf(x)
        m.calm = contexts.score(symbol) >= HIGH ? 0 : Math.min(m.calm + 1, 1e9)
        contexts.learn(symbol)
      }
      const isDue = m.seen % RANGE_ROWS === 0 || (m.seen < RANGE_ROWS && Number.isInteger(Math.log2(m.seen / FIRST_RANGE)))
      if (m.seen < FIRST_RANGE || !isDue) return
      m.low = Infinity
      m.high = -Infinity
      for (const value of m.values) {
        if (value < m.low) m.low = value
        if (value > m.high) m.high = value
      }
    },
    snapshot: () => ({ ...copyState(m), contexts: contexts.state() }),
  }
}
