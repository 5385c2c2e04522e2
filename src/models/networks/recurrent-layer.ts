import { type Numbers, type Ops, panelsOf, rowsOf, type Sheet, sheetOf } from '../../kernels/ops.ts'
import type { Parameter, ParameterShape } from './parameters.ts'

export const CELLS = ['lstm', 'gru', 'rnn'] as const
export type Cell = (typeof CELLS)[number]

export interface RecurrentShape {
  readonly cell: Cell
  readonly inputs: number
  /** In fours. */
  readonly units: number
  readonly steps: number
  readonly panels: number
  /** One input for all steps, whose product with the weights is made once. */
  readonly constant?: boolean
}

/** Rows of gates by unit. */
export const GATES = { lstm: 4, gru: 4, rnn: 1 } as const
/** Rows between panels of gates beyond their own: a power of two of bytes would put all panels into the same lines of the cache. */
const PADDING = 4
/** Rows, at least so many, that take an odd number of lines of the cache, so that the same rows of many panels find room in it. */
const inOddLines = (rows: number) => ((rows + 1) & ~3) + 2
/** Panels over which gradients of weights are summed at a time: enough to pay for the sums, few enough to stay near. */
const TOGETHER = 32

/** Gates of a GRU that do not see an input: the part of the new state that waits for the reset gate; and the one that does not wait. */
const STATE_ONLY = 3
const INPUT_ONLY = 2

/** What a layer learns; names begin with `name`. */
export function recurrentParameters(name: string, shape: RecurrentShape): ParameterShape[] {
  const { cell, inputs, units, constant = false } = shape
  const rows = GATES[cell] * units
  const spread = 1 / Math.sqrt(units)
  const bias = {
    name: `${name}.bias`,
    rows,
    columns: 1,
    spread,
    // A forget gate that begins open lets gradients through (Jozefowicz et al. 2015).
    ...(cell === 'lstm' ? { offset: (row: number) => (row % 4 === 1 ? 1 : 0) } : {}),
  }
  const gru = (gate: number) => (cell === 'gru' ? { isVoid: (row: number) => row % 4 === gate } : {})
  if (!constant && cell !== 'gru') return [{ name: `${name}.weights`, rows, columns: inputs + units, spread }, bias]
  return [
    { name: `${name}.fromInput`, rows, columns: inputs, spread, ...gru(STATE_ONLY) },
    { name: `${name}.fromState`, rows, columns: units, spread, ...gru(INPUT_ONLY) },
    bias,
  ]
}

export interface RecurrentLayer {
  /** Of a sequence: rows for the input of each step. */
  readonly x: readonly Sheet[]
  /** Of a constant input. */
  readonly input: Sheet
  /** Hidden state after each step. */
  readonly outputs: readonly Sheet[]
  /** Inputs and outputs of all steps, step after step. */
  readonly allInputs: Sheet
  readonly allOutputs: Sheet
  /** Begins with nought, or with `carry` where the last call ended. */
  forward(ops: Ops, carry?: boolean): void
  /**
   * Adds to the gradients. `addOutput` adds the gradient of a step's output to the sheet it gets; `dInput`, of a constant input, is added to.
   */
  backward(ops: Ops, addOutput: (step: number, dHidden: Sheet) => void, dInput?: Sheet): void
}

export function recurrentLayer(
  allocate: Ops['allocate'],
  shape: RecurrentShape,
  parameters: readonly Parameter[],
): RecurrentLayer {
  const { cell, inputs, units, steps, panels, constant = false } = shape
  const rows = GATES[cell] * units
  const step = rows + PADDING
  const isSplit = constant || cell === 'gru'
  const bias = parameters.at(-1)!
  const fromState = parameters.at(-2)!
  const fromInput = isSplit ? parameters[0] : undefined
  const columns = constant ? units : inputs + units

  // Side by side: the input of a step and the hidden state before it.
  const z = sheetOf(allocate, columns, panels * (steps + 1), inOddLines(columns))
  const gates = sheetOf(allocate, rows, panels * steps, step)
  const state = sheetOf(allocate, units, cell === 'lstm' ? panels * (steps + 1) : 0)
  const squashed = sheetOf(allocate, units, cell === 'lstm' ? panels * steps : 0)
  const start = sheetOf(allocate, rows, panels, step)
  const sums = sheetOf(allocate, rows, constant ? panels : 0, step)
  const dHidden = sheetOf(allocate, units, panels)
  const dState = sheetOf(allocate, units, panels)
  const transposed = allocate(rows * units)
  const transposedInput: Numbers = allocate(constant ? rows * inputs : 0)
  const input = sheetOf(allocate, inputs, constant ? panels : 0)

  const at = (sheet: Sheet, place: number) => panelsOf(sheet, place * panels, panels)
  const sequence = (sheet: Sheet, count: number) => Array.from({ length: count }, (_, t) => at(sheet, t))
  const hiddenRows = rowsOf(z, columns - units, units)
  const inputRows = rowsOf(z, 0, columns - units)
  const zs = sequence(z, steps + 1)
  const hidden = sequence(hiddenRows, steps + 1)
  const x = sequence(inputRows, steps)
  const gateAt = sequence(gates, steps)
  const stateAt = cell === 'lstm' ? sequence(state, steps + 1) : []
  const squashedAt = cell === 'lstm' ? sequence(squashed, steps) : []
  const isLong = { ...gates, rows }

  function forward(ops: Ops, carry = false): void {
    // Rows of panels are apart in `z`, so whole panels are moved; the inputs among them are written anew anyway.
    if (carry) for (let panel = 0; panel < panels; panel++) copyRows(hidden[0], hidden[steps], panel)
    else for (let panel = 0; panel < panels; panel++) clearRows(hidden[0], panel)
    if (cell === 'lstm') {
      if (carry) stateAt[0].data.set(stateAt[steps].data.subarray(0, panels * units * 8))
      else stateAt[0].data.fill(0, 0, panels * units * 8)
    }
    ops.spread(start, bias.weights)
    if (constant) ops.multiply(start, fromInput!.weights, input, true)
    for (let t = 0; t < steps; t++) {
      if (cell === 'lstm')
        ops.lstmForward(gateAt[t], stateAt[t + 1], squashedAt[t], hidden[t + 1], stateAt[t], start, fromState.weights, zs[t])
      else if (cell === 'gru')
        ops.gruForward(gateAt[t], hidden[t + 1], hidden[t], start, fromInput!.weights, x[t], fromState.weights)
      else {
        copyAll(gateAt[t], start)
        ops.multiply(gateAt[t], fromState.weights, zs[t], true)
        ops.rnnForward(hidden[t + 1], gateAt[t])
      }
    }
  }

  function copyAll(to: Sheet, from: Sheet): void {
    to.data.set(from.data.subarray(0, panels * step * 8))
  }

  function backward(ops: Ops, addOutput: (step: number, dHidden: Sheet) => void, dInput?: Sheet): void {
    ops.transpose(transposed, fromState.weights, rows, fromState.columns - units, units, fromState.columns)
    if (constant) sums.data.fill(0)
    dHidden.data.fill(0)
    dState.data.fill(0)
    let due = steps
    for (let t = steps - 1; t >= 0; t--) {
      addOutput(t, dHidden)
      if (cell === 'lstm') ops.lstmBackward(gateAt[t], dState, dHidden, squashedAt[t], stateAt[t])
      else if (cell === 'gru') ops.gruBackward(gateAt[t], dHidden, hidden[t])
      else ops.rnnBackward(gateAt[t], dHidden, hidden[t + 1])
      if (t > 0) ops.multiply(dHidden, transposed, gateAt[t], cell === 'gru')
      if ((due - t) * panels >= TOGETHER || t === 0) {
        const count = (due - t) * panels
        const d = panelsOf(isLong, t * panels, count)
        const seen = panelsOf(isSplit ? hiddenRows : z, t * panels, count)
        ops.accumulateProduct(fromState.gradients, fromState.columns, d, seen, bias.gradients)
        if (constant) ops.addPanels(sums, d)
        if (isSplit && !constant) ops.accumulateProduct(fromInput!.gradients, inputs, d, panelsOf(inputRows, t * panels, count))
        due = t
      }
    }
    if (!constant) return
    ops.accumulateProduct(fromInput!.gradients, inputs, sums, input)
    if (!dInput) return
    ops.transpose(transposedInput, fromInput!.weights, rows, 0, inputs, inputs)
    ops.multiply(dInput, transposedInput, sums, true)
  }

  return {
    x,
    input,
    outputs: hidden.slice(1),
    allInputs: panelsOf(inputRows, 0, steps * panels),
    allOutputs: panelsOf(hiddenRows, panels, steps * panels),
    forward,
    backward,
  }
}

function copyRows(to: Sheet, from: Sheet, panel: number): void {
  const place = panel * to.step * 8
  to.data.set(from.data.subarray(place, place + to.rows * 8), place)
}

function clearRows(sheet: Sheet, panel: number): void {
  const place = panel * sheet.step * 8
  sheet.data.fill(0, place, place + sheet.rows * 8)
}
