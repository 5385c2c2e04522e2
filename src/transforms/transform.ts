import type { Frame } from '../frame/frame.ts'
import type { State } from '../state.ts'

/** Takes a row that is ready. The row is the caller's until the next one is handed on. */
export type Emit = (time: number, row: Float64Array) => void

/** Goes row by row. */
export interface TransformStream {
  /**
   * Takes the next row, in order of time, and hands on what this completes: no row, one, or several, in order of time, none later than
   * `time`. `row` holds one value per column; NaN is unknown. Never writes into `row`.
   */
  apply(time: number, row: ArrayLike<number>, emit: Emit): void
  snapshot(): State
}

/**
 * Rows in, rows out, each of what came before only. Deterministic. What is unknown (NaN) comes out as NaN; an infinite value comes out as it
 * is, in its own row, and is otherwise taken as unknown. Each column goes its own way.
 */
export interface Transform {
  /** ms of rows that are needed before what comes out is known. */
  readonly lookback: number
  /** ms by which a row may come out later than it went in, on a grid of `step`. */
  delay(step: number): number
  /** Distance (ms) of the rows that come out, given that of those that go in. */
  stepAfter(step: number): number
  /** Starts cold, or from a snapshot of the same configuration. */
  open(snapshot?: State): TransformStream
}

/** All rows of a frame through a stream, which goes on from where it is. Rows that are not ready yet stay in the stream. */
export function transformFrame<Column extends string>(stream: TransformStream, frame: Frame<Column>): Frame<Column> {
  const names = Object.keys(frame.columns) as Column[]
  const inputs = names.map(name => frame.columns[name])
  const times: number[] = []
  const outputs: number[][] = names.map(() => [])
  const row = new Float64Array(names.length)
  for (let i = 0; i < frame.times.length; i++) {
    for (let c = 0; c < row.length; c++) row[c] = inputs[c][i]
    stream.apply(frame.times[i], row, (time, values) => {
      times.push(time)
      for (let c = 0; c < outputs.length; c++) outputs[c].push(values[c])
    })
  }
  const columns = Object.fromEntries(names.map((name, c) => [name, Float64Array.from(outputs[c])])) as Record<
    Column,
    Float64Array
  >
  return { labels: frame.labels, times: Float64Array.from(times), columns }
}

/** One after the other, as one; none leaves rows as they are. */
export function chain(transforms: readonly Transform[]): Transform {
  return {
    lookback: transforms.reduce((sum, { lookback }) => sum + lookback, 0),
    stepAfter: step => transforms.reduce((before, transform) => transform.stepAfter(before), step),
    delay(step) {
      let [late, before] = [0, step]
      for (const transform of transforms) {
        late += transform.delay(before)
        before = transform.stepAfter(before)
      }
      return late
    },
    open(snapshot) {
      const states = (snapshot?.version === 1 ? snapshot.parts : []) as readonly (State | undefined)[]
      const streams = transforms.map((transform, k) => transform.open(states[k]))
      const applyFrom = (k: number, time: number, row: ArrayLike<number>, emit: Emit): void => {
        if (k < streams.length) streams[k].apply(time, row, (next, values) => applyFrom(k + 1, next, values, emit))
        else emit(time, row instanceof Float64Array ? row : Float64Array.from(row))
      }
      return {
        apply: (time, row, emit) => applyFrom(0, time, row, emit),
        snapshot: () => ({ version: 1, parts: streams.map(stream => stream.snapshot()) }),
      }
    },
  }
}
