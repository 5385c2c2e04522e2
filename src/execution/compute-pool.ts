import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { type Labels, seriesId } from '../anomaly.ts'
import { StartError } from '../errors.ts'
import { type FlowInput, joinFindings } from '../pipeline/compute-flow.ts'
import type { FlowConfig } from '../pipeline/configuration.ts'
import type { Compute } from '../pipeline/flow.ts'
import { knownUntil } from '../pipeline/known-rows.ts'
import type { Findings } from '../pipeline/pipeline.ts'
import { workloadOf } from '../pipeline/workload.ts'
import { openFairQueue } from './fair-queue.ts'

/** What one thread takes at a time, so that it is soon free for another flow: a second or two of most detectors. */
const SERIES_PER_TASK = 1000
const ROWS_PER_TASK = 200_000

/** Worker threads that compute flows. An abort kills the thread that hangs, a thread that runs out of memory dies alone. */
export interface ComputePool {
  readonly compute: Compute
  /** Resolves when a thread works; rejects when none can be started. */
  ready(): Promise<void>
  load(): { readonly size: number; readonly busy: number; readonly queued: number }
  close(): Promise<void>
}

/** What one thread computes. */
export interface ComputeTask {
  readonly config: FlowConfig
  readonly input: FlowInput
}

/** Where tasks are computed; each at once. */
export interface Threads {
  /** Resolves when a thread has started; rejects with a `StartError`. */
  ready(): Promise<void>
  run(task: ComputeTask, signal: AbortSignal): Promise<Findings>
  size(): number
  close(): Promise<void>
}

/**
 * Flows share the threads in turns. One flow has at most `workers` of them however many series it has; there is one more, so that another
 * flow begins at once.
 */
export function openComputePool(workers: number, open: (threads: number) => Threads = openThreads): ComputePool {
  const most = Math.max(1, workers)
  const threads = open(most + 1)
  const queue = openFairQueue(most + 1, most)
  return {
    async compute(config, input, signal) {
      // The first part that fails ends the others: their findings are of no use.
      const stop = new AbortController()
      const either = AbortSignal.any([signal, stop.signal])
      const run = (part: FlowInput) => queue.run(config.name, () => threads.run({ config, input: part }, either), either)
      try {
        return joinFindings(await Promise.all(splitInput(input, config).map(run)))
      } catch (error) {
        stop.abort(error)
        throw error
      }
    },
    ready: () => threads.ready(),
    load: () => ({ size: threads.size(), busy: queue.load().running, queued: queue.load().waiting }),
    close: () => threads.close(),
  }
}

function openThreads(maxThreads: number): Threads {
  const pool = new Piscina({
    filename: fileURLToPath(
      new URL(import.meta.url.endsWith('.ts') ? './compute-worker.ts' : './compute-worker.js', import.meta.url),
    ),
    minThreads: 1,
    maxThreads,
    idleTimeout: 30_000,
    // Most of what a task makes is gone when it ends; by default a thread keeps up to 64 MiB for such things.
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  })
  // What comes from a thread that no task waits for, as the late answer to one that was cancelled, is of no use and must not end the process.
  pool.on('error', () => {})
  return {
    async ready() {
      try {
        await pool.run(undefined)
      } catch (error) {
        throw new StartError(`worker threads must start, got ${(error as Error).message}`, { cause: error })
      }
    },
    run: (task, signal) => pool.run(task, { signal }) as Promise<Findings>,
    size: () => pool.threads.length,
    close: () => pool.destroy(),
  }
}

type Share = Pick<FlowConfig, 'replicas' | 'detect' | 'query' | 'forget'>

/** Parts of so many series and rows that a thread is soon done with one, each with all that its series need. */
export function splitInput(input: FlowInput, config: Share): readonly FlowInput[] {
  const { replicas, detect } = config
  const frames = Map.groupBy(input.frames, ({ labels }) => seriesId(labels))
  const snapshots = Map.groupBy(input.snapshots, ({ labels }) => seriesId(labels))
  const ids = [...new Set([...frames.keys(), ...snapshots.keys()])]
  const rows = input.frames.reduce((sum, { times }) => sum + times.length, 0) * detect.length
  const count = Math.min(ids.length, Math.max(Math.ceil(ids.length / SERIES_PER_TASK), Math.ceil(rows / ROWS_PER_TASK)))
  if (count <= 1) return [input]
  const models = input.models && Map.groupBy(input.models, ({ workload }) => seriesId(workload))
  const whole = { ...input, knownUntil: knownUntil(config, input) }
  return Array.from({ length: count }, (_, k) => {
    const mine: string[] = []
    for (let i = k; i < ids.length; i += count) mine.push(ids[i])
    const own = { frames: mine.flatMap(id => frames.get(id) ?? []), snapshots: mine.flatMap(id => snapshots.get(id) ?? []) }
    if (!models) return { ...whole, ...own }
    const workloads = new Set(
      [...own.frames, ...own.snapshots].map(({ labels }: { labels: Labels }) => seriesId(workloadOf(labels, replicas))),
    )
    return { ...whole, ...own, models: [...workloads].flatMap(id => models.get(id) ?? []) }
  })
}
