import { dirname, resolve } from 'node:path'
import { ConfigError, printFault } from '../errors.ts'
import type { World } from '../execution/world.ts'
import { locate } from '../pipeline/locate.ts'
import { MAX_TEXT } from '../pipeline/parse-yaml.ts'
import { checkOnline } from './check-online.ts'
import { readConfiguration } from './read-configuration.ts'
import { readText } from './read-text.ts'
import { paint, type Terminal } from './terminal.ts'
import { realWorld } from './world.ts'

export interface CheckCommand {
  readonly file: string
  /** Ask the sources too. */
  readonly online?: boolean
}

/** `tidewatch check config FILE`: says what is in it, or throws a `ConfigError` with every fault; with `--online` also what its sources say. */
export async function run({ file, online = false }: CheckCommand, terminal: Terminal, world: World = realWorld()): Promise<void> {
  const { out, err } = terminal
  const configuration = await readConfiguration(file)
  const { flows, sources, notifiers } = configuration
  const lines: string[] = []
  if (online) {
    const document = locate(readText(file, MAX_TEXT), file, process.env)
    const checked = await checkOnline(configuration, document, world, dirname(resolve(file)))
    for (const warning of checked.warnings) err.write(`${paint('yellow', 'warning', err)}: ${printFault(warning)}\n`)
    if (checked.faults.length > 0) throw new ConfigError(checked.faults)
    lines.push(...checked.flows.map(({ name, series }) => `${name}: ${series} series\n`))
  }
  const count = (things: object, word: string) => {
    const { length } = Object.keys(things)
    return `${length} ${word}${length === 1 ? '' : 's'}`
  }
  out.write(
    `${paint('green', 'OK', out)} ${file}: ${count(flows, 'flow')}, ${count(sources, 'source')}, ${count(notifiers, 'notifier')}\n${lines.join('')}`,
  )
}
