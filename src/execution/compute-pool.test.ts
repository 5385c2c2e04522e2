import { expect, it } from 'vitest'
import { seriesId } from '../anomaly.ts'
import { fromValues } from '../frame/frame.ts'
import { computeFlow, type FlowInput } from '../pipeline/compute-flow.ts'
import type { Findings } from '../pipeline/pipeline.ts'
import { workloadOf } from '../pipeline/workload.ts'
import { fromMemory } from '../stores/memory.ts'
import { sampleModel } from '../testing/store-laws.ts'
import { toyFlow } from '../testing/toy-watch.ts'
import { type ComputeTask, openComputePool, splitInput } from './compute-pool.ts'

const never = new AbortController().signal
const share = { detect: [{ type: 'ewma', name: 'ewma' }], query: { source: 's', expr: 'x', step: 1 }, forget: 1e6 }
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
  const parts = splitInput(input, share)
  expect(parts).toHaveLength(3)
  for (const { frames, snapshots, models } of parts) {
    const workloads = [...frames, ...snapshots].map(({ labels }) => seriesId(workloadOf(labels)))
    expect(new Set(models!.map(({ workload }) => seriesId(workload)))).toEqual(new Set(workloads))
  }
  expect(parts.flatMap(part => part.frames)).toHaveLength(2000)
  expect(parts.flatMap(part => part.snapshots)).toHaveLength(2000)
  const { models: _, ...plain } = input
  expect(splitInput(plain, share).every(part => part.models === undefined)).toBe(true)
})

it('leaves a small flow whole', async () => {
  const input = { ...(await inputOf()), frames: [], snapshots: [] }
  expect(splitInput(input, share)).toEqual([input])
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
})

it('parts long histories too, and tells each part up to where the whole is known', async () => {
  const frameOf = (n: number, value: number) =>
    fromValues(
      Array.from({ length: 60_000 }, (_, i) => i),
      new Float64Array(60_000).fill(value),
      { n: String(n) },
    )
  const input = {
    frames: [NaN, NaN, NaN, NaN, 1].map((value, n) => frameOf(n, value)),
    snapshots: [],
    range: { start: 0, end: 60_000 },
    keepAll: false,
  }
  const two = { ...share, detect: [...share.detect, { type: 'ewma', name: 'other' }] }
  const parts = splitInput(input, two)
  expect(parts.map(({ frames }) => frames.length)).toEqual([2, 2, 1])
  expect(parts.map(({ knownUntil }) => knownUntil)).toEqual([60_000, 60_000, 60_000])
  const silent = splitInput({ ...input, frames: input.frames.slice(0, 4) }, two)
  expect(silent.map(({ knownUntil }) => knownUntil)).toEqual([0, 0, 0])
})

/** Threads that end their tasks when they are told to. */
function fakeThreads() {
  const running: { readonly flow: string; readonly end: () => void; readonly fail: () => void }[] = []
  const open = (size: number) => ({
    run: ({ config, input }: ComputeTask, signal: AbortSignal) =>
      new Promise<Findings>((resolve, reject) => {
        const leave = () => running.splice(running.indexOf(own), 1)
        const findings = computeFlow({ ...config, detect: [] }, input)
        const own = { flow: config.name, end: () => (leave(), resolve(findings)), fail: () => (leave(), reject(new Error('no'))) }
        signal.addEventListener('abort', () => (leave(), reject(signal.reason)))
        running.push(own)
      }),
    ready: async () => {},
    size: () => size,
    close: async () => {},
  })
  return { running, open, flows: () => running.map(({ flow }) => flow).join('') }
}
const settle = () => new Promise<void>(resolve => setImmediate(resolve))

it('lets a flow of 100,000 series starve no other', async () => {
  const { running, open, flows } = fakeThreads()
  const pool = openComputePool(2, open)
  const one = Float64Array.of(0)
  const huge = Array.from({ length: 100_000 }, (_, i) => fromValues(one, one, { i: String(i) }))
  const input = (frames: FlowInput['frames']): FlowInput => ({
    frames,
    snapshots: [],
    range: { start: 0, end: 1 },
    keepAll: false,
  })
  const compute = (name: string, frames: FlowInput['frames']) => pool.compute({ ...toyFlow({}), name }, input(frames), never)
  const all = [compute('A', huge)]
  await settle()
  expect(flows()).toBe('AA')
  expect(pool.load()).toEqual({ size: 3, busy: 2, queued: 98 })
  // Another flow begins at once, a third one as soon as anything ends.
  all.push(compute('b', huge.slice(0, 1)), compute('c', huge.slice(0, 1)))
  await settle()
  expect(flows()).toBe('AAb')
  running[0]!.end()
  await settle()
  expect(flows()).toBe('Abc')
  while (running.length > 0) {
    running[0]!.end()
    await settle()
  }
  expect((await Promise.all(all)).map(({ series }) => series)).toEqual([100_000, 1, 1])
})

it('ends all parts of a flow when one fails', async () => {
  const { running, open } = fakeThreads()
  const pool = openComputePool(2, open)
  const frames = Array.from({ length: 5000 }, (_, i) => fromValues(new Float64Array(0), new Float64Array(0), { i: String(i) }))
  const input = { frames, snapshots: [], range: { start: 0, end: 1 }, keepAll: false }
  const computed = pool.compute(toyFlow({}), input, never)
  const failed = expect(computed).rejects.toThrow('no')
  await settle()
  running[0]!.fail()
  await failed
  await settle()
  expect(running).toEqual([])
  expect(pool.load()).toMatchObject({ busy: 0, queued: 0 })
})

it('is ready when its threads are, and closes them', async () => {
  const events: string[] = []
  const { open } = fakeThreads()
  const pool = openComputePool(2, size => ({
    ...open(size),
    ready: () => Promise.reject(new Error('no thread')),
    close: async () => void events.push('closed'),
  }))
  await expect(pool.ready()).rejects.toThrow('no thread')
  await pool.close()
  expect(events).toEqual(['closed'])
})
