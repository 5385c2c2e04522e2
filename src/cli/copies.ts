import { dirname, resolve } from 'node:path'
import { InputError, StoreError } from '../errors.ts'
import { decodeState } from '../pipeline/state.ts'
import { checkSqlite } from '../stores/sqlite/check-rows.ts'
import { backUpSqlite, restoreSqlite } from '../stores/sqlite/copies.ts'
import { readConfiguration } from './read-configuration.ts'
import { paint, type Terminal } from './terminal.ts'

export interface StoreOptions {
  readonly config: string
  readonly store?: string | undefined
}

/** Damaged rows that are named for each kind; the rest is counted. */
const NAMED = 10

/** `tidewatch backup FILE`. */
export async function backUp({ file, ...options }: StoreOptions & { readonly file: string }, { out }: Terminal): Promise<void> {
  const path = await pathOf(options)
  backUpSqlite(path, file)
  out.write(`${paint('green', 'OK', out)} ${path} is copied to ${file}\n`)
}

/** `tidewatch restore FILE`. */
export async function restore({ file, ...options }: StoreOptions & { readonly file: string }, { out }: Terminal): Promise<void> {
  const path = await pathOf(options)
  const aside = restoreSqlite(path, file, Date.now())
  out.write(`${paint('green', 'OK', out)} ${file} is now ${path}${aside === undefined ? '' : `; what was there is ${aside}`}\n`)
}

/** `tidewatch check store`: prints what is there; throws when anything of it is damaged. */
export async function check(options: StoreOptions, { out }: Terminal): Promise<void> {
  const path = await pathOf(options)
  const { structure, rows, setAside } = checkSqlite(path, decodeState)
  const faults = [...structure.map(text => `structure: ${text}`), ...rows.flatMap(({ kind, damaged }) => nameSome(kind, damaged))]
  for (const fault of faults) out.write(`${fault}\n`)
  if (faults.length > 0)
    throw new StoreError(`${path} must be whole, got the faults above; damaged rows are set aside when they are read next`)
  const total = rows.reduce((sum, { rows }) => sum + rows, 0)
  const before = setAside > 0 ? `, ${setAside} set aside before` : ''
  out.write(`${paint('green', 'OK', out)} ${path}: structure and ${total} rows${before}\n`)
}

function nameSome(kind: string, damaged: readonly string[]): string[] {
  const named = damaged.slice(0, NAMED).map(text => `${kind} ${text}`)
  return damaged.length > NAMED ? [...named, `${kind}: ${damaged.length - NAMED} more`] : named
}

async function pathOf({ config, store }: StoreOptions): Promise<string> {
  if (store !== undefined) return resolve(store)
  const { type, config: options } = (await readConfiguration(config)).store
  if (type !== 'sqlite') throw new InputError(`store must be of type sqlite to have a file, got ${type}`)
  return resolve(dirname(resolve(config)), (options as { readonly path: string }).path)
}
