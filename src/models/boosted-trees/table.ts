/** Rows one after the other; NaN is unknown. Values are looked at in 32 bits, as XGBoost does. */
export interface Table {
  readonly values: Float64Array | Float32Array
  readonly columns: number
}

/** Rows whose outcome is known: a number to be predicted, or 0 and 1 for logistic trees. */
export interface Examples extends Table {
  readonly labels: ArrayLike<number>
  /** How much each row counts; 1 by default. */
  readonly weights?: ArrayLike<number>
}

export function rowCount({ values, columns }: Table): number {
  return values.length / columns
}

/** Throws `RangeError` unless sizes fit together and labels are numbers that the objective can take. */
export function checkExamples(examples: Examples, between0And1: boolean): void {
  const { columns, labels, weights } = examples
  const rows = rowCount(examples)
  if (!(columns >= 1) || !Number.isInteger(rows)) throw new RangeError(`values must be whole rows of ${columns} columns`)
  if (rows === 0) throw new RangeError('there must be at least one row')
  if (labels.length !== rows) throw new RangeError(`labels must be ${rows}, one per row, got ${labels.length}`)
  if (weights && weights.length !== rows) throw new RangeError(`weights must be ${rows}, one per row, got ${weights.length}`)
  for (let i = 0; i < rows; i++) {
    if (!Number.isFinite(labels[i])) throw new RangeError(`labels must be finite, got ${labels[i]} in row ${i}`)
    if (between0And1 && !(labels[i] >= 0 && labels[i] <= 1))
      throw new RangeError(`labels must be between 0 and 1, got ${labels[i]} in row ${i}`)
    if (weights && !(weights[i] >= 0 && weights[i] < Infinity))
      throw new RangeError(`weights must be finite and not negative, got ${weights[i]} in row ${i}`)
  }
}
