import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CutOptions, Histograms } from './histogram.ts'
import { BINS, BLOCK, MISSING_BIN, openHistograms } from './histogram.ts'

interface Example {
  rows: number
  columns: number
  /** By column, then row. */
  bins: number[][]
  gradients: number[]
}

/** Gradients are quarters, so that every order of adding them gives the same. */
const example: fc.Arbitrary<Example> = fc
  .record({
    rows: fc.integer({ min: 1, max: 60 }),
    columns: fc.integer({ min: 1, max: 19 }),
    most: fc.integer({ min: 1, max: 254 }),
  })
  .chain(({ rows, columns, most }) =>
    fc.record({
      rows: fc.constant(rows),
      columns: fc.constant(columns),
      bins: fc.array(
        fc.array(
          fc.oneof(
            { weight: 9, arbitrary: fc.integer({ min: 0, max: most }) },
            { weight: 1, arbitrary: fc.constant(MISSING_BIN) },
          ),
          {
            minLength: rows,
            maxLength: rows,
          },
        ),
        { minLength: columns, maxLength: columns },
      ),
      gradients: fc.array(
        fc.integer({ min: -40, max: 40 }).map(value => value / 4),
        { minLength: 2 * rows, maxLength: 2 * rows },
      ),
    }),
  )

function load({ rows, columns, bins, gradients }: Example, slots: number): Histograms {
  const histograms = openHistograms(rows, columns, slots)
  bins.forEach((column, c) =>
    column.forEach((bin, row) => {
      histograms.bins[(Math.floor(c / BLOCK) * rows + row) * BLOCK + (c % BLOCK)] = bin
    }),
  )
  histograms.gradients.set(gradients.map((value, i) => (i % 2 === 0 ? value : Math.abs(value) + 0.25)))
  for (let row = 0; row < rows; row++) histograms.rows[row] = row
  return histograms
}

/** The obvious way: every cut of a column is tried, and every row is asked on which side it is. */
function naiveCut(histograms: Histograms, rows: number[], bins: number[], count: number, options: CutOptions): number[] {
  const shrink = (gradient: number) => Math.sign(gradient) * Math.max(Math.abs(gradient) - options.alpha, 0)
  const gain = (gradient: number, hessian: number) => shrink(gradient) ** 2 / (hessian + options.lambda)
  const missing = rows.some(row => bins[row] === MISSING_BIN)
  let best = [0, -1, 0, 0, 0, 0]
  for (const side of missing ? [0, 1] : [0])
    for (let last = 0; last < (missing && side === 0 ? count : count - 1); last++) {
      const sums = [0, 0, 0, 0]
      for (const row of rows) {
        const left = bins[row] === MISSING_BIN ? side === 1 : bins[row] <= last
        sums[left ? 0 : 2] += histograms.gradients[2 * row]
        sums[left ? 1 : 3] += histograms.gradients[2 * row + 1]
      }
      if (sums[1] < options.minChildWeight || sums[3] < options.minChildWeight) continue
      const found = gain(sums[0], sums[1]) + gain(sums[2], sums[3])
      if (found > best[0]) best = [found, 0, last, missing ? side : 2, sums[0], sums[1]]
    }
  return best
}

const options: CutOptions[] = [
  { lambda: 1, alpha: 0, minChildWeight: 0.5 },
  { lambda: 0.25, alpha: 3, minChildWeight: 20 },
]

describe('histograms', () => {
  it('are sums over rows, and differences of them', () => {
    fc.assert(
      fc.property(example, given => {
        const histograms = load(given, 3)
        const { rows, columns, bins } = given
        const blocks = Array.from({ length: Math.ceil(columns / BLOCK) }, (_, block) => block)
        const middle = Math.floor(rows / 2)
        histograms.accumulate(0, 0, rows, blocks)
        histograms.accumulate(1, 0, middle, blocks)
        histograms.subtract(0, 1)
        histograms.accumulate(2, middle, rows, blocks)
        for (let column = 0; column < columns; column++)
          for (const cutOptions of options) {
            const part = Array.from({ length: rows - middle }, (_, i) => middle + i)
            histograms.total(middle, rows)
            const [gradient, hessian] = histograms.sum
            const wanted = naiveCut(histograms, part, bins[column], BINS - 1, cutOptions)
            for (const slot of [0, 2]) {
              histograms.best.set([0, -1, 0, 0, 0, 0])
              histograms.cut(slot, column, BINS - 1, gradient, hessian, cutOptions)
              expect(histograms.best[1]).toBe(wanted[1] < 0 ? -1 : column)
              if (wanted[1] < 0) continue
              expect(histograms.best[0]).toBeCloseTo(wanted[0], 9)
              expect([...histograms.best.subarray(2)]).toEqual(wanted.slice(2))
            }
          }
        histograms.close()
      }),
      { numRuns: 40 },
    )
  })

  it('part rows and keep their order', () => {
    fc.assert(
      fc.property(example, fc.nat(254), fc.boolean(), (given, last, missingLeft) => {
        const histograms = load(given, 1)
        const { rows, columns, bins } = given
        const column = columns - 1
        const goesLeft = (row: number) => (bins[column][row] === MISSING_BIN ? missingLeft : bins[column][row] <= last)
        const from = Math.floor(rows / 3)
        const all = Array.from({ length: rows }, (_, row) => row)
        const part = all.slice(from)
        const left = part.filter(goesLeft)
        expect(histograms.divide(from, rows, column, last, missingLeft)).toBe(left.length)
        expect([...histograms.rows]).toEqual([...all.slice(0, from), ...left, ...part.filter(row => !goesLeft(row))])
        histograms.close()
      }),
    )
  })
})
