import type { MessagePort } from 'node:worker_threads'
import type { Registry } from '../component.ts'
import type { Detector, Fit } from '../detectors/detector.ts'
import { detectors } from '../detectors/index.ts'
import { create, type FlowConfig, type Part } from '../pipeline/configuration.ts'
import { streamState } from '../pipeline/remembered.ts'
import { encodeState, readState } from '../pipeline/state.ts'

/** One fit to be made; plain data. States are encoded. */
export interface FitTask {
  readonly config: FlowConfig
  /** Name of the detector in the flow. */
  readonly detector: string
  readonly snapshot: Uint8Array
  readonly model?: { readonly version: number; readonly state: Uint8Array }
}

/** A fit with its state encoded. */
export interface FitResult extends Omit<Fit, 'state'> {
  readonly state: Uint8Array
}

/** Steps in which progress is told, of the whole. */
const TOLD = 0.01

/** Entry of a worker thread. */
export default function fit(task: FitTask & { readonly port: MessagePort }): FitResult | undefined {
  return runFit(task, done => task.port.postMessage(done), detectors)
}

/** Fits to the end; tells the share that is done now and then. Undefined when there are too few rows, or none of this configuration. */
export function runFit(task: FitTask, onProgress: (done: number) => void, family: Registry<Detector>): FitResult | undefined {
  const { config, detector: name, snapshot, model } = task
  const written = config.detect.find(one => one.name === name)!
  const { name: _, rule: __, ...part } = written
  const detector = create<Detector, void>(family, part as Part, undefined)
  const stream = streamState(snapshot, config, written, family)
  if (!stream || !detector.fit) return undefined
  const known = model && readState(model.state).state
  const steps = detector.fit(stream, known && { version: model.version, state: known })
  let told = 0
  let step = steps.next()
  for (; !step.done; step = steps.next())
    if (step.value - told >= TOLD) {
      told = step.value
      onProgress(told)
    }
  return step.value && { ...step.value, state: encodeState(step.value.state) }
}
