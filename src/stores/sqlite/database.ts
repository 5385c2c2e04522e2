import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { type CompiledQuery, DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { StoreError } from '../../errors.ts'
import type { Retention } from '../retention.ts'
import { type Damage, fromDamage } from './damage.ts'
import { APPLICATION_ID, MIGRATIONS, type Tables } from './schema.ts'

export interface OpenOptions {
  readonly now: () => number
  /** Reads beside the one process that writes; nothing can be written, and no file is made. */
  readonly readOnly?: boolean
  /** ms to wait for another process, for example one that reads while we tidy up; default 5 s. */
  readonly patience?: number
  /** Hears of each row that could not be read and was set aside. */
  readonly onDamage?: (message: string) => void
  readonly retention?: Retention
  /** Bytes that the file may hold before the oldest points and anomalies go; no limit by default. */
  readonly maxSize?: number
  /** Hears of what went to make room. */
  readonly onEvicted?: (message: string) => void
}

/**
 * One connection. Kysely writes the queries, `node:sqlite` runs them at once in the calling tick, so that nothing comes between the
 * statements of a transaction and no lock between promises is needed.
 */
export interface Database {
  readonly query: Kysely<Tables>
  all<Row>(query: { compile(): CompiledQuery<Row> }): Row[]
  first<Row>(query: { compile(): CompiledQuery<Row> }): Row | undefined
  run(query: { compile(): CompiledQuery<unknown> }): void
  /** A statement for a hot loop; made once for each text. */
  statement(sql: string): StatementSync
  readonly readOnly: boolean
  /** What to do with rows that cannot be read. */
  readonly damage: Damage
  /** All or nothing; throws `StoreError` with the cause. */
  transact<Result>(work: () => Result): Result
  /** A small write; throws when the file that was opened is not the one at its path any more. Inside a transaction. */
  probe(): void
  close(): void
}

/** Builds queries and runs none. */
const builder = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: db => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

/** Opens or makes the file. Throws `StoreError` when it is another's, newer, damaged, or held by another process; then it is not touched. */
export function openDatabase(path: string, options: OpenOptions): Database {
  const { readOnly = false, patience = 5000 } = options
  if (readOnly && !existsSync(path)) throw new StoreError(`${path} must exist to be read, got nothing there`)
  let lock: DatabaseSync | undefined
  let connection: DatabaseSync | undefined
  try {
    if (!readOnly) {
      mkdirSync(dirname(path), { recursive: true })
      lock = takeLock(path)
    }
    connection = new DatabaseSync(path, { readOnly, timeout: patience, enableForeignKeyConstraints: true })
    prepare(connection, path, options)
  } catch (error) {
    connection?.close()
    lock?.close()
    throw toStoreError(error, path)
  }
  return fromConnection(connection, path, options, () => lock?.close())
}

/**
 * Holds a lock of the operating system on `PATH.lock` that dies with the process, however it dies. The file stays empty; only its lock
 * means something.
 */
export function takeLock(path: string): DatabaseSync {
  const lock = new DatabaseSync(`${path}.lock`)
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if ((error as { errcode?: number }).errcode !== 5) throw error
    throw new StoreError(`${path} must be held by one process only, got process ${ownerOf(path)} that holds it already`, {
      cause: error,
    })
  }
}

function ownerOf(path: string): string {
  try {
    const reader = new DatabaseSync(path, { readOnly: true, timeout: 200 })
    try {
      return String(reader.prepare('SELECT pid FROM owner').get()?.pid ?? 'unknown')
    } finally {
      reader.close()
    }
  } catch {
    return 'unknown'
  }
}

function prepare(connection: DatabaseSync, path: string, { readOnly = false, now }: OpenOptions): void {
  // A process that was killed before its first transaction leaves a file without tables.
  const isNew = !readOnly && connection.prepare('SELECT 1 FROM sqlite_schema').get() === undefined
  const version = isNew ? 0 : requireOurs(connection, path)
  if (readOnly) return requireCurrent(version, path)
  // Before the first table: it says how the file is laid out.
  if (isNew) connection.exec('PRAGMA auto_vacuum = INCREMENTAL')
  connection.exec('PRAGMA journal_mode = WAL')
  // A killed process loses nothing that was committed. A power cut may take the last commits with it, but whole ones and their watermark
  // with them, so that the next run finds the same again under the same ids; a sync for each commit would buy no more.
  connection.exec('PRAGMA synchronous = NORMAL')
  connection.exec('PRAGMA journal_size_limit = 8388608')
  connection.exec('BEGIN IMMEDIATE')
  try {
    if (isNew) connection.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
    connection.exec('CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, applied_at REAL NOT NULL)')
    for (let i = version; i < MIGRATIONS.length; i++) {
      connection.exec(MIGRATIONS[i])
      connection.prepare('INSERT INTO migrations VALUES (?, ?)').run(i + 1, now())
    }
    connection.exec('DELETE FROM owner')
    connection.prepare('INSERT INTO owner VALUES (?, ?)').run(process.pid, now())
    // Nobody else can hold the file, so that every lease is one of a dead process.
    connection.exec('UPDATE flows SET leased_until = NULL')
    connection.exec('COMMIT')
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK')
    throw error
  }
}

/** The schema of a database; throws when it is of another program or of a newer version. */
export function requireOurs(connection: DatabaseSync, path: string): number {
  if (connection.prepare('PRAGMA application_id').get()?.application_id !== APPLICATION_ID)
    throw new StoreError(`${path} must be a store of Tidewatch, got another SQLite database`)
  const has = connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'migrations'").get() !== undefined
  const version = has ? Number(connection.prepare('SELECT max(version) AS version FROM migrations').get()!.version) : 0
  if (version > MIGRATIONS.length)
    throw new StoreError(`${path} must have schema ${MIGRATIONS.length} or older, got ${version} of a newer Tidewatch`)
  return version
}

/** Who only reads cannot bring a store up to date. */
export function requireCurrent(version: number, path: string): void {
  if (version < MIGRATIONS.length)
    throw new StoreError(`${path} must have schema ${MIGRATIONS.length} to be read, got ${version}; open it for writing once`)
}

function fromConnection(connection: DatabaseSync, path: string, options: OpenOptions, unlock: () => void): Database {
  const statements = new Map<string, StatementSync>()
  const statement = (sql: string) => {
    let made = statements.get(sql)
    if (!made) statements.set(sql, (made = connection.prepare(sql)))
    return made
  }
  const compile = (query: { compile(): CompiledQuery<unknown> }) => {
    const { sql, parameters } = query.compile()
    return { statement: statement(sql), parameters: parameters as SQLInputValue[] }
  }
  const all = <Row>(query: { compile(): CompiledQuery<Row> }): Row[] => {
    const compiled = compile(query)
    return compiled.statement.all(...compiled.parameters) as Row[]
  }
  const { readOnly = false, now, onDamage = () => {} } = options
  let isOpen = true
  const opened = statSync(path)
  return {
    query: builder,
    probe() {
      const found = statSync(path, { throwIfNoEntry: false })
      if (!found)
        throw new StoreError(`${path} must stay while it is open, got no file: it was deleted or moved away; restart to go on`)
      if (found.ino !== opened.ino || found.dev !== opened.dev)
        throw new StoreError(`${path} must stay while it is open, got another file in its place; restart to go on`)
      statement('UPDATE owner SET since = since').run()
    },
    readOnly,
    damage: fromDamage({ statement }, { readOnly, now, onDamage }),
    all,
    first: query => all(query)[0],
    run: query => {
      const compiled = compile(query)
      compiled.statement.run(...compiled.parameters)
    },
    statement,
    transact(work) {
      if (!isOpen) throw new StoreError('store must be open, got a closed one')
      try {
        connection.exec('BEGIN')
        const result = work()
        connection.exec('COMMIT')
        return result
      } catch (error) {
        if (connection.isTransaction) connection.exec('ROLLBACK')
        throw toStoreError(error, path)
      }
    },
    close() {
      if (!isOpen) return
      isOpen = false
      connection.close()
      unlock()
    },
  }
}

/** Names what people can do something about; every other error of SQLite keeps its own words. Errors that are not of SQLite pass. */
function toStoreError(error: unknown, path: string): unknown {
  const { code, errcode = 0, message } = error as { code?: string; errcode?: number; message: string }
  if (code !== 'ERR_SQLITE_ERROR') {
    // What the file system says of the folder has a `syscall`.
    return 'syscall' in (error as object) ? new StoreError(`${path} must be writable, got ${message}`, { cause: error }) : error
  }
  const said: Record<number, string> = {
    5: `${path} must not be locked by another process for long, got ${message}`,
    8: `${path} must be opened for writing, got a store that is open for reading only`,
    10: `${path} must be readable and writable, got ${message}; what was stored before is intact`,
    11: `${path} must be whole, got a damaged file; see what is left with \`tidewatch check store\` and put a backup in its place with \`tidewatch restore\`, or start with another path`,
    13: `${path} must have room to grow, got a full disk; what was stored before is intact`,
    14: `${path} must be a file that can be opened, got ${message}`,
    26: `${path} must be a store of Tidewatch, got a file that is no SQLite database`,
  }
  return new StoreError(said[errcode & 0xff] ?? `${path} must answer, got ${message}`, { cause: error })
}
