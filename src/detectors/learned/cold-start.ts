import type { Judgement, State, Stream } from '../detector.ts'
import { seasonal } from '../seasonal.ts'
import { vectorAutoregressive } from '../vector-autoregressive.ts'

/** Judges rows until there is a model. */
export interface ColdStart {
  /** Says value, band, channel and contributions of a row (which `into` has room for); returns its energy, whose root is 1 when all is usual; NaN while undecided. */
  look(time: number, row: ArrayLike<number>, into: Judgement): number
  learn(time: number, row: ArrayLike<number>): void
  snapshot(): State
}

interface Memory extends Record<string, unknown> {
  version: 1
  columns: number
  /** Mean square of the scores of the plain detector, and rows that it is from. */
  square: number
  judged: number
  inner: State
}

/** What is usual by itself counts as so many rows. */
const PRIOR = 50
const FORGET = 2000
/** A row lets the mean square grow by at most this part. */
const GROWTH = 0.04
/** Mean square, at least this part of what is usual by itself. */
const FLOOR = 0.05
/** Scores beyond so many count by their logarithm. */
const CAP = 30

const open: Record<'one' | 'several', (snapshot?: State) => Stream> = {
  one: seasonal.create(seasonal.config.parse({})).open!,
  several: vectorAutoregressive.create(vectorAutoregressive.config.parse({})).open!,
}

/** A plain detector with its defaults: `seasonal` for one column, `vector-autoregressive` for several; scores are divided by their running root mean square. */
export function openColdStart(columns: number, snapshot?: State): ColdStart {
  // The length of the residual of so many columns, each in its own deviation.
  const usual = columns
  const kept = snapshot?.version === 1 && snapshot.columns === columns ? (snapshot as unknown as Memory) : undefined
  const stream = open[columns > 1 ? 'several' : 'one'](kept?.inner)
  let square = kept?.square ?? usual
  let judged = kept?.judged ?? PRIOR

  const rawOf = ({ score, alarm = score }: Judgement) => alarm

  return {
    look(time, row, into) {
      const said = stream.score(time, row)
      into.value = said.value
      into.expected = said.expected
      into.lower = said.lower
      into.upper = said.upper
      if (columns > 1) into.channel = said.channel ?? NaN
      if (said.contributions) into.contributions?.set(said.contributions)
      const score = rawOf(said) / Math.sqrt(Math.max(square, FLOOR * usual))
      return (score > CAP ? CAP * (1 + Math.log(score / CAP)) : score) ** 2
    },
    learn(time, row) {
      const raw = rawOf(stream.score(time, row))
      stream.learn(time, row)
      if (Number.isNaN(raw)) return
      judged = Math.min(judged + 1, FORGET)
      square += Math.min(GROWTH * Math.max(square, FLOOR * usual), (raw * raw - square) / judged)
    },
    snapshot: (): State => ({ version: 1, columns, square, judged, inner: stream.snapshot() }),
  }
}
