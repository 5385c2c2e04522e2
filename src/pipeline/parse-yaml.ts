import { Composer, type Document, Lexer, type LineCounter, Parser } from 'yaml'
import { formatSize } from '../size.ts'

/** Largest text: some thousand flows, which take a second or two to read. */
export const MAX_TEXT = 2 ** 20
/** Deepest nesting. A flow has four levels; the parser itself would overflow the stack at some hundreds. */
const MAX_DEPTH = 64
/** Control characters but tab and line ends; YAML allows none of them. */
const CONTROL = /(?![\t\n\r\x85])[\p{Cc}\ufffe\uffff]/u

/** A text that goes beyond a limit, or is no text; nothing of it is read. */
export class YamlRefused extends Error {
  readonly offset: number
  constructor(offset: number, message: string) {
    super(message)
    this.name = 'YamlRefused'
    this.offset = offset
  }
}

/**
 * The documents of a YAML 1.2 text with merge keys, without looking for keys that are written twice (the library compares every key with every
 * other). Throws `YamlRefused` for what is too large, too deep or no text.
 */
export function parseYaml(text: string, lines: LineCounter): readonly Document.Parsed[] {
  if (text.length > MAX_TEXT)
    throw new YamlRefused(0, `must have at most ${formatSize(MAX_TEXT)}, got ${formatSize(text.length)}`)
  const found = CONTROL.exec(text)
  lines.addNewLine(0)
  const parser = new Parser(lines.addNewLine)
  const composer = new Composer({ merge: true, uniqueKeys: false, prettyErrors: false, logLevel: 'silent' })
  const documents = [...composer.compose(tokensOf(text, parser), true, text.length)] as Document.Parsed[]
  if (found) {
    const code = found[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
    throw new YamlRefused(found.index, `must be text without control characters, got U+${code}`)
  }
  return documents
}

function* tokensOf(text: string, parser: Parser) {
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme)
    if (parser.stack.length > MAX_DEPTH)
      throw new YamlRefused(parser.offset, `must be nested at most ${MAX_DEPTH} deep, got one more`)
  }
  yield* parser.end()
}
