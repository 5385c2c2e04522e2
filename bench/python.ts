import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** ms to fetch packages. */
const PATIENCE = 900_000

/** The Python of a virtual environment with the newest of these packages, made once and kept; rejects without Python or a way to packages. */
export async function makePython(name: string, packages: readonly string[]): Promise<string> {
  const folder = resolve(import.meta.dirname, '../.tidewatch/bench', name)
  const python = join(folder, 'bin/python')
  const done = join(folder, 'complete')
  if (existsSync(done)) return python
  console.error(`making a virtual environment with ${packages.join(', ')}`)
  await mkdir(folder, { recursive: true })
  await run('python3', ['-m', 'venv', folder])
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages], { timeout: PATIENCE })
  await writeFile(done, '')
  return python
}
