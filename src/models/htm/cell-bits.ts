/** Folds the active cells of a temporal memory into few bits. */
export interface CellBits {
  readonly size: number
  /** The bits of active cells, which come column by column; some may come twice. The array is the caller's. */
  fold(active: ArrayLike<number>): Uint32Array
}

export interface CellBitsOptions {
  readonly columns: number
  /** Cells in a column. */
  readonly cells: number
  /** Bits for cells; several cells share one. */
  readonly size: number
  /** Which columns also have a bit of their own, beyond those of cells. */
  readonly columnBits: 'all' | 'bursting' | 'none'
}

/**
 * A cell that was predicted has a bit of `size` (the hashing trick of Weinberger et al. 2009: a multiplicative hash), a column has one after
 * those. The cells of a bursting column say nothing that the column does not say.
 */
export function buildCellBits({ columns, cells, size, columnBits }: CellBitsOptions): CellBits {
  const folded: number[] = []
  return {
    size: size + (columnBits === 'none' ? 0 : columns),
    fold(active) {
      folded.length = 0
      for (let i = 0; i < active.length; ) {
        const column = Math.floor(active[i] / cells)
        let end = i + 1
        while (end < active.length && Math.floor(active[end] / cells) === column) end++
        const isBursting = cells > 1 && end - i === cells
        if (columnBits === 'all' || (columnBits === 'bursting' && isBursting)) folded.push(size + column)
        for (; !isBursting && i < end; i++) folded.push((Math.imul(active[i], 0x9e3779b1) >>> 8) % size)
        i = end
      }
      return Uint32Array.from(folded)
    },
  }
}
