import { describe, expect, it } from 'vitest'
import { hashToken } from '../password.ts'
import { readServer } from './read-server.ts'

const HASH = `$scrypt$ln=15,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$${'A'.repeat(43)}`
const TOKEN = 'a-token-that-is-long'
const files: Record<string, string> = { token: `${TOKEN}\n`, short: 'hunter2', cert: 'CERT', key: 'KEY' }
const readFile = (path: string) => {
  const text = files[path]
  if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
  return text
}
function read(value: unknown) {
  const faults: string[] = []
  const server = readServer(value, readFile, (path, message) => faults.push(`${path.join('.')}: ${message}`))
  return { server, faults }
}

describe('beyond this machine', () => {
  it.each(['0.0.0.0:9797', '[::]:9797', '10.0.0.5:80', 'tidewatch.example:80'])('%s is refused without auth', listen => {
    const { server, faults } = read({ listen })
    expect(server).toBeUndefined()
    expect(faults).toEqual([
      `server.listen: must be an address of this machine only, like 127.0.0.1:9797, unless there is server.auth; got "${listen}" (insecure: true lets anybody ask)`,
    ])
  })
  it.each(['127.0.0.1:9797', '[::1]:9797', '127.0.0.53:0', 'localhost:1'])('%s is not', listen => {
    expect(read({ listen }).faults).toEqual([])
  })
  it('is allowed with auth, and to who says that it is insecure', () => {
    expect(read({ listen: '0.0.0.0:80', insecure: true }).server).toMatchObject({ host: '0.0.0.0', insecure: true })
    expect(read({ listen: '0.0.0.0:80', insecure: false }).faults).toHaveLength(1)
    expect(read({ listen: '0.0.0.0:80', auth: { basic: { ann: HASH } } }).server).toMatchObject({
      auth: { basic: { ann: HASH }, bearer: {}, open: ['health'] },
    })
  })
})

describe('auth', () => {
  it('has tokens as hashes, also those that stand in files', () => {
    expect(read({ auth: { bearer: { a: hashToken('x'), b: { file: 'token' } } } }).server?.auth?.bearer).toEqual({
      a: hashToken('x'),
      b: hashToken(TOKEN),
    })
  })
  it('has a proxy with its networks', () => {
    expect(read({ auth: { proxy: { from: ['10.0.0.0/8', '::1'] }, open: ['metrics'] } }).server?.auth).toEqual({
      basic: {},
      bearer: {},
      proxy: { header: 'X-Forwarded-User', from: ['10.0.0.0/8', '::1'] },
      open: ['metrics'],
    })
  })
  it.each([
    [{}, 'server.auth: must have users under basic, tokens under bearer or a proxy, got none'],
    [
      { basic: { ann: 'hunter2' } },
      'server.auth.basic.ann: must be a hash that `tidewatch hash-password` prints, got other text',
    ],
    [{ basic: { 'a:b': HASH } }, 'server.auth.basic.a:b: must be the name of a user without blanks and colons'],
    [
      { bearer: { a: 'hunter2' } },
      'server.auth.bearer.a: must be a hash that `tidewatch hash-password --token` prints, got other text',
    ],
    [
      { bearer: { a: 12345678 } },
      'server.auth.bearer.a: must be a hash that `tidewatch hash-password --token` prints or { file: … }, got something else',
    ],
    [{ bearer: { a: { file: 'short' } } }, 'server.auth.bearer.a.file: must have one token of at least 16 characters, got 7'],
    [{ bearer: { a: { file: 'gone' } } }, 'server.auth.bearer.a.file: must be a file that can be read, got "gone" (ENOENT)'],
    [{ proxy: { from: [] } }, 'server.auth.proxy.from: must have at least 1 of them'],
    [
      { proxy: { from: ['10.0.0.0/33'] } },
      'server.auth.proxy.from.0: must be an address or a network like 10.0.0.0/8, got "10.0.0.0/33"',
    ],
    [{ open: ['all'], basic: { ann: HASH } }, 'server.auth.open.0: must be one of health, metrics; got "all"'],
  ])('%j is refused', (auth, message) => {
    const { faults } = read({ auth })
    expect(faults).toEqual([expect.stringContaining(message)])
    expect(faults.join()).not.toMatch(/hunter2|12345678/)
  })
})

it('names what is wrong with hosts and certificates', () => {
  expect(read({ hosts: ['a.example', '*.b.example'], tls: { certFile: 'cert', keyFile: 'key' } }).server).toMatchObject({
    externalUrl: 'https://127.0.0.1:9797',
    hosts: ['a.example', '*.b.example'],
  })
  expect(read({ hosts: ['a.example:80'] }).faults).toEqual([
    'server.hosts.0: must be a host name like tidewatch.example.org or *.example.org, without a port, got "a.example:80"',
  ])
  expect(read({ tls: { certFile: 'gone', keyFile: 'key' } }).faults).toEqual([
    'server.tls.certFile: must be a file that can be read, got "gone" (ENOENT)',
  ])
})
