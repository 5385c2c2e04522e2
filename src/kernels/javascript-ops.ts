import { type Backend, LANES, type Numbers, type Ops, roomFor, type Sheet } from './ops.ts'

/** Plain loops: the reference in double precision, and what there is without WebAssembly in single. */
export function javascriptOps(precision: 'float32' | 'float64'): Backend {
  return room => openJavascript(precision === 'float64' ? new Float64Array(room) : new Float32Array(room))
}

const at = ({ step }: Sheet, panel: number, row: number) => (panel * step + row) * LANES
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const throughSigmoid = (d: number, s: number) => d * s * (1 - s)
const throughTanh = (d: number, t: number) => d * (1 - t * t)

function openJavascript(memory: Numbers): Ops {
  let used = 0
  const sums = memory.slice(0, 4 * LANES)

  /** Adds four rows of weights times a panel to `sums`. */
  function addProduct(weights: Numbers, block: number, b: Sheet, panel: number): void {
    const { data, rows } = b
    const first = at(b, panel, 0)
    const last = 4 * (block + 1) * rows
    for (let lane = 0; lane < LANES; lane++) {
      let [r0, r1, r2, r3] = [sums[lane], sums[8 + lane], sums[16 + lane], sums[24 + lane]]
      for (let w = 4 * block * rows, from = first + lane; w < last; w += 4, from += LANES) {
        const value = data[from]
        r0 += weights[w] * value
        r1 += weights[w + 1] * value
        r2 += weights[w + 2] * value
        r3 += weights[w + 3] * value
      }
      sums[lane] = r0
      sums[8 + lane] = r1
      sums[16 + lane] = r2
      sums[24 + lane] = r3
    }
  }

  /** For every unit, panel and lane: places of the unit's value in a narrow sheet and of its first gate in a wide one. */
  function eachUnit(units: number, gates: Sheet, visit: (unit: number, panel: number, lane: number, gate: number) => void): void {
    for (let panel = 0; panel < gates.panels; panel++)
      for (let unit = 0; unit < units; unit++)
        for (let lane = 0; lane < LANES; lane++) visit(unit, panel, lane, at(gates, panel, 4 * unit) + lane)
  }

  return {
    allocate(size) {
      const from = used
      used += roomFor(size)
      if (used > memory.length) throw new RangeError(`must allocate at most ${memory.length} numbers, got ${used}`)
      return memory.subarray(from, from + size)
    },
    multiply(out, weights, b, accumulate) {
      for (let block = 0; 4 * block < out.rows; block++)
        for (let panel = 0; panel < out.panels; panel++) {
          const to = at(out, panel, 4 * block)
          if (accumulate) sums.set(out.data.subarray(to, to + 4 * LANES))
          else sums.fill(0)
          addProduct(weights, block, b, panel)
          out.data.set(sums, to)
        }
    },
    accumulateProduct(out, columns, a, b, rowSums) {
      const [left, right] = [a.data, b.data]
      const [nextA, nextB] = [a.step * LANES, b.step * LANES]
      for (let i = 0; i < a.rows; i++)
        for (let j = 0; j < b.rows; j++) {
          let sum = 0
          for (let panel = 0, p = i * LANES, q = j * LANES; panel < a.panels; panel++, p += nextA, q += nextB)
            for (let lane = 0; lane < LANES; lane++) sum += left[p + lane] * right[q + lane]
          out[((i >> 2) * columns + j) * 4 + (i & 3)] += sum
        }
      if (!rowSums) return
      for (let i = 0; i < a.rows; i++)
        for (let panel = 0; panel < a.panels; panel++)
          for (let lane = 0; lane < LANES; lane++) rowSums[i] += left[at(a, panel, i) + lane]
    },
    transpose(out, weights, rows, from, columns, all) {
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++)
          out[((j >> 2) * rows + i) * 4 + (j & 3)] = weights[((i >> 2) * all + from + j) * 4 + (i & 3)]
    },
    addPanels(out, a) {
      for (let panel = 0; panel < a.panels; panel++)
        for (let i = 0; i < a.rows * LANES; i++) out.data[at(out, panel % out.panels, 0) + i] += a.data[at(a, panel, 0) + i]
    },
    spread(out, column) {
      for (let panel = 0; panel < out.panels; panel++)
        for (let row = 0; row < out.rows; row++) out.data.fill(column[row], at(out, panel, row), at(out, panel, row + 1))
    },
    lstmForward(gates, state, squashed, hidden, before, start, weights, z) {
      for (let unit = 0; unit < state.rows; unit++)
        for (let panel = 0; panel < gates.panels; panel++) {
          const gate = at(gates, panel, 4 * unit)
          sums.set(start.data.subarray(gate, gate + 4 * LANES))
          addProduct(weights, unit, z, panel)
          for (let lane = 0; lane < LANES; lane++) {
            const i = sigmoid(sums[lane])
            const f = sigmoid(sums[8 + lane])
            const g = Math.tanh(sums[16 + lane])
            const o = sigmoid(sums[24 + lane])
            const place = at(state, panel, unit) + lane
            const c = f * before.data[place] + i * g
            const t = Math.tanh(c)
            gates.data[gate + lane] = i
            gates.data[gate + 8 + lane] = f
            gates.data[gate + 16 + lane] = g
            gates.data[gate + 24 + lane] = o
            state.data[place] = c
            squashed.data[place] = t
            hidden.data[at(hidden, panel, unit) + lane] = o * t
          }
        }
    },
    lstmBackward(gates, dState, dHidden, squashed, before) {
      eachUnit(dState.rows, gates, (unit, panel, lane, gate) => {
        const place = at(dState, panel, unit) + lane
        const i = gates.data[gate]
        const f = gates.data[gate + 8]
        const g = gates.data[gate + 16]
        const o = gates.data[gate + 24]
        const dh = dHidden.data[place]
        const t = squashed.data[place]
        const dc = dState.data[place] + throughTanh(dh * o, t)
        dState.data[place] = dc * f
        gates.data[gate] = throughSigmoid(dc * g, i)
        gates.data[gate + 8] = throughSigmoid(dc * before.data[place], f)
        gates.data[gate + 16] = throughTanh(dc * i, g)
        gates.data[gate + 24] = throughSigmoid(dh * t, o)
      })
    },
    gruForward(gates, hidden, before, start, fromInput, x, fromState) {
      for (let unit = 0; unit < before.rows; unit++)
        for (let panel = 0; panel < gates.panels; panel++) {
          const gate = at(gates, panel, 4 * unit)
          sums.set(start.data.subarray(gate, gate + 4 * LANES))
          addProduct(fromInput, unit, x, panel)
          addProduct(fromState, unit, before, panel)
          for (let lane = 0; lane < LANES; lane++) {
            const r = sigmoid(sums[lane])
            const z = sigmoid(sums[8 + lane])
            const h = sums[24 + lane]
            const n = Math.tanh(sums[16 + lane] + r * h)
            gates.data[gate + lane] = r
            gates.data[gate + 8 + lane] = z
            gates.data[gate + 16 + lane] = n
            gates.data[gate + 24 + lane] = h
            hidden.data[at(hidden, panel, unit) + lane] = n + z * (before.data[at(before, panel, unit) + lane] - n)
          }
        }
    },
    gruBackward(gates, dHidden, before) {
      eachUnit(before.rows, gates, (unit, panel, lane, gate) => {
        const place = at(dHidden, panel, unit) + lane
        const r = gates.data[gate]
        const z = gates.data[gate + 8]
        const n = gates.data[gate + 16]
        const h = gates.data[gate + 24]
        const dh = dHidden.data[place]
        const dn = throughTanh(dh * (1 - z), n)
        dHidden.data[place] = dh * z
        gates.data[gate] = throughSigmoid(dn * h, r)
        gates.data[gate + 8] = throughSigmoid(dh * (before.data[at(before, panel, unit) + lane] - n), z)
        gates.data[gate + 16] = dn
        gates.data[gate + 24] = dn * r
      })
    },
    rnnForward(hidden, gates) {
      for (let panel = 0; panel < gates.panels; panel++)
        for (let i = 0; i < hidden.rows * LANES; i++)
          hidden.data[at(hidden, panel, 0) + i] = Math.tanh(gates.data[at(gates, panel, 0) + i])
    },
    rnnBackward(gates, dHidden, hidden) {
      for (let panel = 0; panel < gates.panels; panel++)
        for (let i = 0; i < hidden.rows * LANES; i++)
          gates.data[at(gates, panel, 0) + i] = throughTanh(
            dHidden.data[at(dHidden, panel, 0) + i],
            hidden.data[at(hidden, panel, 0) + i],
          )
    },
    squaredError(dOut, out, wanted, mask, factor) {
      let sum = 0
      for (let panel = 0; panel < wanted.panels; panel++)
        for (let i = 0; i < wanted.rows * LANES; i++) {
          const error = out.data[at(out, panel, 0) + i] - wanted.data[at(wanted, panel, 0) + i]
          const masked = mask.data[at(mask, panel, 0) + i] * error
          sum += masked * error
          dOut.data[at(dOut, panel, 0) + i] = factor * masked
        }
      return sum
    },
    sumOfSquares(a) {
      let sum = 0
      for (let i = 0; i < a.length; i++) sum += a[i] * a[i]
      return sum
    },
    adam(weights, gradients, means, squares, { rate, turn, scale, keepMean = 0.9, keepSquare = 0.999, epsilon = 1e-8 }) {
      const step = rate / (1 - keepMean ** turn)
      const root = 1 / Math.sqrt(1 - keepSquare ** turn)
      for (let i = 0; i < weights.length; i++) {
        const g = gradients[i] * scale
        means[i] = keepMean * means[i] + (1 - keepMean) * g
        squares[i] = keepSquare * squares[i] + (1 - keepSquare) * g * g
        weights[i] -= (step * means[i]) / (Math.sqrt(squares[i]) * root + epsilon)
      }
    },
  }
}
