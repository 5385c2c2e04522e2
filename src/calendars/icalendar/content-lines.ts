/** One line of an iCalendar text, unfolded. */
export interface ContentLine {
  /** Place in the file, from 1. */
  readonly line: number
  /** In capitals. */
  readonly name: string
  readonly text: string
}

/** A component with the lines that are its own and the components inside it. */
export interface Block {
  readonly name: string
  readonly line: number
  readonly lines: readonly ContentLine[]
  readonly blocks: readonly Block[]
  /** The unfolded text of all of it, made when it is asked for. */
  readonly text: () => string
}

/** VCALENDAR, VTIMEZONE, STANDARD; VEVENT, VALARM: no program writes more than three levels. */
const MAX_DEPTH = 8
/** Characters of a line; a list of a thousand dates has a fifth of it. */
const MAX_LINE = 100_000

interface OpenBlock {
  readonly name: string
  readonly line: number
  readonly lines: ContentLine[]
  readonly blocks: Block[]
  readonly from: number
}

/** Unfolds (RFC 5545, section 3.1) and nests; `fault` hears of lines that are none and of what does not begin or end. */
export function readBlocks(text: string, fault: (line: number, message: string) => void): readonly Block[] {
  const lines = unfold(text)
  const top: OpenBlock = { name: '', line: 0, lines: [], blocks: [], from: 0 }
  const open = [top]
  for (const [i, { line, text: content }] of lines.entries()) {
    const name = /^([A-Za-z0-9-]+)(?=[;:])/.exec(content)?.[1]?.toUpperCase()
    const inside = open[open.length - 1]
    if (name === undefined || !content.includes(':'))
      fault(line, `must be NAME:value, got ${JSON.stringify(content.slice(0, 60))}`)
    else if (content.length > MAX_LINE) fault(line, `must have at most ${MAX_LINE} characters, got ${content.length}`)
    else if (name === 'BEGIN' && open.length > MAX_DEPTH) {
      fault(line, `must be nested at most ${MAX_DEPTH} deep, got one more`)
      return []
    } else if (name === 'BEGIN') open.push({ name: valueOf(content), line, lines: [], blocks: [], from: i })
    else if (name !== 'END') inside.lines.push({ line, name, text: content })
    else if (open.length === 1 || valueOf(content) !== inside.name)
      fault(line, `must end ${open.length === 1 ? 'what was begun' : inside.name}, got END:${valueOf(content)}`)
    else {
      open.pop()
      const own = () => lines.slice(inside.from, i + 1).map(each => each.text)
      open[open.length - 1].blocks.push({ ...inside, text: () => own().join('\r\n') })
    }
  }
  for (const { name, line } of open.slice(1)) fault(line, `must be ended by END:${name}, got the end of the text`)
  return top.blocks
}

function unfold(text: string): { line: number; text: string }[] {
  const lines: { line: number; text: string }[] = []
  for (const [i, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    if (/^[ \t]/.test(raw) && lines.length > 0) lines[lines.length - 1].text += raw.slice(1)
    else if (raw.trim() !== '') lines.push({ line: i + 1, text: raw })
  }
  return lines
}

const valueOf = (content: string) =>
  content
    .slice(content.indexOf(':') + 1)
    .trim()
    .toUpperCase()
