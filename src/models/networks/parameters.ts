import type { Numbers, Ops } from '../../kernels/ops.ts'
import type { Random } from '../../math/random.ts'

/** A matrix, or with one column a bias. Kept in blocks of four rows, see `Ops`; rows in fours. */
export interface ParameterShape {
  readonly name: string
  readonly rows: number
  readonly columns: number
  /** Uniform initial values between ± this. */
  readonly spread: number
  /** Rows and columns that stay nought: rows up to fours, and gates that do not look at an input. */
  readonly isVoid?: (row: number, column: number) => boolean
  /** Added to initial values. */
  readonly offset?: (row: number, column: number) => number
}

export interface Parameter extends ParameterShape {
  readonly weights: Numbers
  readonly gradients: Numbers
}

/** All that a network learns, side by side, with what Adam remembers of it. */
export interface Parameters {
  readonly weights: Numbers
  readonly gradients: Numbers
  readonly means: Numbers
  readonly squares: Numbers
  readonly list: readonly Parameter[]
}

export function allocateParameters(allocate: Ops['allocate'], shapes: readonly ParameterShape[]): Parameters {
  const size = shapes.reduce((sum, { rows, columns }) => sum + rows * columns, 0)
  const [weights, gradients, means, squares] = [allocate(size), allocate(size), allocate(size), allocate(size)]
  let from = 0
  const list = shapes.map(shape => {
    const to = from + shape.rows * shape.columns
    const parameter = { ...shape, weights: weights.subarray(from, to), gradients: gradients.subarray(from, to) }
    from = to
    return parameter
  })
  return { weights, gradients, means, squares, list }
}

/** The place of an element in weights with so many columns; of a bias its row. */
export function placeOf(row: number, column: number, columns: number): number {
  return columns === 1 ? row : ((row >> 2) * columns + column) * 4 + (row & 3)
}

/** Uniform between ± spread, as PyTorch does; forgets what Adam knew. */
export function initialise({ list, means, squares }: Parameters, random: Random): void {
  for (const { rows, columns, spread, weights, isVoid, offset } of list)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        weights[placeOf(row, column, columns)] = isVoid?.(row, column)
          ? 0
          : spread * (2 * random.next() - 1) + (offset?.(row, column) ?? 0)
  means.fill(0)
  squares.fill(0)
}

/** Nought where nothing may be learned. */
export function clearVoid({ list }: Parameters): void {
  for (const { rows, columns, gradients, isVoid } of list)
    if (isVoid)
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++) if (isVoid(row, column)) gradients[placeOf(row, column, columns)] = 0
}

/** Rows that blocks of four need. */
export const inFours = (rows: number) => (rows + 3) & ~3
