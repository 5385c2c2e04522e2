/** Rows under a header, columns as wide as their widest cell; the last column is not padded. Numbers are set right. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows]
  const widths = header.map((_, c) => Math.max(...all.map(row => width(row[c] ?? ''))))
  const right = header.map(
    (_, c) => rows.length > 0 && rows.every(row => /^[-+]?[\d.,]+(e[-+]?\d+)?[×%]?$|^$/.test(row[c] ?? '')),
  )
  return all
    .map(
      row =>
        `${row
          .map((cell, c) => pad(cell, widths[c], right[c], c === header.length - 1))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function pad(cell: string, size: number, right: boolean, last: boolean): string {
  const space = ' '.repeat(Math.max(0, size - width(cell)))
  return right ? space + cell : last ? cell : cell + space
}

function width(text: string): number {
  return [...text].length
}
