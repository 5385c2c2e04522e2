import { computeFlow, type FlowInput } from '../pipeline/compute-flow.ts'
import type { FlowConfig } from '../pipeline/configuration.ts'
import type { Findings } from '../pipeline/pipeline.ts'

/** Entry of a worker thread. Without a task it only shows that the thread works. */
export default function compute(task?: { config: FlowConfig; input: FlowInput }): Findings | undefined {
  return task && computeFlow(task.config, task.input)
}
