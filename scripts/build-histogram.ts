import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import asc from 'assemblyscript/asc'

const FOLDER = join(import.meta.dirname, '../src/kernels')
const FLAGS = ['--runtime', 'stub', '--enable', 'simd', '--importMemory', '--noAssert', '-O3']

/** Compiles `histogram.as` to the bytes of a WebAssembly module; throws with what the compiler says. */
export async function compileHistogram(): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined
  const { error, stderr } = await asc.main(['histogram.ts', '-o', 'histogram.wasm', ...FLAGS], {
    readFile: name => (name === 'histogram.ts' ? readFileSync(join(FOLDER, 'histogram.as'), 'utf8') : null),
    writeFile: (_, contents) => {
      bytes = contents as Uint8Array
    },
    listFiles: () => [],
  })
  if (error || !bytes) throw new Error(`histogram.as must compile, got ${stderr.toString()}`)
  return bytes
}

if (import.meta.main) {
  const bytes = Buffer.from(await compileHistogram()).toString('base64')
  const lines = bytes.match(/.{1,120}/g)!.map(line => `  '${line}',`)
  const text = `// Made by scripts/build-histogram.ts from histogram.as.\nexport const HISTOGRAM_MODULE = [\n${lines.join('\n')}\n].join('')\n`
  writeFileSync(join(FOLDER, 'histogram-module.ts'), text)
}
