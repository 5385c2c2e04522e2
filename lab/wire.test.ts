import { expect, it } from 'vitest'
import { CALM, decideCode } from './upstream.ts'
import { decodeQuestion, encodeQuery, encodeReply, RCODES, type RecordType, TYPES } from './wire.ts'

const ask = (name: string, type: RecordType, rcode: number = RCODES.NOERROR, bytes = 120) => {
  const query = encodeQuery(4711, name, type)
  return encodeReply(query, decodeQuestion(query)!, { rcode, ttl: 5, bytes })
}

it('writes queries byte for byte as RFC 1035 section 4 says', () => {
  expect(encodeQuery(0x1267, 'a.test', 'A').toString('hex')).toBe('12670100000100000000000001610474657374000001' + '0001')
})

it('reads the question it wrote', () => {
  const query = encodeQuery(9, 'WWW1.ok.test', 'TXT')
  expect(decodeQuestion(query)).toEqual({ id: 9, name: 'www1.ok.test', type: TYPES.TXT, end: query.length })
  expect(decodeQuestion(encodeQuery(9, '', 'ANY'))!.name).toBe('')
})

it('refuses what is no question: short, cut off, with pointers', () => {
  const query = encodeQuery(9, 'www.ok.test', 'A')
  for (let length = 0; length < query.length; length++)
    expect(decodeQuestion(query.subarray(0, length)), `${length}`).toBeUndefined()
  query[12] = 0xc0
  expect(decodeQuestion(query)).toBeUndefined()
  expect(() => encodeQuery(1, 'x'.repeat(64), 'A')).toThrow('at most 63 bytes, got 64')
})

it('answers A with one address that points to the name of the question', () => {
  const reply = ask('www.ok.test', 'A')
  expect(reply.readUInt16BE(0)).toBe(4711)
  expect(reply.readUInt16BE(2)).toBe(0x8180)
  expect([4, 6, 8, 10].map(at => reply.readUInt16BE(at))).toEqual([1, 1, 0, 0])
  expect(reply.subarray(-16).toString('hex')).toBe('c00c' + '0001' + '0001' + '00000005' + '0004' + 'c000020a')
})

it('answers TXT with as many bytes as wished, in strings of at most 255', () => {
  const plain = encodeQuery(1, 'spf.ok.test', 'TXT').length
  expect(ask('spf.ok.test', 'TXT', RCODES.NOERROR, 600).length).toBe(plain + 12 + 600 + 3)
})

it('denies with an SOA of the top domain, so that the denial is cached', () => {
  for (const reply of [ask('old.nx.test', 'A', RCODES.NXDOMAIN), ask('www.ok.test', 'AAAA')]) {
    expect([6, 8].map(at => reply.readUInt16BE(at))).toEqual([0, 1])
    const owner = reply.readUInt16BE(encodeQuery(1, reply.includes('nx') ? 'old.nx.test' : 'www.ok.test', 'A').length) & 0x3fff
    expect(reply.toString('latin1', owner, owner + 6)).toBe('\x04test\0')
    expect(reply.readUInt32BE(reply.length - 4)).toBe(5)
  }
})

it('fails without records', () => {
  const reply = ask('a.sf.test', 'A', RCODES.SERVFAIL)
  expect(reply[3]! & 15).toBe(RCODES.SERVFAIL)
  expect([6, 8].map(at => reply.readUInt16BE(at))).toEqual([0, 0])
})

it('decides the code by the name and the knobs, and never fails a health check', () => {
  const random = () => 0.5
  expect(decideCode('a.sf.test', CALM, random)).toBe(RCODES.SERVFAIL)
  expect(decideCode('a.nx.test', CALM, random)).toBe(RCODES.NXDOMAIN)
  expect(decideCode('a.ok.test', CALM, random)).toBe(RCODES.NOERROR)
  expect(decideCode('a.ok.test', { servfail: 1, nx: 0 }, random)).toBe(RCODES.SERVFAIL)
  expect(decideCode('a.ok.test', { servfail: 0, nx: 1 }, random)).toBe(RCODES.NXDOMAIN)
  expect(decideCode('', { servfail: 1, nx: 1 }, random)).toBe(RCODES.NOERROR)
})
