import { rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { LIES, REFUSALS, type World } from './servers.ts'

const MINUTE = 60_000

/** One thing that goes wrong for a while. */
export interface Fault {
  readonly name: string
  /** Longest time (ms) that it lasts. */
  readonly longest: number
  /** Begins it; gives what is wrong now, and the function that ends it. */
  begin(): { readonly how: string; readonly end: () => void }
}

export interface FaultParts {
  readonly world: World
  readonly random: () => number
  /** File of the store. */
  readonly store: string
  /** File whose number the clock of the server is off by. */
  readonly clock: string
}

/** What an operator's night has beside kills: a receiver that refuses, a source that lies, writes that fail, a clock that jumps. */
export function makeFaults({ world, random, store, clock }: FaultParts): readonly Fault[] {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!
  return [
    {
      name: 'a receiver that refuses',
      longest: 4000,
      begin() {
        world.refusal = pick(REFUSALS)
        return { how: String(world.refusal), end: () => (world.refusal = undefined) }
      },
    },
    {
      name: 'a source that lies',
      // Longer than a run looks back, so that rows which were hidden must be found by the runs after it.
      longest: 6000,
      begin() {
        world.lie = pick(LIES)
        return { how: world.lie, end: () => (world.lie = undefined) }
      },
    },
    {
      name: 'writes that fail',
      // Longer than a write waits for a lock.
      longest: 7000,
      begin() {
        const other = new DatabaseSync(store, { timeout: 2000 })
        try {
          other.exec('BEGIN IMMEDIATE')
          return { how: 'the store is locked', end: () => other.close() }
        } catch {
          return { how: 'not now, the server writes without a pause', end: () => other.close() }
        }
      },
    },
    {
      name: 'a clock that jumps',
      longest: 3000,
      begin() {
        const minutes = pick([10, 60, 24 * 60]) * (random() < 0.5 ? 1 : -1)
        writeFileSync(clock, String(minutes * MINUTE))
        return { how: `by ${minutes} minutes`, end: () => rmSync(clock, { force: true }) }
      },
    },
  ]
}
