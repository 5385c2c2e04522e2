import { type Alias, type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node, type Pair, type Scalar } from 'yaml'

export type Path = readonly (string | number)[]

/** Values of a text with each alias counted as all that it stands for: ten times the largest configuration that was seen. */
const MAX_VALUES = 250_000
/** Keys written twice that are reported; behind so many the rest is of the same kind. */
const MAX_REPEATED = 100

export interface Resolving {
  /** A scalar that is no key; its value may be replaced. The path is only valid during the call. */
  scalar(node: Scalar, path: Path): void
  /** `fatal` faults leave no value that could be checked. */
  fault(offset: number | undefined, path: Path, message: string, fatal: boolean): void
}

export interface Resolved {
  /** Plain data; what an alias stands for is the same object wherever it is named. */
  readonly value: unknown
  /** What each alias stands for. */
  readonly targets: ReadonlyMap<Alias, Node>
}

/** A node that was read: its value, and how many values it has with aliases put in. */
interface Known {
  readonly value: unknown
  readonly size: number
}

/**
 * Makes plain data of a document in one walk, with aliases and merge keys put in. The library does so too, but looks through the whole document
 * for each alias, follows an alias into itself, and has no place for its faults: aliases that lead nowhere, into themselves or to too much, keys
 * that are written twice or are no text.
 */
export function resolveNodes(document: Document, resolving: Resolving): Resolved {
  const targets = new Map<Alias, Node>()
  const anchors = new Map<string, Node>()
  const known = new Map<unknown, Known>()
  const path: (string | number)[] = []
  let values = 0
  let repeated = 0
  let full = false

  const fail = (node: unknown, message: string) => {
    if (!full) resolving.fault((node as Node | null)?.range?.[0], path, message, true)
  }
  const note = (node: Node, made: Known): Known => {
    known.set(node, made)
    return made
  }
  /** False once there are too many. */
  const count = (node: unknown, size: number): boolean => {
    values += size
    if (values > MAX_VALUES) {
      fail(node, `must have at most ${MAX_VALUES} values with aliases put in, got more`)
      full = true
    }
    return !full
  }

  const follow = (alias: Alias): Known => {
    const target = anchors.get(alias.source)
    const found = known.get(target)
    if (!target) fail(alias, `must name an anchor that stands before it, got *${alias.source}`)
    else if (!found) fail(alias, `must not stand inside of what it names, got *${alias.source}`)
    else if (count(alias, found.size)) {
      targets.set(alias, target)
      return found
    }
    return { value: undefined, size: 0 }
  }

  /** The text of a key; undefined for one that is none. */
  const readKey = ({ key, value }: Pair, seen: Set<string>): string | undefined => {
    if (isAlias(key)) follow(key)
    const scalar = isAlias(key) ? targets.get(key) : key
    if (!isScalar(scalar)) {
      fail(key ?? value, 'must have text as keys, got something else')
      return undefined
    }
    if (!isAlias(key)) {
      if (scalar.anchor) anchors.set(scalar.anchor, scalar)
      note(scalar, { value: scalar.value, size: 1 })
    }
    const name = keyText(scalar)
    if (seen.has(name) && repeated++ < MAX_REPEATED) {
      const message = `must be written once, got the key ${JSON.stringify(name)} again`
      resolving.fault((key as Node).range?.[0], [...path, name], message, false)
    }
    seen.add(name)
    return name
  }

  const walkAt = (key: string | number, node: unknown): Known => {
    path.push(key)
    const made = walk(node)
    path.pop()
    return made
  }

  const walkMap = (pairs: readonly Pair[]): Known => {
    const value: Record<string, unknown> = {}
    const merged: unknown[] = []
    const seen = new Set<string>()
    let size = 1
    for (const pair of pairs) {
      const name = readKey(pair, seen)
      if (name === undefined) continue
      const made = walkAt(name, pair.value)
      size += made.size
      if (isMergeKey(pair.key)) {
        const sources = Array.isArray(made.value) ? made.value : [made.value]
        if (made.size > 0 && !sources.every(isMapping))
          fail(pair.value, 'must be a mapping or a list of mappings to be merged, got something else')
        else merged.push(...sources)
      } else define(value, name, made.value)
    }
    // What stands in the mapping itself comes first, then what stands first in the list.
    for (const source of merged)
      for (const [name, item] of Object.entries(source ?? {})) if (!Object.hasOwn(value, name)) define(value, name, item)
    return { value, size }
  }

  const walk = (node: unknown): Known => {
    if (isAlias(node)) return follow(node)
    if (isNode(node) && node.anchor) anchors.set(node.anchor, node)
    if (isScalar(node)) {
      resolving.scalar(node, path)
      return note(node, { value: count(node, 1) ? node.value : undefined, size: 1 })
    }
    if (isMap(node)) return note(node, walkMap(node.items))
    if (!isSeq(node)) return { value: null, size: 1 }
    const items = node.items.map((item, i) => walkAt(i, item))
    return note(node, { value: items.map(({ value }) => value), size: items.reduce((sum, { size }) => sum + size, 1) })
  }
  const { value } = walk(document.contents)
  return { value, targets }
}

/** A key as text; a merge key is `<<`. */
export function keyText(key: unknown): string {
  const value = isScalar(key) ? key.value : key
  return typeof value === 'symbol' ? (value.description ?? '') : String(value)
}

/** `<<` without quotes, as the library reads it when it merges. */
function isMergeKey(key: unknown): boolean {
  return isScalar(key) && typeof key.value === 'symbol'
}

function isMapping(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Also a key such as `__proto__` is only a key. */
function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}
