import { expect, it } from 'vitest'
import { workloadOf } from './workload.ts'

const coredns = { __name__: 'coredns_dns_requests_total', job: 'coredns', namespace: 'kube-system', server: 'dns://:53' }

it('gives the pods of a workload one model', () => {
  const pod = { ...coredns, pod: 'coredns-6f6b-x2x', instance: '10.1.0.7:9153', pod_uid: '8f1', container: 'coredns' }
  const next = { ...coredns, pod: 'coredns-6f6b-q9q', instance: '10.1.0.9:9153', pod_uid: '9a2', container: 'coredns' }
  expect(workloadOf(pod)).toEqual({ ...coredns, container: 'coredns' })
  expect(workloadOf(next)).toEqual(workloadOf(pod))
})

it('tells machines apart, which have an instance and no pod', () => {
  const node = { job: 'node', instance: 'a:9100' }
  expect(workloadOf(node)).toEqual(node)
  expect(workloadOf({ job: 'node', replica: '1' })).toEqual({ job: 'node', replica: '1' })
})

it('tells containers, zones and servers of a pod apart', () => {
  const labels = { ...coredns, pod: 'a' }
  expect(workloadOf({ ...labels, zone: 'x' })).not.toEqual(workloadOf({ ...labels, zone: 'y' }))
})

it('leaves out what the flow names, and nothing else', () => {
  expect(workloadOf({ job: 'node', instance: 'a:9100', pod: 'p' }, ['instance'])).toEqual({ job: 'node', pod: 'p' })
  expect(workloadOf({ job: 'node', pod: 'p' }, [])).toEqual({ job: 'node', pod: 'p' })
  expect(workloadOf({ pod: 'p' })).toEqual({})
})
