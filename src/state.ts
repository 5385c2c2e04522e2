/** Versioned plain data; numbers, strings, arrays, typed arrays, plain objects. The store encodes it. */
export type State = { readonly version: number } & Readonly<Record<string, unknown>>
