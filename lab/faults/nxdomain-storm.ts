import type { Fault } from './fault.ts'

export const nxdomainStorm: Fault = {
  name: 'nxdomain-storm',
  summary: 'A client asks for names that nobody has, a thousand more queries a second.',
  benign: false,
  length: 40_000,
  inject: lab => lab.load({ storm: 1000 }),
  remove: lab => lab.load({ storm: 0 }),
}
