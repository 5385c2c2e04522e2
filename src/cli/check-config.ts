import { readConfiguration } from './read-configuration.ts'
import { paint, type Terminal } from './terminal.ts'

/** `tidewatch check config FILE`: says what is in it, or throws a `ConfigError` with every fault. */
export async function run({ file }: { readonly file: string }, { out }: Terminal): Promise<void> {
  const { flows, sources, notifiers } = await readConfiguration(file)
  const count = (things: object, word: string) => {
    const { length } = Object.keys(things)
    return `${length} ${word}${length === 1 ? '' : 's'}`
  }
  out.write(
    `${paint('green', 'OK', out)} ${file}: ${count(flows, 'flow')}, ${count(sources, 'source')}, ${count(notifiers, 'notifier')}\n`,
  )
}
