import { isBeyondMeasure, isMeasured } from '../math/is-measured.ts'
import type { State } from '../state.ts'
import { copyState } from '../state.ts'
import type { Transform } from './transform.ts'

export interface CellTransform<Cell extends object> {
  readonly lookback: number
  /** What is remembered of one column; plain data. */
  start(): Cell
  /** The value as it comes out, and the cell taught. `value` is measured or NaN. */
  apply(cell: Cell, time: number, value: number): number
}

/** Makes a transform that gives one row for each row, at once, of what it does to one column. */
export function fromCells<Cell extends object>({ lookback, start, apply }: CellTransform<Cell>): Transform {
  return {
    lookback,
    delay: () => 0,
    stepAfter: step => step,
    open(snapshot?: State) {
      const cells = (snapshot?.version === 1 ? copyState(snapshot.cells) : []) as Cell[]
      let out = new Float64Array(cells.length)
      return {
        apply(time, row, emit) {
          if (out.length !== row.length) out = new Float64Array(row.length)
          for (let c = 0; c < row.length; c++) {
            cells[c] ??= start()
            const made = apply(cells[c], time, isMeasured(row[c]) ? row[c] : NaN)
            out[c] = isBeyondMeasure(row[c]) ? row[c] : isMeasured(made) ? made : NaN
          }
          emit(time, out)
        },
        snapshot: () => ({ version: 1, cells: copyState(cells) }),
      }
    },
  }
}
