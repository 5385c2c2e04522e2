import { createHash } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { compileKernels, kernelsModule } from '../../scripts/build-kernels.ts'
import { seededRandom } from '../math/random.ts'
import { fastestOps } from './fastest-ops.ts'
import { javascriptOps } from './javascript-ops.ts'
import { type Backend, type Numbers, type Ops, openOps, panelsOf, roomFor, rowsOf, type Sheet, sheetOf } from './ops.ts'
import { wasmOps } from './wasm-ops.ts'

const ROOM = 400_000

/** Runs the same work on two backends, with the same random numbers, and compares all that was in memory at the end. */
function compare(work: (ops: Ops, make: Make) => unknown, near: number): void {
  const [wanted, said] = run(javascriptOps('float64'), work)
  const [got, told] = run(wasmOps, work)
  let furthest = 0
  for (let i = 0; i < wanted.length; i++)
    for (let j = 0; j < wanted[i].length; j++)
      furthest = Math.max(furthest, Math.abs(wanted[i][j] - got[i][j]) / (1 + Math.abs(wanted[i][j])))
  expect(furthest).toBeLessThan(near)
  if (typeof said === 'number') expect(Math.abs((told as number) - said) / (1 + said)).toBeLessThan(near)
}

interface Make {
  sheet(rows: number, panels: number, step?: number): Sheet
  numbers(size: number): Numbers
}

function run(backend: Backend, work: (ops: Ops, make: Make) => unknown): [Numbers[], unknown] {
  const random = seededRandom(3)
  const ops = backend(ROOM)
  const made: Numbers[] = []
  const numbers = (size: number) => {
    const array = ops.allocate(size)
    for (let i = 0; i < size; i++) array[i] = Math.fround(2 * random.next() - 1)
    made.push(array)
    return array
  }
  const sheet = (rows: number, panels: number, step = rows) => ({ data: numbers(panels * step * 8), rows, step, panels })
  return [made, work(ops, { sheet, numbers })]
}

describe.each([
  { rows: 4, columns: 1, panels: 1 },
  { rows: 8, columns: 7, panels: 3 },
  { rows: 20, columns: 12, panels: 2 },
  { rows: 36, columns: 25, panels: 8 },
])('primitives of WebAssembly and JavaScript agree at %o', ({ rows, columns, panels }) => {
  const units = rows
  const gates = ({ sheet }: Make, of = panels) => sheet(4 * units, of, 4 * units + 4)

  it.each([false, true])('multiply, accumulating %s', accumulate => {
    compare((ops, { sheet, numbers }) => {
      ops.multiply(sheet(rows, panels, rows + 3), numbers(rows * columns), sheet(columns, panels, columns + 1), accumulate)
    }, 2e-6)
  })

  it('accumulateProduct', () => {
    compare((ops, { sheet, numbers }) => {
      const weights = numbers(rows * (columns + 2))
      const b = rowsOf(sheet(columns + 3, panels), 1, columns)
      ops.accumulateProduct(weights.subarray(8), columns + 2, sheet(rows, panels), b)
      ops.accumulateProduct(weights, columns + 2, sheet(rows, panels, rows + 2), b, numbers(rows))
    }, 5e-6)
  })

  it('transpose, addPanels and spread', () => {
    compare((ops, { sheet, numbers }) => {
      ops.transpose(numbers(rows * rows), numbers(rows * (rows + 3)), rows, 3, rows, rows + 3)
      ops.addPanels(sheet(rows, 2, rows + 1), sheet(rows, 2 * panels, rows + 1))
      ops.spread(sheet(rows, panels, rows + 2), numbers(rows))
    }, 2e-6)
  })

  it('lstmForward and lstmBackward', () => {
    compare((ops, make) => {
      const { sheet, numbers } = make
      const z = sheet(columns + units, panels)
      const [g, before, squashed] = [gates(make), sheet(units, panels), sheet(units, panels)]
      const hidden = rowsOf(sheet(columns + units, panels), columns, units)
      ops.lstmForward(g, sheet(units, panels), squashed, hidden, before, gates(make), numbers(4 * units * z.rows), z)
      ops.lstmBackward(g, sheet(units, panels), sheet(units, panels), squashed, before)
    }, 5e-6)
  })

  it('gruForward and gruBackward', () => {
    compare((ops, make) => {
      const { sheet, numbers } = make
      const [g, z, hidden] = [gates(make), sheet(columns + units, panels), sheet(units, panels)]
      const [x, before] = [rowsOf(z, 0, columns), rowsOf(z, columns, units)]
      const [fromInput, fromState] = [numbers(4 * units * columns), numbers(4 * units * units)]
      for (let i = 3; i < fromInput.length; i += 4) fromInput[i] = 0
      for (let i = 2; i < fromState.length; i += 4) fromState[i] = 0
      ops.gruForward(g, hidden, before, gates(make), fromInput, x, fromState)
      ops.gruBackward(g, sheet(units, panels), before)
    }, 5e-6)
  })

  it('rnnForward and rnnBackward', () => {
    compare((ops, { sheet }) => {
      const [hidden, g] = [rowsOf(sheet(units + 2, panels), 2, units), sheet(units, panels, units + 4)]
      ops.rnnForward(hidden, g)
      ops.rnnBackward(g, sheet(units, panels), hidden)
    }, 2e-6)
  })

  it('squaredError, sumOfSquares and adam', () => {
    compare((ops, { sheet, numbers }) => {
      const wanted = sheet(columns, panels, columns + 5)
      const sum = ops.squaredError(
        sheet(columns, panels, rows + 30),
        sheet(columns, panels, rows + 30),
        wanted,
        sheet(columns, panels),
        0.3,
      )
      const [weights, gradients, means] = [numbers(rows * 4), numbers(rows * 4), numbers(rows * 4)]
      const squares = numbers(rows * 4)
      for (let i = 0; i < squares.length; i++) squares[i] = Math.abs(squares[i])
      ops.adam(weights, gradients, means, squares, { rate: 0.01, turn: 3, scale: 0.7 })
      return sum + ops.sumOfSquares(gradients)
    }, 5e-6)
  })
})

describe('gates', () => {
  it('are as tanh and the logistic function, at the ends too', () => {
    const points = Float64Array.from({ length: 8 * 4000 }, (_, i) => Math.fround((i - 16_000) / 700))
    points.set([0, -0, 1e-30, -1e-30, 1e30, -1e30, Infinity, -Infinity])
    const ops = wasmOps(ROOM)
    const given = sheetOf(size => ops.allocate(size), 4000, 1)
    given.data.set(points)
    const out = { ...given, data: ops.allocate(given.data.length) }
    ops.rnnForward(out, given)
    points.forEach((x, i) => expect(Math.abs(out.data[i] - Math.tanh(x))).toBeLessThan(4e-7))
  })
})

describe('memory', () => {
  it('is laid out in lines and not exceeded', () => {
    for (const backend of [wasmOps, javascriptOps('float32')]) {
      const ops = backend(roomFor(20) + roomFor(1))
      expect(ops.allocate(20).length).toBe(20)
      expect([...ops.allocate(1)]).toEqual([0])
      expect(() => ops.allocate(1)).toThrow('must allocate at most 48 numbers, got 64')
    }
  })

  it('is as large as the plan needs', () => {
    const { ops, plan } = openOps(wasmOps, allocate => ({ a: sheetOf(allocate, 3, 2), b: allocate(5) }))
    expect([plan.a.data.length, plan.b.length]).toEqual([48, 5])
    expect(panelsOf(plan.a, 1, 1).data.length).toBe(24)
    expect(() => ops.allocate(1)).toThrow('must allocate')
  })
})

describe('the fastest ops', () => {
  it('are WebAssembly, and JavaScript where there is none', () => {
    // The module's constants stand before the first array.
    expect(fastestOps(64).allocate(5).byteOffset).toBe(12_288)
    vi.stubGlobal('WebAssembly', undefined)
    try {
      expect(fastestOps(64).allocate(5).byteOffset).toBe(0)
    } finally {
      vi.unstubAllGlobals()
    }
  })
})

describe('the compiled module', () => {
  it('is what its source gives', async () => {
    const { compiled } = await import('./compiled.ts')
    const binary = await compileKernels()
    expect(Buffer.from(binary).toString('base64') === compiled, 'npm run build:kernels must have been run').toBe(true)
    expect(kernelsModule(binary)).toContain(compiled.slice(0, 100))
  })

  it('gives the same bits everywhere', () => {
    const [made] = run(wasmOps, (ops, { sheet, numbers }) => {
      const z = sheet(13, 2)
      const gates = sheet(32, 2)
      ops.lstmForward(gates, sheet(8, 2), sheet(8, 2), sheet(8, 2), sheet(8, 2), sheet(32, 2), numbers(32 * 13), z)
      ops.accumulateProduct(numbers(32 * 13), 13, gates, z)
    })
    const hash = createHash('sha256')
    for (const { buffer, byteOffset, byteLength } of made) hash.update(new Uint8Array(buffer, byteOffset, byteLength))
    expect(hash.digest('hex').slice(0, 16)).toMatchInlineSnapshot(`"8ef4f719bf0d4866"`)
  })
})
