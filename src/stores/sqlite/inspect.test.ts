import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { sampleAnomaly, sampleRun, sampleScores } from '../../testing/store-laws.ts'
import { openSqlite } from '../sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidewatch-inspect-'))
afterAll(() => rmSync(folder, { recursive: true }))
const now = () => 0
const points = [{ detector: 'a', scores: sampleScores(Array.from({ length: 500 }, (_, i) => i)) }]

async function filled(name: string) {
  const path = join(folder, name)
  const store = openSqlite(path, { now })
  for (let i = 0; i < 30; i++) await store.commit(sampleRun({ flow: `f${i}`, points, anomalies: [sampleAnomaly()] }))
  return { path, store }
}

describe('the inspection of a file', () => {
  it('finds nothing wrong with a store in use', async () => {
    const { store } = await filled('whole.db')
    await Promise.all([store.inspect(), store.inspect()])
    await store.close()
  })

  it('says what is wrong and what to do', async () => {
    const { path, store } = await filled('damaged.db')
    await store.close()
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill(0x5a, bytes.length - 3 * 4096))
    const again = openSqlite(path, { now })
    await expect(again.inspect()).rejects.toThrow(/must be whole, got .*`tidewatch restore`/)
    await again.close()
  })

  it('ends when the store is closed', async () => {
    const { store } = await filled('closed.db')
    const inspection = store.inspect().catch((error: Error) => error)
    await store.close()
    await inspection
  })
})
