import { expect, it } from 'vitest'
import { seriesId } from '../anomaly.ts'
import { fromValues } from '../frame/frame.ts'
import type { FlowInput } from '../pipeline/compute-flow.ts'
import { workloadOf } from '../pipeline/workload.ts'
import { fromMemory } from '../stores/memory.ts'
import { sampleModel } from '../testing/store-laws.ts'
import { toyFlow } from '../testing/toy-watch.ts'
import { openComputePool, splitInput } from './compute-pool.ts'

const series = Array.from({ length: 2500 }, (_, i) => ({ job: `j${i % 900}`, pod: `p${i}` }))

async function inputOf(): Promise<FlowInput> {
  const store = fromMemory()
  for (let i = 0; i < 900; i++) await store.addModel(sampleModel({ workload: { job: `j${i}` } }), true)
  return {
    frames: series.slice(0, 2000).map(labels => fromValues(new Float64Array(0), new Float64Array(0), labels)),
    snapshots: series.slice(500).map(labels => ({ labels, detector: 'a', time: 0, state: new Uint8Array(1) })),
    range: { start: 0, end: 1 },
    keepAll: false,
    models: await store.modelsInForce('f'),
  }
}

it('gives each part the series, the snapshots and the models that belong together', async () => {
  const input = await inputOf()
  const parts = splitInput(input, undefined)
  expect(parts).toHaveLength(3)
  for (const { frames, snapshots, models } of parts) {
    const workloads = [...frames, ...snapshots].map(({ labels }) => seriesId(workloadOf(labels)))
    expect(new Set(models!.map(({ workload }) => seriesId(workload)))).toEqual(new Set(workloads))
  }
  expect(parts.flatMap(part => part.frames)).toHaveLength(2000)
  expect(parts.flatMap(part => part.snapshots)).toHaveLength(2000)
  const { models: _, ...plain } = input
  expect(splitInput(plain, undefined).every(part => part.models === undefined)).toBe(true)
})

it('leaves a small flow whole', async () => {
  const input = { ...(await inputOf()), frames: [], snapshots: [] }
  expect(splitInput(input, undefined)).toEqual([input])
})

it('says how many threads compute and how many parts wait', async () => {
  const pool = openComputePool(1)
  try {
    const input = { ...(await inputOf()), frames: [], snapshots: [] }
    const { signal } = new AbortController()
    await pool.compute(toyFlow({}, { detect: [{ type: 'ewma', name: 'ewma' }] }), input, signal)
    expect(pool.load()).toEqual({ size: 1, busy: 0, queued: 0 })
    const work = [1, 2, 3].map(() => pool.compute(toyFlow({}, { detect: [{ type: 'ewma', name: 'ewma' }] }), input, signal))
    expect(pool.load()).toEqual({ size: 1, busy: 1, queued: 2 })
    await Promise.all(work)
    expect(pool.load()).toEqual({ size: 1, busy: 0, queued: 0 })
  } finally {
    await pool.close()
  }
}, 30_000)
