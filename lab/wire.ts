/** The few bytes of DNS (RFC 1035) that the lab speaks. */
export const TYPES = { A: 1, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, ANY: 255 } as const
export const RCODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const
export type RecordType = keyof typeof TYPES

/** Writes a recursive query for one name. Labels over 63 bytes are an error. */
export function encodeQuery(id: number, name: string, type: RecordType): Buffer {
  const labels = name.split('.').filter(label => label !== '')
  const size = 12 + labels.reduce((sum, label) => sum + label.length + 1, 1) + 4
  const message = Buffer.alloc(size)
  message.writeUInt16BE(id, 0)
  message.writeUInt16BE(0x0100, 2)
  message.writeUInt16BE(1, 4)
  let at = 12
  for (const label of labels) {
    if (label.length > 63) throw new RangeError(`a label must be at most 63 bytes, got ${label.length}`)
    message.writeUInt8(label.length, at)
    message.write(label, at + 1, 'latin1')
    at += label.length + 1
  }
  message.writeUInt16BE(TYPES[type], at + 1)
  message.writeUInt16BE(1, at + 3)
  return message
}

export interface Question {
  readonly id: number
  /** Lower case, without the last dot; the root is the empty text. */
  readonly name: string
  readonly type: number
  /** Offset of the first byte behind the question. */
  readonly end: number
}

/** Reads the question of a query; undefined for what is not a query with one question. */
export function decodeQuestion(message: Buffer): Question | undefined {
  if (message.length < 17 || message.readUInt16BE(4) !== 1) return undefined
  const labels: string[] = []
  let at = 12
  while (at < message.length) {
    const length = message[at]!
    if (length === 0) break
    if (length > 63 || at + 1 + length >= message.length) return undefined
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  if (at + 5 > message.length) return undefined
  return { id: message.readUInt16BE(0), name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 }
}

export interface Reply {
  readonly rcode: number
  /** Seconds that the answer, or the denial, may be cached. */
  readonly ttl: number
  /** Size of the text of TXT and ANY answers, bytes. */
  readonly bytes: number
}

/** Answers a query: A with 192.0.2.10, TXT and ANY with text, anything else without data; denials carry an SOA, or they would not be cached. */
export function encodeReply(query: Buffer, question: Question, { rcode, ttl, bytes }: Reply): Buffer {
  const head = Buffer.from(query.subarray(0, question.end))
  head.writeUInt16BE(0x8180 | rcode, 2)
  const record = rcode === RCODES.NOERROR ? encodeAnswer(question.type, ttl, bytes) : undefined
  const denial = record === undefined && rcode !== RCODES.SERVFAIL && rcode !== RCODES.REFUSED && question.name !== ''
  head.writeUInt16BE(record ? 1 : 0, 6)
  head.writeUInt16BE(denial ? 1 : 0, 8)
  head.writeUInt16BE(0, 10)
  if (record) return Buffer.concat([head, record])
  return denial ? Buffer.concat([head, encodeStart(question.name, ttl)]) : head
}

function encodeAnswer(type: number, ttl: number, bytes: number): Buffer | undefined {
  if (type === TYPES.A) return encodeRecord(Buffer.from([0xc0, 0x0c]), TYPES.A, ttl, Buffer.from([192, 0, 2, 10]))
  if (type !== TYPES.TXT && type !== TYPES.ANY) return undefined
  const chunks: Buffer[] = []
  for (let left = Math.max(1, bytes); left > 0; left -= 255) {
    const size = Math.min(255, left)
    chunks.push(Buffer.from([size]), Buffer.alloc(size, 'x'))
  }
  return encodeRecord(Buffer.from([0xc0, 0x0c]), TYPES.TXT, ttl, Buffer.concat(chunks))
}

/** The SOA of the top label of the name, owned by a pointer to it. */
function encodeStart(name: string, ttl: number): Buffer {
  const labels = name.split('.')
  const offset = 12 + labels.slice(0, -1).reduce((sum, label) => sum + label.length + 1, 0)
  const owner = Buffer.from([0xc0 | (offset >> 8), offset & 0xff])
  const numbers = Buffer.alloc(20)
  for (const [index, value] of [1, 7200, 1800, 86400, ttl].entries()) numbers.writeUInt32BE(value, index * 4)
  return encodeRecord(owner, TYPES.SOA, ttl, Buffer.concat([owner, owner, numbers]))
}

function encodeRecord(owner: Buffer, type: number, ttl: number, data: Buffer): Buffer {
  const head = Buffer.alloc(10)
  head.writeUInt16BE(type, 0)
  head.writeUInt16BE(1, 2)
  head.writeUInt32BE(ttl, 4)
  head.writeUInt16BE(data.length, 8)
  return Buffer.concat([owner, head, data])
}
