import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The command `tidewatch`. */
export const COMMAND = join(import.meta.dirname, '../../bin/tidewatch.js')

/** How the first line of the command starts Node, so that what is measured is what people get. */
export function nodeOfCommand(command = COMMAND): {
  readonly env: Readonly<Record<string, string>>
  readonly execArgv: readonly string[]
} {
  const [first = ''] = readFileSync(command, 'utf8').split('\n', 1)
  const found = /^#!\/usr\/bin\/env -S (?<env>(?:\w+=\S+ )*)node(?<flags>(?: --\S+)*)$/.exec(first)
  if (!found) throw new Error(`the command must begin with #!/usr/bin/env -S NAME=value … node --flag …, got ${first}`)
  const words = (text = '') => text.split(' ').filter(word => word !== '')
  const pairs = words(found.groups!.env).map(word => {
    const at = word.indexOf('=')
    return [word.slice(0, at), word.slice(at + 1)] as const
  })
  return { env: Object.fromEntries(pairs), execArgv: words(found.groups!.flags) }
}
