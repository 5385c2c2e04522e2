import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, it } from 'vitest'
import { durableStoreLaws, storeLaws } from '../testing/store-laws.ts'
import { openSqlite } from './sqlite.ts'
import type { Store } from './store.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidewatch-store-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const fresh = () => join(folder, `${files++}.db`)
const now = () => 0

describe('sqlite', () => {
  for (const law of [...storeLaws, ...durableStoreLaws])
    it(law.name, () => {
      const path = fresh()
      const reopen = async (store: Store) => {
        await store.close()
        return openSqlite(path, { now })
      }
      return law.check({ make: () => openSqlite(path, { now }), reopen })
    })
})
