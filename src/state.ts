/** Versioned plain data; numbers, strings, arrays, typed arrays, plain objects. The store encodes it. */
export type State = { readonly version: number } & Readonly<Record<string, unknown>>

/** Plain data as in a `State`, sharing no memory with what it was copied from: what `structuredClone` does, in a tenth of its time. */
export function copyState<Data>(data: Data): Data
export function copyState(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data
  if (ArrayBuffer.isView(data)) return (data as Float64Array).slice()
  if (Array.isArray(data)) return data.map(copyState)
  // Spread first: an object that gets its properties one by one is slow to read.
  const copy: Record<string, unknown> = { ...data }
  for (const name in copy) if (typeof copy[name] === 'object') copy[name] = copyState(copy[name])
  return copy
}
