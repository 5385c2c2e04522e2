import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/**
 * Path of a program that tests talk to: on PATH, or where `scripts/newest-peers.sh "$(go env GOPATH)/bin"` puts it. Undefined, and said on
 * standard error, when it is nowhere: its tests are skipped then.
 */
export function findPeer(program: string): string | undefined {
  const built = join(process.env.GOPATH ?? join(homedir(), 'go'), 'bin')
  const found = [...(process.env.PATH ?? '').split(delimiter), built].map(folder => join(folder, program)).find(isProgram)
  if (!found) console.error(`!!! ${program} was not found on PATH or in ${built}: its tests are NOT RUN !!!`)
  return found
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
