import { javascriptOps } from './javascript-ops.ts'
import type { Backend } from './ops.ts'
import { hasWebAssembly, wasmOps } from './wasm-ops.ts'

/** WebAssembly, or JavaScript where there is none (`node --jitless`); scores then differ in the sixth digit. */
export const fastestOps: Backend = room => (hasWebAssembly() ? wasmOps : javascriptOps('float32'))(room)
