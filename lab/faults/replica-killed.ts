import type { Fault } from './fault.ts'

export const replicaKilled: Fault = {
  name: 'replica-killed',
  summary: 'One of the replicas is killed, and its clients go on asking it until it is started again.',
  benign: false,
  length: 40_000,
  inject: lab => lab.replicas[1]!.kill(),
  remove: lab => lab.replicas[1]!.revive(),
}
