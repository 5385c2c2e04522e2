import { CALM } from '../upstream.ts'
import type { Fault } from './fault.ts'

export const upstreamSlow: Fault = {
  name: 'upstream-slow',
  summary: 'The upstream needs 300 to 400 ms for an answer instead of 4 to 10.',
  benign: false,
  length: 40_000,
  inject: lab => lab.upstream({ delay: 300, jitter: 100 }),
  remove: lab => lab.upstream(CALM),
}
