import { copyState } from '../state.ts'
/** Contexts of a symbol stream: which facts followed which. */
export interface Contexts {
  /** How unexpected a symbol (0 … 7) would be now, 0 … 1. Changes nothing. */
  score(symbol: number): number
  learn(symbol: number): void
  state(): ContextsState
}

/** Plain data of one size, from which contexts go on. */
export interface ContextsState {
  readonly count: number
  readonly rows: number
  readonly next: number
  /** What holds now: facts of the last symbol and of the contexts that were active with it; −1 is none. */
  readonly group: Int32Array
  readonly lefts: Int32Array
  readonly rights: Uint8Array
  readonly ids: Int32Array
  readonly uses: Int32Array
  readonly touched: Int32Array
  /** 1 where the left side was a whole group when it was stored. */
  readonly whole: Uint8Array
}

/** What a symbol would be now. */
interface Examined {
  readonly right: number
  /** The context of the whole group and this symbol, where it is stored. */
  readonly known: number | undefined
  readonly isNew: boolean
  readonly active: number[]
  /** Generalised contexts that are not stored. */
  readonly fresh: readonly { left: number[]; right: number }[]
  readonly score: number
}

const BITS = 3
/** Facts that active contexts add to a group. */
const NEURONS = 15
const WIDTH = BITS + NEURONS
/** Facts in the left side of a generalised context. */
const LONGEST = 7
/** Facts below are those of symbols; the context with id i, being active, is fact 8 + i. */
const FIRST_NEURON = 8

/**
 * Context anomaly detection, open source edition (M. Smirnov, CAD OSE, as entered in the Numenta Anomaly Benchmark): a symbol is three facts, one per bit; a
 * context says that facts followed facts, generalised contexts are the intersections of a new one with those stored, and active contexts
 * are facts themselves. Unexpected is what few of the contexts whose left side holds foretold, and what makes many new
 * contexts. Departure: at most `cap` contexts (86 bytes each); when they are full, the half that was active least recently goes.
 */
export function rememberContexts(cap: number, from?: ContextsState): Contexts {
  let count = from?.count ?? 0
  let rows = from?.rows ?? 0
  let next = from?.next ?? 0
  let group = [...(from?.group ?? [])].filter(fact => fact >= 0)
  const lefts = from?.lefts.slice() ?? new Int32Array(cap * WIDTH).fill(-1)
  const rights = from?.rights.slice() ?? new Uint8Array(cap)
  const ids = from?.ids.slice() ?? new Int32Array(cap)
  const uses = from?.uses.slice() ?? new Int32Array(cap)
  const touched = from?.touched.slice() ?? new Int32Array(cap)
  const whole = from?.whole.slice() ?? new Uint8Array(cap)
  const sizes = new Uint8Array(cap)
  const index = new Map<string, number>()
  /** Facts of symbols on the left sides, as bits. */
  const leftMasks = new Uint8Array(cap)
  /** Contexts whose left side holds in the group. */
  let selected: number[] = []
  let examined: (Examined | undefined)[] = []

  const keyOf = (left: readonly number[], right: number) => `${left.join()}|${right}`
  const leftOf = (slot: number) => [...lefts.subarray(slot * WIDTH, slot * WIDTH + sizes[slot])]

  function list(slot: number): void {
    let size = 0
    while (size < WIDTH && lefts[slot * WIDTH + size] >= 0) size++
    sizes[slot] = size
    const left = leftOf(slot)
    index.set(keyOf(left, rights[slot]), slot)
    leftMasks[slot] = maskOf(left)
  }

  function select(): void {
    examined = []
    selected = []
    const missing = ~maskOf(group)
    const neurons = new Set(group)
    for (let slot = 0; slot < count; slot++) {
      if (leftMasks[slot] & missing) continue
      let at = slot * WIDTH
      const end = at + sizes[slot]
      while (at < end && neurons.has(lefts[at])) at++
      if (at === end) selected.push(slot)
    }
  }

  for (let slot = 0; slot < count; slot++) list(slot)
  select()

  const isActive = (slot: number, right: number) => (rights[slot] & right) === rights[slot]

  /** Intersections of the present with other contexts of whole groups, each once; those longer than allowed are no context. */
  function generalise(right: number): { left: number[]; right: number }[] {
    const holds = new Set(group)
    const found = new Map<string, { left: number[]; right: number }>()
    for (let slot = 0; slot < count; slot++) {
      if (!whole[slot]) continue
      const common = rights[slot] & right
      if (common === 0) continue
      const left: number[] = []
      for (let at = slot * WIDTH; at < slot * WIDTH + sizes[slot] && left.length <= LONGEST; at++)
        if (holds.has(lefts[at])) left.push(lefts[at])
      if (left.length > 0 && left.length <= LONGEST) found.set(keyOf(left, common), { left, right: common })
    }
    return [...found.values()]
  }

  const look = (symbol: number) => (examined[symbol] ??= examine(symbol))

  function examine(symbol: number): Examined {
    const right = maskOf(factsOf(symbol))
    const known = index.get(keyOf(group, right))
    const isNew = group.length > 0 && !(known !== undefined && whole[known])
    const active = selected.filter(slot => isActive(slot, right))
    const candidates = isNew ? generalise(right) : []
    const fresh = candidates.filter(({ left, right }) => !index.has(keyOf(left, right)))
    // The present itself is one of the candidates, and holds: it is a selected and active context from now on.
    const itself = isNew && known === undefined ? 1 : 0
    const foretold = selected.length + itself > 0 ? 1 - (active.length + itself) / (selected.length + itself) : 0
    const novelty = isNew ? (fresh.length + 1) / (candidates.length + 1) : 0
    return { right, known, isNew, active, fresh, score: (foretold + novelty) / 2 }
  }

  function store(left: readonly number[], right: number, isWhole: boolean): void {
    if (count === cap || index.has(keyOf(left, right))) return
    lefts.fill(-1, count * WIDTH, (count + 1) * WIDTH)
    lefts.set(left, count * WIDTH)
    rights[count] = right
    ids[count] = next++
    uses[count] = 0
    touched[count] = rows
    whole[count] = isWhole ? 1 : 0
    list(count++)
  }

  function prune(): void {
    const kept = Array.from({ length: count }, (_, slot) => slot)
      .sort((a, b) => touched[b] - touched[a] || b - a)
      .slice(0, cap >> 1)
      .sort((a, b) => a - b)
    kept.forEach((slot, to) => {
      lefts.copyWithin(to * WIDTH, slot * WIDTH, (slot + 1) * WIDTH)
      for (const column of [rights, ids, uses, touched, whole]) column[to] = column[slot]
    })
    count = kept.length
    index.clear()
    for (let slot = 0; slot < count; slot++) list(slot)
  }

  return {
    score: symbol => look(symbol).score,
    learn(symbol) {
      let found = look(symbol)
      if (found.isNew && count + found.fresh.length + 1 > cap) {
        prune()
        select()
        found = look(symbol)
      }
      const { right, known, isNew, active, fresh } = found
      if (isNew && known !== undefined) whole[known] = 1
      else if (isNew && count < cap) {
        store(group, right, true)
        active.push(count - 1)
      }
      for (const context of fresh) store(context.left, context.right, false)
      for (const slot of active) {
        uses[slot]++
        touched[slot] = rows
      }
      active.sort((a, b) => uses[a] - uses[b] || ids[a] - ids[b])
      const neurons = active.slice(-NEURONS).map(slot => FIRST_NEURON + ids[slot])
      group = [...factsOf(symbol), ...neurons].sort((a, b) => a - b)
      rows++
      select()
    },
    state: () => ({
      count,
      rows,
      next,
      group: Int32Array.from({ length: WIDTH }, (_, i) => group[i] ?? -1),
      ...copyState({ lefts, rights, ids, uses, touched, whole }),
    }),
  }
}

/** Facts of symbols as bits. */
function maskOf(facts: readonly number[]): number {
  let mask = 0
  for (const fact of facts) if (fact < FIRST_NEURON) mask |= 1 << fact
  return mask
}

/** Of each bit, that it is 0 or that it is 1. */
function factsOf(symbol: number): number[] {
  return Array.from({ length: BITS }, (_, bit) => 2 * bit + ((symbol >> bit) & 1))
}
