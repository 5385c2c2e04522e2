import type { Judgement, State, Stream } from '../detector.ts'

/** An alarm so high has spoken; from then on a row inside its band is calm, until the alarm has been lower for so many rows. */
const SPOKEN = 6
const REST = 30
/** What a row inside its band is worth after an alarm. */
const CALM = 1
/** Brings alarms, products of several views, back to where one view is, so that twice the limit means what it does elsewhere. */
const POWER = 0.6

/**
 * Ends alarms of one column with their cause. Votes for an alarm look back over many rows, so they outlast the event; after an alarm has spoken, it
 * goes on only with rows outside their band.
 */
export function endWithCause(open: (snapshot?: State) => Stream, snapshot?: State): Stream {
  const known = snapshot?.version === 1 ? snapshot : undefined
  const stream = open(known?.inner as State | undefined)
  let rest = (known?.rest as number | undefined) ?? 0

  // The last row looked at since the stream learned.
  let seenTime = NaN
  let seenValue = NaN
  let alarm = NaN

  /** Finds the alarm of a row before it is calmed. */
  function look(time: number, row: ArrayLike<number>): Judgement {
    const judgement = stream.score(time, row)
    seenTime = time
    seenValue = row[0]
    alarm = judgement.alarm!
    if (alarm > 0) alarm = (1 + alarm) ** POWER - 1
    return judgement
  }

  return {
    score(time, row) {
      const judgement = look(time, row)
      const inside = judgement.value >= judgement.lower && judgement.value <= judgement.upper
      judgement.alarm = rest > 0 && inside ? Math.min(alarm, CALM) : alarm
      return judgement
    },
    learn(time, row) {
      if (time !== seenTime || row[0] !== seenValue) look(time, row)
      if (alarm >= SPOKEN) rest = REST
      else if (!Number.isNaN(alarm)) rest = Math.max(0, rest - 1)
      stream.learn(time, row)
      seenTime = NaN
    },
    snapshot: () => ({ version: 1, inner: stream.snapshot(), rest }),
  }
}
