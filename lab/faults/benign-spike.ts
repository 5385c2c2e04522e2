import type { Fault } from './fault.ts'

export const benignSpike: Fault = {
  name: 'benign-spike',
  summary: 'Nine times the load of the same mix: more of everything, and nothing wrong.',
  benign: true,
  length: 30_000,
  inject: lab => lab.load({ multiple: 9 }),
  remove: lab => lab.load({ multiple: 1 }),
}
