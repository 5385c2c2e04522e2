import { benignSpike } from './benign-spike.ts'
import type { Fault } from './fault.ts'
import { nxdomainStorm } from './nxdomain-storm.ts'
import { replicaKilled } from './replica-killed.ts'
import { upstreamBlackHole } from './upstream-black-hole.ts'
import { upstreamSlow } from './upstream-slow.ts'

/** All faults the lab can make, by name. */
export const faults: Readonly<Record<string, Fault>> = Object.fromEntries(
  [upstreamBlackHole, upstreamSlow, nxdomainStorm, replicaKilled, benignSpike].map(fault => [fault.name, fault]),
)
