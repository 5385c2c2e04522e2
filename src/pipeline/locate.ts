import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair } from 'yaml'
import type { Fault } from '../errors.ts'
import { parseYaml, YamlRefused } from './parse-yaml.ts'
import { keyText, type Path, resolveNodes } from './resolve-nodes.ts'

export type { Path } from './resolve-nodes.ts'

/** A YAML text whose values know where they stand. */
export interface LocatedDocument {
  /** Plain data with `${NAME}` put in; undefined when the text is not YAML. */
  readonly value: unknown
  /** Values that have a variable of the environment in them, as they are after it was put in. */
  readonly interpolated: ReadonlySet<string>
  /** Faults of the text itself: syntax, keys written twice, variables that are not set. */
  readonly faults: readonly Fault[]
  /**
   * A fault at the value under the path, or at its key (of a key that should not be there), or at the nearest thing around it that exists.
   * Values that came from the environment are not repeated in the message; what is written in the file is.
   */
  fault(path: Path, message: string, at?: 'key' | 'value'): Fault
}

/** Reads YAML 1.2 with anchors and merge keys, and puts in `${NAME}` and `${NAME:-default}` (`$${` is a plain `${`) in values. */
export function locate(text: string, file: string, env: Readonly<Record<string, string | undefined>>): LocatedDocument {
  const lines = new LineCounter()
  const hidden = new Map<string, string>()
  const interpolated = new Set<string>()
  const faultAt = (offset: number | undefined, path: Path, message: string): Fault => {
    const { line, col } = offset === undefined ? { line: 0, col: 0 } : lines.linePos(offset)
    let shown = message
    for (const [value, written] of hidden) shown = shown.replaceAll(value, () => written)
    return { file, line, column: col, path: printPath(path), message: shown }
  }
  const faults: Fault[] = []
  const unreadable = (offset: number | undefined, message: string): LocatedDocument => {
    const fault = faultAt(offset, [], message)
    return { value: undefined, interpolated, faults: [fault], fault: (path, told) => faultAt(offset, path, told) }
  }

  let documents: readonly Document.Parsed[]
  try {
    documents = parseYaml(text, lines)
  } catch (error) {
    if (error instanceof YamlRefused) return unreadable(error.offset, error.message)
    throw error
  }
  const [document, second] = documents
  // One is told: the ones behind it are mostly its consequences.
  const [error] = document!.errors
  let broken = error !== undefined
  if (error) {
    const hint = error.code === 'UNEXPECTED_TOKEN' ? ' (text with [ ] { } or , in it needs quotes between { and })' : ''
    faults.push(faultAt(error.pos[0], [], `must be YAML: ${lowerFirst(error.message.replaceAll('\n', ' '))}${hint}`))
  } else if (second) return unreadable(second.range[0], 'must be one document, got another one behind ---')

  const resolved = resolveNodes(document!, {
    scalar(node, path) {
      if (typeof node.value !== 'string' || !node.value.includes('${')) return
      const written = node.value
      const unset: string[] = []
      const value = interpolate(written, env, unset)
      for (const problem of unset) faults.push(faultAt(node.range?.[0], path, problem))
      if (value !== written && value.length > 3 && !written.startsWith('$${')) hidden.set(value, written)
      if (value !== written.replaceAll('$${', () => '${')) interpolated.add(value)
      node.value = value
    },
    fault(offset, path, message, fatal) {
      if (fatal && error) return
      if (fatal) broken = true
      faults.push(faultAt(offset, path, message))
    },
  })
  const fault: LocatedDocument['fault'] = (path, message, at = 'value') =>
    faultAt(offsetOf(document!, resolved.targets, path, at), path, message)
  return { value: broken ? undefined : resolved.value, interpolated, faults, fault }
}

/** `flows[0].query.step`; keys that are not words are quoted. */
export function printPath(path: Path): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (!/^[\w-]+$/.test(part)) text += `[${JSON.stringify(part)}]`
    else text += text === '' ? part : `.${part}`
  }
  return text
}

function interpolate(text: string, env: Readonly<Record<string, string | undefined>>, problems: string[]): string {
  return text.replace(/\$\$\{|\$\{([^}]*)(\}?)/g, (match, inner: string | undefined, close: string) => {
    if (match === '$${') return '${'
    const parts = /^([A-Za-z_]\w*)(?::-([\s\S]*))?$/.exec(inner!)
    if (close === '' || !parts) {
      problems.push(
        `must have a variable like \${NAME} or \${NAME:-default}, or $\${ for a plain \${, got ${JSON.stringify(match)}`,
      )
      return match
    }
    const [, name, fallback] = parts
    const value = env[name!]
    if (value !== undefined && !(value === '' && fallback !== undefined)) return value
    if (fallback !== undefined) return fallback
    problems.push(`must have the environment variable ${name}, which is not set; \${${name}:-default} gives one`)
    return match
  })
}

type Targets = ReadonlyMap<Alias, Node>

function offsetOf(document: Document, targets: Targets, path: Path, at: 'key' | 'value'): number | undefined {
  let node = document.contents as Node | null | undefined
  let offset = node?.range?.[0] ?? 0
  for (const [depth, part] of path.entries()) {
    if (isAlias(node)) node = targets.get(node)
    if (isMap(node)) {
      const pair = findPair(targets, node.items, String(part))
      if (!pair) return offset
      const keyOffset = (pair.key as Node | null)?.range?.[0]
      const child = pair.value as Node | null
      if (at === 'key' && depth === path.length - 1) return keyOffset ?? offset
      // A value that is a block starts on the next line; people look for its key.
      offset =
        (isScalar(child) && child.range && child.range[0] !== child.range[1] ? child.range[0] : undefined) ??
        flowOffset(child) ??
        keyOffset ??
        offset
      node = child
    } else if (isSeq(node)) {
      const child = node.items[Number(part)] as Node | undefined
      if (!child) return offset
      offset = child.range?.[0] ?? offset
      node = child
    } else return offset
  }
  return offset
}

function flowOffset(node: Node | null): number | undefined {
  if (isAlias(node)) return node.range?.[0]
  return (isMap(node) || isSeq(node)) && node.flow ? node.range?.[0] : undefined
}

function findPair(targets: Targets, items: readonly Pair[], name: string): Pair | undefined {
  const resolved = (node: unknown) => (isAlias(node) ? targets.get(node) : node)
  const own = items.findLast(pair => keyText(resolved(pair.key)) === name)
  if (own) return own
  for (const pair of items.filter(pair => keyText(pair.key) === '<<')) {
    const merged = resolved(pair.value)
    for (const item of isSeq(merged) ? merged.items : [merged]) {
      const map = resolved(item)
      const found = isMap(map) ? findPair(targets, map.items, name) : undefined
      if (found) return found
    }
  }
  return undefined
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
