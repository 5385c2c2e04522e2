import { expect, it } from 'vitest'
import { toyFlow } from '../testing/toy-watch.ts'
import { computeFlow } from './compute-flow.ts'
import { fromStatic, type Query, type Reader, type StaticPipeline } from './pipeline.ts'

const range = { start: 0, end: 60_000 }

it('a static pipeline gets all that it needs under its names, asked at once', async () => {
  const asked: Query[] = []
  const signals = new Set<AbortSignal>()
  const { promise: bothAsked, resolve } = Promise.withResolvers<void>()
  const reader = {
    async read(query: Query, signal: AbortSignal) {
      asked.push(query)
      signals.add(signal)
      if (asked.length === 2) resolve()
      await bothAsked
      return query.kind
    },
  } as unknown as Reader
  const given: unknown[] = []
  const nothing = computeFlow(toyFlow({}, { detect: [] }), { frames: [], snapshots: [], range, keepAll: true })
  const pipeline: StaticPipeline<{ states: Query; models: Query }> = {
    needs: ({ end }) => ({ states: { kind: 'snapshots', flow: `until ${end}` }, models: { kind: 'models', flow: 'f' } }),
    compute(data, asked) {
      given.push(data, asked)
      return nothing
    },
  }
  const { signal } = new AbortController()
  expect(await fromStatic(pipeline).run({ range, reader, signal, now: () => 0 })).toBe(nothing)
  expect(asked).toEqual([
    { kind: 'snapshots', flow: 'until 60000' },
    { kind: 'models', flow: 'f' },
  ])
  expect(given).toEqual([{ states: 'snapshots', models: 'models' }, range])
  expect([...signals]).toEqual([signal])
})
