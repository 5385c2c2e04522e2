import { closeSync, constants, copyFileSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { StoreError } from '../../errors.ts'
import { requireOurs, takeLock } from './database.ts'
import { integrityProblems } from './integrity.ts'

/** What belongs to one database beside its main file. */
const COMPANIONS = ['-wal', '-shm']

/**
 * Copies the store at `path` into `file`, which must not exist, while others read and write it: the copy is what was stored at one moment, without
 * gaps. It is complete and checked when it appears under its name.
 */
export function backUpSqlite(path: string, file: string): void {
  if (!existsSync(path)) throw new StoreError(`${path} must exist to be backed up, got nothing there`)
  if (existsSync(file)) throw new StoreError(`${file} must not exist before the backup, got a file there`)
  const partial = `${file}.partial`
  rmSync(partial, { force: true })
  try {
    const source = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
    try {
      requireOurs(source, path)
      source.prepare('VACUUM INTO ?').run(partial)
    } finally {
      source.close()
    }
    requireWhole(partial)
    sync(partial)
    renameSync(partial, file)
  } catch (error) {
    rmSync(partial, { force: true })
    throw asStoreError(error, path)
  }
}

/**
 * Puts the backup in `file` in the place of the store at `path`; the backup stays as it is. What was at `path` is kept under the name that is returned,
 * undefined when there was nothing. Throws, and changes nothing, when the backup is not whole or a process holds the store.
 */
export function restoreSqlite(path: string, file: string, now: number): string | undefined {
  if (!existsSync(file)) throw new StoreError(`${file} must exist to be restored, got nothing there`)
  requireWhole(file)
  const lock = takeLock(path)
  const partial = `${path}.partial`
  try {
    copyFileSync(file, partial, constants.COPYFILE_FICLONE)
    sync(partial)
    const aside = existsSync(path) ? `${path}.before-restore-${new Date(now).toISOString().replaceAll(':', '')}` : undefined
    if (aside !== undefined) setAside(path, aside)
    // Without the old file they belong to nothing.
    for (const part of COMPANIONS) rmSync(path + part, { force: true })
    renameSync(partial, path)
    return aside
  } catch (error) {
    rmSync(partial, { force: true })
    throw asStoreError(error, path)
  } finally {
    lock.close()
  }
}

/** Gives the store at `path` a second name, so that there is one under the first at any moment, also when we are killed. */
function setAside(path: string, aside: string): void {
  foldIn(path)
  // What was written last is still beside a store that is too damaged to be opened, and must not be taken for a part of the new one.
  for (const part of COMPANIONS) if (existsSync(path + part)) renameSync(path + part, aside + part)
  try {
    linkSync(path, aside)
  } catch {
    // Some file systems give a file one name only.
    copyFileSync(path, aside)
  }
}

/** Writes what is beside the main file into it. */
function foldIn(path: string): void {
  try {
    const db = new DatabaseSync(path, { timeout: 5000 })
    try {
      db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } finally {
      db.close()
    }
  } catch {
    // It may be damaged: that is why it is replaced.
  }
}

/** Throws unless the file is a store of this version or an older one, and all of its pages are in order. */
function requireWhole(file: string): void {
  try {
    const db = new DatabaseSync(file, { readOnly: true })
    try {
      requireOurs(db, file)
      const problems = integrityProblems(db)
      if (problems.length > 0) throw new StoreError(`${file} must be whole, got ${problems[0]}`)
    } finally {
      db.close()
    }
  } catch (error) {
    throw asStoreError(error, file)
  }
}

function sync(file: string): void {
  const handle = openSync(file, 'r+')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function asStoreError(error: unknown, path: string): unknown {
  if (error instanceof StoreError) return error
  return new StoreError(`${path} must be readable and the copy writable, got ${(error as Error).message}`, { cause: error })
}
