import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { type Labels, seriesId } from '../anomaly.ts'
import { StartError } from '../errors.ts'
import { type FlowInput, joinFindings } from '../pipeline/compute-flow.ts'
import type { FlowConfig } from '../pipeline/configuration.ts'
import type { Compute } from '../pipeline/flow.ts'
import type { Findings } from '../pipeline/pipeline.ts'
import { workloadOf } from '../pipeline/workload.ts'

/** Series of one flow that one thread takes at a time. */
const SERIES_PER_TASK = 1000

/** Worker threads that compute flows. An abort kills the thread that hangs, a thread that runs out of memory dies alone. */
export interface ComputePool {
  readonly compute: Compute
  /** Resolves when a thread works; rejects when none can be started. */
  ready(): Promise<void>
  load(): { readonly size: number; readonly busy: number; readonly queued: number }
  close(): Promise<void>
}

export function openComputePool(threads: number): ComputePool {
  const pool = new Piscina({
    filename: fileURLToPath(
      new URL(import.meta.url.endsWith('.ts') ? './compute-worker.ts' : './compute-worker.js', import.meta.url),
    ),
    minThreads: 1,
    maxThreads: Math.max(1, threads),
    idleTimeout: 30_000,
  })
  let inFlight = 0
  const run = async (task: { config: FlowConfig; input: FlowInput }, signal: AbortSignal): Promise<Findings> => {
    inFlight++
    try {
      return await pool.run(task, { signal })
    } finally {
      inFlight--
    }
  }
  return {
    async compute(config, input, signal) {
      const parts = splitInput(input, config.replicas)
      return joinFindings(await Promise.all(parts.map(part => run({ config, input: part }, signal))))
    },
    async ready() {
      try {
        await pool.run(undefined)
      } catch (error) {
        throw new StartError(`worker threads must start, got ${(error as Error).message}`, { cause: error })
      }
    },
    load: () => ({
      size: pool.threads.length,
      busy: Math.min(pool.threads.length, Math.max(0, inFlight - pool.queueSize)),
      queued: pool.queueSize,
    }),
    close: () => pool.destroy(),
  }
}

/** Parts of at most so many series, each with all that its series need. */
export function splitInput(input: FlowInput, replicas: FlowConfig['replicas']): readonly FlowInput[] {
  const ids = new Set([...input.frames, ...input.snapshots].map(({ labels }) => seriesId(labels)))
  const count = Math.max(1, Math.ceil(ids.size / SERIES_PER_TASK))
  if (count === 1) return [input]
  const part = new Map([...ids].map((id, i) => [id, i % count]))
  return Array.from({ length: count }, (_, k) => {
    const isMine = ({ labels }: { readonly labels: Labels }) => part.get(seriesId(labels)) === k
    const frames = input.frames.filter(isMine)
    const snapshots = input.snapshots.filter(isMine)
    const workloads = new Set([...frames, ...snapshots].map(({ labels }) => seriesId(workloadOf(labels, replicas))))
    const models = input.models?.filter(({ workload }) => workloads.has(seriesId(workload)))
    return { ...input, frames, snapshots, ...(models ? { models } : {}) }
  })
}
