/** Single precision, or double for references and gradient checks. */
export type Numbers = Float32Array | Float64Array

/** Examples side by side in a panel; batches are rounded up to panels. */
export const LANES = 8

/**
 * A matrix whose columns are the examples of a batch: sheet[panel][row][lane], panels `step` ≥ `rows` rows apart. Products then need no tails, whatever
 * the rows are, and every step in memory is a constant.
 */
export interface Sheet {
  readonly data: Numbers
  readonly rows: number
  readonly step: number
  readonly panels: number
}

/**
 * What networks are calculated with; all arrays come from `allocate` of the same ops, and nobody keeps what another writes. Weights stand in blocks
 * of four rows: weights[row / 4][column][row % 4], rows in fours. Gates of a unit stand side by side: row 4 · unit + gate.
 */
export interface Ops {
  /** Zeros; throws when there are more than the ops were opened for. */
  allocate(size: number): Numbers
  /** out (+)= weights · b, `out.rows` rounded up to fours. */
  multiply(out: Sheet, weights: Numbers, b: Sheet, accumulate: boolean): void
  /** out += a · bᵀ, `out` being weights, or columns of such, with `columns` columns in all; sums[row] += sum of a row of `a` over all examples. */
  accumulateProduct(out: Numbers, columns: number, a: Sheet, b: Sheet, sums?: Numbers): void
  /** out = the transposed of `columns` columns from column `from`, of weights with `rows` rows and `all` columns; rows and columns in fours. */
  transpose(out: Numbers, weights: Numbers, rows: number, from: number, columns: number, all: number): void
  /** Adds the panels of `a`, which has the steps of `out`, to those of `out` in turn: the sum of steps of a sequence. */
  addPanels(out: Sheet, a: Sheet): void
  /** The same column for every example. */
  spread(out: Sheet, column: Numbers): void
  /**
   * One step of an LSTM (Hochreiter & Schmidhuber 1997, forget gate of Gers et al. 2000); gates input, forget, cell, output. Weights have the columns
   * of z: input and earlier hidden state. Writes the values of the gates, the state, its tanh and the hidden state.
   */
  lstmForward(
    gates: Sheet,
    state: Sheet,
    squashed: Sheet,
    hidden: Sheet,
    before: Sheet,
    start: Sheet,
    weights: Numbers,
    z: Sheet,
  ): void
  /** `gates` become gradients before the gates; dState goes from this step to the one before. */
  lstmBackward(gates: Sheet, dState: Sheet, dHidden: Sheet, squashed: Sheet, before: Sheet): void
  /**
   * One step of a GRU (Cho et al. 2014, the reset gate after the product as in cuDNN): n = tanh(x + r · h), hidden = (1 − z) n + z before. Rows of a
   * unit: r, z, x, h; `start` has all, the weights of the input have nought for h, those of the state nought for x.
   */
  gruForward(gates: Sheet, hidden: Sheet, before: Sheet, start: Sheet, fromInput: Numbers, x: Sheet, fromState: Numbers): void
  /** `gates` become gradients; dHidden becomes what goes straight to the step before. */
  gruBackward(gates: Sheet, dHidden: Sheet, before: Sheet): void
  /** hidden = tanh(gates). */
  rnnForward(hidden: Sheet, gates: Sheet): void
  /** gates = dHidden · (1 − hidden²). */
  rnnBackward(gates: Sheet, dHidden: Sheet, hidden: Sheet): void
  /** Over the rows of `wanted`: dOut = factor · mask · (out − wanted); returns Σ mask · (out − wanted)². */
  squaredError(dOut: Sheet, out: Sheet, wanted: Sheet, mask: Sheet, factor: number): number
  /** Of arrays whose length is in fours. */
  sumOfSquares(a: Numbers): number
  /** Kingma & Ba 2015, algorithm 1, on gradients times `scale`; `turn` is 1 at the first step. Lengths in fours. */
  adam(weights: Numbers, gradients: Numbers, means: Numbers, squares: Numbers, options: AdamStep): void
}

export interface AdamStep {
  readonly rate: number
  readonly turn: number
  readonly scale: number
  readonly keepMean?: number
  readonly keepSquare?: number
  readonly epsilon?: number
}

/** Opens ops with room for so many numbers. */
export type Backend = (size: number) => Ops

/** Numbers that an allocation takes: in lines of 64 bytes. */
export const roomFor = (size: number) => (size + 15) & ~15

/** Lays out memory twice: once to learn how much it is, once to have it. `plan` must allocate only. */
export function openOps<Plan>(backend: Backend, plan: (allocate: Ops['allocate']) => Plan): { ops: Ops; plan: Plan } {
  let room = 0
  const nothing = new Float32Array(0)
  plan(size => {
    room += roomFor(size)
    return nothing
  })
  const ops = backend(room)
  return { ops, plan: plan(size => ops.allocate(size)) }
}

/** A sheet of zeros; steps of a sequence are panels one after another. */
export function sheetOf(allocate: Ops['allocate'], rows: number, panels: number, step = rows): Sheet {
  return { data: allocate(panels * step * LANES), rows, step, panels }
}

/** Some rows of every panel; shares memory. */
export function rowsOf(sheet: Sheet, from: number, rows: number): Sheet {
  return { ...sheet, data: sheet.data.subarray(from * LANES), rows }
}

/** Some panels; shares memory. */
export function panelsOf(sheet: Sheet, from: number, panels: number): Sheet {
  return { ...sheet, data: sheet.data.subarray(from * sheet.step * LANES), panels }
}
