import { describe, expect, it } from 'vitest'
import { buildCellBits } from './cell-bits.ts'

const options = { columns: 10, cells: 4, size: 16 }
const column = (c: number) => [4 * c, 4 * c + 1, 4 * c + 2, 4 * c + 3]
/** Column 1 has two predicted cells, 3 bursts, 9 has one. */
const active = [5, 7, ...column(3), 38]

describe('buildCellBits', () => {
  it('gives a predicted cell a bit, and a bursting column none unless it may have its own', () => {
    const none = buildCellBits({ ...options, columnBits: 'none' })
    const cells = [...none.fold(active)]
    expect(cells).toHaveLength(3)
    expect(none.size).toBe(16)
    for (const bit of cells) expect(bit).toBeLessThan(16)
    const bursting = buildCellBits({ ...options, columnBits: 'bursting' })
    expect([...bursting.fold(active)].sort((a, b) => a - b)).toEqual([...cells, 16 + 3].sort((a, b) => a - b))
    const all = buildCellBits({ ...options, columnBits: 'all' })
    expect(all.size).toBe(26)
    expect([...all.fold(active)].filter(bit => bit >= 16)).toEqual([17, 19, 25])
  })

  it('folds one cell to one bit always, and cells evenly', () => {
    const { fold } = buildCellBits({ columns: 512, cells: 32, size: 256, columnBits: 'none' })
    const counts = new Uint32Array(256)
    for (let cell = 0; cell < 512 * 32; cell++) counts[fold([cell])[0]]++
    expect(Math.min(...counts)).toBeGreaterThan(32)
    expect(Math.max(...counts)).toBeLessThan(96)
    expect(fold([70])).toEqual(fold([70]))
  })

  it('takes the only cell of a column as predicted', () => {
    expect(buildCellBits({ columns: 10, cells: 1, size: 16, columnBits: 'bursting' }).fold([2, 3])).toHaveLength(2)
  })
})
