import { describe, expect, it } from 'vitest'
import type { Configuration, ServerConfig } from '../pipeline/configuration.ts'
import { calmWorld } from '../testing/fake-server-parts.ts'
import { requireSame } from './assembly.ts'

const before = calmWorld().configuration
const auth = { basic: {}, bearer: { cli: 'sha256:0' }, open: [] } as const

describe('a reload', () => {
  it.each<[string, Partial<Configuration>]>([
    ['store', { store: { type: 'sqlite', config: {} } }],
    ['server.listen', { server: { ...before.server, port: 1 } }],
    ['server.listen', { server: { ...before.server, host: '0.0.0.0' } }],
    ['server.tls', { server: { ...before.server, tls: { certFile: 'a', keyFile: 'b' } } }],
    ['server.maxConnections', { server: { ...before.server, maxConnections: 5 } }],
    ['workers', { workers: 7 }],
    ['training', { training: { threads: 7, deadline: 1 } }],
  ])('cannot change %s', (path, change) => {
    expect(() => requireSame(before, { ...before, ...change })).toThrow(`${path}: must stay as it is while the service runs`)
  })

  it.each<[string, Partial<ServerConfig>]>([
    ['who may ask', { auth }],
    ['names of the server', { hosts: ['a.example'] }],
    ['the address that people use', { externalUrl: 'https://a.example' }],
  ])('may change %s', (_, change) => {
    expect(() => requireSame(before, { ...before, server: { ...before.server, ...change } })).not.toThrow()
  })
})
