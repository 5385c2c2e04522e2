import { parentPort, workerData } from 'node:worker_threads'
import { wasmOps } from '../src/kernels/wasm-ops.ts'
import { openTraining, type TrainingTask } from './networks-training.ts'

/** Trains when told to, "first last", and says when that is done. */
const training = openTraining(wasmOps, workerData as TrainingTask)
parentPort!.on('message', ([first, last]: [number, number]) => {
  training.learn(first, last)
  parentPort!.postMessage('done')
})
parentPort!.postMessage('ready')
