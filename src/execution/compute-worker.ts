import { computeFlow, type FlowInput } from '../pipeline/compute-flow.ts'
import type { FlowConfig } from '../pipeline/configuration.ts'
import type { Findings } from '../pipeline/pipeline.ts'

/** Entry of a worker thread. */
export default function compute({ config, input }: { config: FlowConfig; input: FlowInput }): Findings {
  return computeFlow(config, input)
}
