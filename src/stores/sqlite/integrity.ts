import type { DatabaseSync } from 'node:sqlite'

/** What SQLite finds wrong with the structure of a database; nothing when all is well. `quick` does not compare indexes with their tables. */
export function integrityProblems(db: DatabaseSync, { quick = false } = {}): string[] {
  const rows = db.prepare(`PRAGMA ${quick ? 'quick_check' : 'integrity_check'}`).all()
  const orphans = db.prepare('PRAGMA foreign_key_check').all()
  return [
    ...rows.map(row => String(Object.values(row)[0])).filter(text => text !== 'ok'),
    ...orphans.map(row => `a row of ${row.table} that belongs to nothing in ${row.parent}`),
  ]
}
