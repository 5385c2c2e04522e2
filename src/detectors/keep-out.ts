import type { Stream } from './detector.ts'

/**
 * A stream that is not taught by rows inside events: it scores them as any other, and learns of them only that they are there, with unknown
 * values. Its snapshots are those of the stream, so that a calendar may change between two runs.
 */
export function keepOut(stream: Stream, isOut: (time: number) => boolean): Stream {
  let unknown = new Float64Array(0)
  return {
    score: (time, row) => stream.score(time, row),
    learn(time, row) {
      if (!isOut(time)) return stream.learn(time, row)
      if (unknown.length !== row.length) unknown = new Float64Array(row.length).fill(NaN)
      stream.learn(time, unknown)
    },
    snapshot: () => stream.snapshot(),
    ...(stream.wants ? { wants: () => stream.wants!() } : {}),
  }
}
