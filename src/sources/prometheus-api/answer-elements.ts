const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a]
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT, COMMA] = [0x5b, 0x5d, 0x7b, 0x7d, 0x2c]

/** An answer of the API with its series apart, so that not all of them are objects in memory at once. */
export interface Elements {
  /** The answer with `data.result` empty. */
  readonly envelope: unknown
  readonly count: number
  /** Parses the elements of `data.result`, one after the other. Throws `SyntaxError` at one that is no JSON. */
  each(): Generator<unknown>
}

/**
 * Takes the JSON of an answer apart: an envelope, and the elements of its list `data.result`. An answer without such a list is all envelope.
 * Throws `SyntaxError` when the text is no JSON or breaks off.
 */
export function takeApart(bytes: Uint8Array): Elements {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { from, to, bounds } = findResult(buffer)
  const textOf = (start: number, end: number) => buffer.toString('utf8', start, end)
  return {
    envelope: JSON.parse(textOf(0, from) + textOf(to, buffer.length)),
    count: bounds.length / 2,
    *each() {
      for (let i = 0; i < bounds.length; i += 2) yield JSON.parse(textOf(bounds[i], bounds[i + 1]))
    },
  }
}

/** Where the inside of `data.result` begins and ends, and the bounds of each of its elements, start and end in turn. */
function findResult(buffer: Buffer): { from: number; to: number; bounds: number[] } {
  const keys: string[] = []
  let depth = 0
  for (let at = 0; at < buffer.length; at++) {
    const byte = buffer[at]
    if (byte === QUOTE) {
      const end = endOfString(buffer, at)
      if (depth <= 2 && nextByte(buffer, end) === COLON) keys[depth] = buffer.toString('utf8', at + 1, end - 1)
      at = end - 1
    } else if (byte === OPEN_LIST && depth === 2 && keys[1] === 'data' && keys[2] === 'result')
      return findElements(buffer, at + 1)
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) keys[++depth] = ''
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth--
  }
  return { from: buffer.length, to: buffer.length, bounds: [] }
}

function findElements(buffer: Buffer, from: number): { from: number; to: number; bounds: number[] } {
  const bounds: number[] = []
  let depth = 0
  let start = from
  for (let at = from; at < buffer.length; at++) {
    const byte = buffer[at]
    if (byte === QUOTE) at = endOfString(buffer, at) - 1
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth++
    else if (depth === 0 && (byte === COMMA || byte === CLOSE_LIST)) {
      const isEmpty = byte === CLOSE_LIST && bounds.length === 0 && buffer.toString('latin1', start, at).trim() === ''
      if (!isEmpty) bounds.push(start, at)
      if (byte === CLOSE_LIST) return { from, to: at, bounds }
      start = at + 1
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth--
  }
  throw new SyntaxError('data.result must end')
}

/** The place behind the closing quote of the string that begins at `at`. */
function endOfString(buffer: Buffer, at: number): number {
  for (let end = at + 1; end < buffer.length; end++) {
    const byte = buffer[end]
    if (byte === QUOTE) return end + 1
    if (byte === BACKSLASH) end++
  }
  throw new SyntaxError('a string must end')
}

function nextByte(buffer: Buffer, from: number): number | undefined {
  let at = from
  while (buffer[at] === 0x20 || (buffer[at] >= 0x09 && buffer[at] <= 0x0d)) at++
  return buffer[at]
}
