import type { MessagePort } from 'node:worker_threads'
import { type FitTask, runFit } from '../execution/training-worker.ts'
import { toyDetectors } from './toy-learner.ts'

/** Entry of a worker thread that fits the toy. */
export default function fit(task: FitTask & { readonly port: MessagePort }) {
  return runFit(task, done => task.port.postMessage(done), toyDetectors)
}
