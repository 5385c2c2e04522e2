import type { Database } from './database.ts'

export type DamagedKind = 'anomaly' | 'message' | 'model' | 'points' | 'run' | 'series' | 'snapshot'

/** Of what was set aside the newest are kept, for whoever wants to find out what happened. */
const KEEP_DAMAGED = 1000

/**
 * Puts rows that cannot be read out of the way of all others: they are moved to the table `damaged`, counted, and told of once. A store that is
 * open for reading only counts them and goes on.
 */
export interface Damage {
  /** The value of a row; undefined when it cannot be read, and then `remove` takes the row out of its table. */
  read<Value>(row: DamagedRow, decode: () => Value, remove: () => void): Value | undefined
  /** The same for a row that somebody else could not read. */
  setAside(row: DamagedRow, reason: string, remove: () => void): void
  /** Rows found by this process. */
  readonly found: number
}

export interface DamagedRow {
  readonly kind: DamagedKind
  /** What people know it by. */
  readonly name: string
  readonly body: Uint8Array | string | null
}

export interface DamageParts {
  readonly readOnly: boolean
  readonly now: () => number
  readonly onDamage: (message: string) => void
}

export function fromDamage({ statement }: Pick<Database, 'statement'>, { readOnly, now, onDamage }: DamageParts): Damage {
  let found = 0
  const setAside: Damage['setAside'] = ({ kind, name, body }, reason, remove) => {
    found++
    if (readOnly) return
    statement('INSERT INTO damaged (kind, name, reason, found_at, body) VALUES (?, ?, ?, ?, ?)').run(
      kind,
      name,
      reason,
      now(),
      body,
    )
    statement('DELETE FROM damaged WHERE id <= (SELECT max(id) FROM damaged) - ?').run(KEEP_DAMAGED)
    remove()
    onDamage(`${kind} ${name} must be readable, got ${reason}; it is set aside and everything else goes on`)
  }
  return {
    read(row, decode, remove) {
      try {
        return decode()
      } catch (error) {
        setAside(row, (error as Error).message, remove)
        return undefined
      }
    },
    setAside,
    get found() {
      return found
    },
  }
}
