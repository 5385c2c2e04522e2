import type { Labels } from '../anomaly.ts'

/** Labels that tell the pods of one workload apart. */
const OF_A_POD = ['pod', 'pod_name', 'pod_ip', 'pod_uid', 'uid', 'instance', 'container_id', 'replica']

/**
 * The labels that a series has in common with all others that share its model, so that a pod which takes the place of another inherits what was
 * learned. Without `replicas` (labels to leave out), those of a pod are left out of a series that has a `pod`; without one nothing is: the
 * `instance` of a machine is the machine.
 */
export function workloadOf(labels: Labels, replicas?: readonly string[]): Labels {
  const out = replicas ?? (labels.pod === undefined ? [] : OF_A_POD)
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !out.includes(name)))
}
