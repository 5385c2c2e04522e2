import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { readAll, sampleAnomaly, sampleModel, sampleRun, sampleScores } from '../../testing/store-laws.ts'
import { openSqlite } from '../sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidewatch-damage-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const now = () => 5000
const { labels } = sampleAnomaly()
const other = { ...labels, instance: 'b:9153' }
const hours = Array.from({ length: 300 }, (_, i) => i)
const everything = (more = {}) =>
  sampleRun({
    range: { start: 0, end: 300 },
    anomalies: [sampleAnomaly({ ongoing: false }), sampleAnomaly({ labels: other, start: 290, end: 300, peak: 295 })],
    snapshots: [labels, other].map(one => ({ labels: one, detector: 'a', time: 50, state: new Uint8Array(100).fill(7) })),
    points: [labels, other].map(one => ({ detector: 'a', scores: sampleScores(hours, one) })),
    ...more,
  })

/** A store with a bit of everything, and a second connection that may do anything to its file. */
async function damaged(harm: (db: DatabaseSync) => void) {
  const path = join(folder, `${files++}.db`)
  const told: string[] = []
  const store = openSqlite(path, { now, onDamage: message => told.push(message) })
  await store.commit(everything())
  await store.addModel(sampleModel(), true)
  const db = new DatabaseSync(path)
  harm(db)
  db.close()
  return { store, told, path }
}

describe('a row that cannot be read', () => {
  it.each([
    ['anomaly', 'UPDATE anomalies SET body = \'{"id":\' WHERE start = 290'],
    ['anomaly', "UPDATE anomalies SET body = '{}' WHERE start = 290"],
    ['anomaly', "UPDATE anomalies SET body = x'00ff' WHERE start = 290"],
    ['run', "UPDATE runs SET body = 'x'"],
    ['series', "UPDATE series SET labels = '[' WHERE name LIKE '%b:9153%'"],
    ['points', 'UPDATE points SET body = substr(body, 1, 40) WHERE first = 128 AND stream = 1'],
    ['model', 'UPDATE models SET labels = \'{"job":"other"}\''],
  ])('of kind %s is set aside and counted (%s)', async (kind, sql) => {
    const { store, told } = await damaged(db => db.exec(sql))
    await readAll(store, ['f'], ['log', 'hook'], [labels, other], 1e6)
    await store.points('f', labels, 'a', { start: 0, end: 300 })
    expect((await store.stats()).damaged).toBe(1)
    expect(told).toEqual([expect.stringMatching(new RegExp(`^${kind} .* it is set aside and everything else goes on$`))])
    // The run goes on as if the row had never been, and all is there again.
    await store.commit(everything({ finishedAt: 1100 }))
    expect(await store.anomalies()).toHaveLength(2)
    expect(await store.snapshots('f')).toHaveLength(2)
    expect((await store.points('f', labels, 'a', { start: 0, end: 300 }))!.times).toHaveLength(300)
    expect((await store.stats()).damaged).toBe(1)
    await store.close()
  })

  it('makes nobody hear of its anomaly twice', async () => {
    const { store } = await damaged(db => db.exec("UPDATE anomalies SET body = '' WHERE start = 290"))
    const before = (await store.outbox('log', 1e6)).map(({ key }) => key)
    await store.commit(everything({ finishedAt: 1100 }))
    expect((await store.outbox('log', 1e6)).map(({ key }) => key)).toEqual(before)
    await store.close()
  })

  it('of the outbox is sent all the same when the anomaly itself can be read', async () => {
    const { store } = await damaged(db => db.exec("UPDATE outbox SET body = '{'"))
    const messages = await store.outbox('log', 1e6)
    expect(messages.map(({ kind, anomaly }) => [kind, anomaly.status])).toEqual([
      ['opened', 'open'],
      ['opened', 'open'],
    ])
    expect((await store.stats()).damaged).toBe(0)
    await store.close()
  })

  it('of the outbox holds up no other message', async () => {
    const { store } = await damaged(db => {
      db.exec("UPDATE outbox SET body = '{' WHERE id <= 2")
      db.exec("UPDATE anomalies SET body = '{' WHERE id = (SELECT anomaly FROM outbox WHERE id = 1)")
    })
    const messages = await store.outbox('log', 1e6)
    expect(messages.length).toBeGreaterThan(0)
    expect((await store.stats()).damaged).toBeGreaterThan(0)
    await store.close()
  })

  it('is passed over by those who only read', async () => {
    const { store, path } = await damaged(db => db.exec("UPDATE anomalies SET body = '' WHERE start = 290"))
    const reader = openSqlite(path, { now, readOnly: true })
    expect(await reader.anomalies()).toHaveLength(1)
    expect((await reader.stats()).damaged).toBe(1)
    await reader.close()
    await store.close()
  })

  it('stops no run, whichever bytes of whichever rows have changed', async () => {
    const target = fc.constantFrom(
      ['anomalies', 'body'],
      ['runs', 'body'],
      ['series', 'labels'],
      ['points', 'body'],
      ['outbox', 'body'],
      ['models', 'labels'],
      ['snapshots', 'state'],
    )
    const harm = fc.record({ target, row: fc.nat(), at: fc.nat(), byte: fc.nat(255), cut: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(harm, { minLength: 1, maxLength: 6 }), async harms => {
        const { store } = await damaged(db => {
          for (const { target, row, at, byte, cut } of harms) {
            const [table, column] = target
            const id = ['anomalies', 'snapshots'].includes(table) ? (table === 'anomalies' ? 'id' : 'stream') : 'id'
            const rows = db.prepare(`SELECT ${id} AS id, CAST(${column} AS BLOB) AS body FROM ${table} ORDER BY 1`).all()
            const { id: key, body } = rows[row % rows.length] as { id: string | number; body: Uint8Array }
            if (body.length === 0) continue
            const changed = Buffer.from(body)
            changed[at % changed.length] = byte
            const kept = cut ? changed.subarray(0, at % changed.length) : changed
            const value = column === 'state' || table === 'points' ? kept : kept.toString('latin1')
            db.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${id} = ?`).run(value, key)
          }
        })
        await readAll(store, ['f'], ['log', 'hook'], [labels, other], 1e6)
        await store.commit(everything({ finishedAt: 1100 }))
        await store.commit(sampleRun({ range: { start: 300, end: 400 }, finishedAt: 1200 }))
        expect((await store.flow('f'))!.lastRun!.status).toBe('ok')
        await store.close()
      }),
      { numRuns: 40 },
    )
  })
})
