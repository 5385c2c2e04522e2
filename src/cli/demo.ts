import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DAY, MINUTE, SECOND } from '../duration.ts'
import { InputError } from '../errors.ts'
import { replay } from '../execution/replay.ts'
import { type RunFlowParts, runFlow } from '../execution/run-flow.ts'
import { type Service, startService } from '../execution/service.ts'
import { openReader } from '../execution/store-reader.ts'
import type { World } from '../execution/world.ts'
import { refinersFor, signalsOf } from '../packs/coredns.ts'
import { computeFlow } from '../pipeline/compute-flow.ts'
import type { Configuration, FlowConfig, ServerConfig } from '../pipeline/configuration.ts'
import { flowPipeline } from '../pipeline/flow.ts'
import { flowLookback } from '../pipeline/member.ts'
import { readServer } from '../pipeline/read-server.ts'
import { sources } from '../sources/index.ts'
import { openStore, serveUntilSignal } from './serve.ts'
import { realWorld } from './world.ts'

/** Where the replay begins: this much of the recording is history; the benign spike comes a few seconds later. */
const POSITION = 0.95
/** Length of the compressed day of the lab. */
const LAB_DAY = 6 * MINUTE
/** The calm days before the first fault, learned in one go. */
const LEARNED = 0.66
const REPLAY_EVERY = 10 * SECOND

/**
 * `tidewatch demo`: the bundled recording of a real CoreDNS as if it happened now. Its past is lived through first, as the server would have
 * then, so that the first screen has a history with anomalies and their alerts. Nothing is kept; needs no server and no configuration.
 */
export async function run({
  listen = '127.0.0.1:9797',
  insecure = false,
}: {
  readonly listen?: string
  readonly insecure?: boolean
} = {}): Promise<void> {
  const world = realWorld()
  const moment = world.now()
  const configuration = demoConfiguration(readListen(listen, insecure), moment)
  const start = (signal: AbortSignal) => liveThrough(configuration, moment, world, signal)
  await serveUntilSignal(configuration, process.cwd(), start, async () => {})
}

/** A service whose store holds what the recording's past would have left there. */
async function liveThrough(configuration: Configuration, moment: number, world: World, signal: AbortSignal): Promise<Service> {
  const folder = dirname(recordingFile())
  const store = openStore(configuration, folder, world)
  const { type, config } = configuration.sources.recording!
  const source = sources[type]!.create(config, { fetch: world.fetch, now: () => moment, sleep: world.sleep, folder })
  const reader = openReader({ recording: source }, store)
  const [first, last] = recordedRange()
  const length = last - first
  const begin = moment - POSITION * length
  for (const [i, flow] of configuration.flows.entries()) {
    // Lets a signal in between.
    await new Promise(setImmediate)
    if (process.stderr.isTTY)
      process.stderr.write(`\rliving through the recording: ${i + 1}/${configuration.flows.length} flows `)
    const pipeline = flowPipeline(flow, flowLookback(flow), async (config, input) => computeFlow(config, input))
    const parts: Omit<RunFlowParts, 'now'> = { config: flow, pipeline, reader, store }
    const calm = Math.floor((begin + LEARNED * length) / SECOND) * SECOND
    await runFlow({ ...parts, now: () => calm, silent: true }, { start: calm, end: calm }, signal)
    await replay(parts, { start: calm, end: moment }, REPLAY_EVERY, signal)
  }
  if (process.stderr.isTTY) process.stderr.write('\n')
  return startService(configuration, store, folder, world)
}

/** Recordings stand beside the package's sources, two folders up, or three in the build. */
function recordingFile(): string {
  const found = ['../../recordings/coredns.csv.gz', '../../../recordings/coredns.csv.gz']
    .map(path => fileURLToPath(new URL(path, import.meta.url)))
    .find(existsSync)
  if (!found) throw new Error('the recording must be in recordings/coredns.csv.gz of the package')
  return found
}

/** Epoch ms of the first and past the last row, as its description says. */
function recordedRange(): readonly [number, number] {
  const { start, end } = JSON.parse(readFileSync(recordingFile().replace('.csv.gz', '.json'), 'utf8'))
  return [start, end]
}

/** Throws an `InputError` for what is no address, or is reached by others without leave. */
function readListen(listen: string, insecure: boolean): ServerConfig {
  let problem = ''
  const server = readServer({ listen, insecure }, undefined, (_path, message) => (problem = message))
  if (server) return server
  throw new InputError(
    `--listen ${problem.replace('unless there is server.auth;', 'unless there is --insecure;').replace(/ \(insecure: .*\)$/, '')}`,
  )
}

function demoConfiguration(server: ServerConfig, moment: number): Configuration {
  const signals = signalsOf({ generation: '1.11', selector: '', window: '5s', cacheRequests: true })
  const flows = signals.map(
    (signal): FlowConfig => ({
      name: signal.id,
      summary: signal.summary,
      every: 5 * SECOND,
      query: { source: 'recording', expr: signal.id, step: SECOND },
      detect: [
        { type: 'seasonal', name: 'seasonal', season: ['6m'] },
        { type: 'absence', name: 'absence', rule: { type: 'threshold', limit: 1 } },
      ],
      rule: { type: 'budget' },
      refine: refinersFor(signal, '15s'),
      notify: signal.severity === 'info' ? [] : ['log'],
      labels: {},
      severity: signal.severity,
      delay: SECOND,
      reexamine: 10 * SECOND,
      lookback: 6 * LAB_DAY,
      keep: DAY,
      deadline: 30 * SECOND,
      forget: DAY,
    }),
  )
  return {
    file: 'demo',
    sources: { recording: { type: 'recording', config: { path: recordingFile(), position: POSITION, at: moment, loop: true } } },
    notifiers: { log: { type: 'log', config: {} } },
    store: { type: 'memory', config: {} },
    server,
    workers: 1,
    training: { threads: 1, deadline: 10 * MINUTE },
    flows,
  }
}
