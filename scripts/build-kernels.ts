import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
export const COMPILED = join(root, 'src/kernels/compiled.ts')

interface Compiler {
  main(
    options: string[],
    files: { writeFile(name: string, contents: Uint8Array | string): void },
  ): Promise<{ error: Error | null; stderr: { toString(): string } }>
}

/** Compiles the kernels; the same source gives the same bytes. Throws with the compiler's words. */
export async function compileKernels(): Promise<Uint8Array> {
  // Its own types would declare a console without `error` for the whole program.
  const { default: asc } = (await import('assemblyscript/asc' as string)) as { default: Compiler }
  let binary: Uint8Array | undefined
  // Not -O3: it moves instructions of products and gates out of the order that keeps them in registers.
  const options = '--runtime stub --enable simd --importMemory --noAssert --disableWarning 112 -O2 --outFile kernels.wasm'
  const { error, stderr } = await asc.main(['src/kernels/assembly/index.ts', '--baseDir', root, ...options.split(' ')], {
    writeFile(_name: string, contents: Uint8Array | string) {
      if (typeof contents !== 'string') binary = contents
    },
  })
  if (error || !binary) throw new Error(stderr.toString(), { cause: error })
  return binary
}

export function kernelsModule(binary: Uint8Array): string {
  const lines = Buffer.from(binary)
    .toString('base64')
    .match(/.{1,120}/g)!
  const text = lines.map(line => `  '${line}',`).join('\n')
  return `/** Made of \`assembly/\` by \`npm run build:kernels\`; a test holds it to its source. */\nexport const compiled = [\n${text}\n].join('')\n`
}

if (import.meta.main) {
  const binary = await compileKernels()
  await writeFile(COMPILED, kernelsModule(binary))
  console.log(`${binary.length} bytes`)
}
