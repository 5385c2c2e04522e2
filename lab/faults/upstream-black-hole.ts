import { CALM } from '../upstream.ts'
import type { Fault } from './fault.ts'

export const upstreamBlackHole: Fault = {
  name: 'upstream-black-hole',
  summary: 'The upstream takes every packet and answers none, health checks included.',
  benign: false,
  length: 40_000,
  inject: lab => lab.upstream({ drop: 1 }),
  remove: lab => lab.upstream(CALM),
}
