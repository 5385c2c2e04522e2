import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makePython } from './python.ts'

const run = promisify(execFile)

const PACKAGES = ['scikit-learn', 'statsmodels', 'stumpy', 'river']
/** ms for all peers together. */
const PATIENCE = 900_000

/** What a peer took for the same four weeks. */
export interface PeerTime {
  /** The detector that it stands beside. */
  readonly type: string
  /** Package with its version, and what was called. */
  readonly peer: string
  readonly does: string
  readonly ms: number
}

/** Times the peers of these detectors in a virtual environment, which is made when it is absent; none, and why, without Python. */
export async function timePeers(values: Float64Array, types: readonly string[]): Promise<PeerTime[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tidewatch-peers-'))
  try {
    const python = await makePython('venv', PACKAGES)
    const file = join(folder, 'values.f64')
    await writeFile(file, Buffer.from(values.buffer, values.byteOffset, values.byteLength))
    console.error('speed: running the peers')
    const { stdout } = await run(python, [join(import.meta.dirname, 'peers.py'), file, ...types], { timeout: PATIENCE })
    return stdout
      .trim()
      .split('\n')
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line))
  } catch (error) {
    console.error(`speed: the peers were not run: ${error instanceof Error ? error.message.split('\n')[0] : error}`)
    return []
  } finally {
    await rm(folder, { recursive: true })
  }
}
