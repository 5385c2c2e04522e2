import type { TableOptions } from '../sources/table/read-table.ts'

/** What `--max-size` (bytes) means for reading a file. */
export function fileLimit(maxSize: number | undefined): TableOptions {
  return { maxBytesOption: '--max-size', ...(maxSize === undefined ? {} : { maxBytes: maxSize }) }
}
