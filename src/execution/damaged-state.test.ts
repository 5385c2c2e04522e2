import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { openSqlite } from '../stores/sqlite.ts'
import { toyFlow, toySeries, watchToys } from '../testing/toy-watch.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidewatch-damaged-state-'))
afterAll(() => rmSync(folder, { recursive: true }))

const pods = ['a', 'b'].map(pod => ({ __name__: 'rps', job: 'dns', pod }))

/** Two series run for a while, then something happens to the file, then they run on. */
async function liveThrough(name: string, harm: string) {
  const path = join(folder, name)
  const store = openSqlite(path, { now: () => 0 })
  const world = watchToys(
    pods.map(labels => toySeries(labels)),
    { store },
  )
  const flow = toyFlow()
  await world.live(flow, 100, 140)
  const before = await world.models()
  const db = new DatabaseSync(path)
  db.exec(harm)
  db.close()
  await world.live(flow, 145, 145)
  const first = (await store.flow('f'))!
  const left = (await store.snapshots('f')).map(({ labels }) => labels.pod)
  await world.live(flow, 150, 200)
  return { world, store, first, left, before }
}

describe('a flow over a store in which something is damaged', () => {
  it('starts the series of a damaged snapshot anew from its history, and goes on with the others', async () => {
    const harm = "UPDATE snapshots SET state = substr(state, 1, 60) || x'00' || substr(state, 62) WHERE stream = 1"
    const { store, first, left, world } = await liveThrough('snapshot.db', harm)
    expect(first.lastRun).toMatchObject({ status: 'ok' })
    expect(first.lastRun!.diagnostics.map(({ message }) => message).join()).toMatch(/rps.*pod="a".*cannot be read/)
    expect(left).toEqual(['b'])
    expect((await store.snapshots('f')).map(({ labels }) => labels.pod)).toEqual(['a', 'b'])
    expect((await store.stats()).damaged).toBe(1)
    expect(await world.scores(195, pods[0])).toBe(await world.scores(195, pods[1]))
    await store.close()
  })

  it('does without a damaged model until another one is fitted', async () => {
    const { store, first, before, world } = await liveThrough('model.db', "UPDATE models SET state = x'0102'")
    expect(before).toEqual(['1 in force first'])
    expect(first.lastRun).toMatchObject({ status: 'ok' })
    expect((await world.models()).some(model => model.includes('in force') && !model.startsWith('1 '))).toBe(true)
    await store.close()
  })
})
