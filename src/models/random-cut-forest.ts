import { seededRandom } from '../math/random.ts'
import { copyState } from '../state.ts'

/** Shape of a forest of random cut trees. */
export interface CutForestShape {
  readonly trees: number
  /** Points in each tree. */
  readonly sample: number
  /** Numbers in a point. */
  readonly dimensions: number
  /** Points after which a kept one has lost 1/e of its weight in the sample. */
  readonly memory: number
  readonly seed: number
}

/** Plain data from which a forest goes on; arrays belong to whoever asked for it. */
export interface CutForestState {
  readonly seen: number
  readonly random: number
  readonly roots: Int16Array
  readonly sizes: Int16Array
  readonly parents: Int16Array
  readonly masses: Int16Array
  readonly lefts: Int16Array
  readonly rights: Int16Array
  readonly cutAt: Uint16Array
  readonly cutValues: Float64Array
  readonly points: Float64Array
  readonly leaves: Int16Array
  readonly keys: Float64Array
}

/** Robust random cut forest: remembers a time-decayed sample of points in each tree. All weights must be positive. */
export interface CutForest {
  /** Points seen, kept or not. */
  seen(): number
  /**
   * Mean over the trees of the collusive displacement that the point would have, 0 … sample; NaN while empty. Fills `shares` (per
   * dimension) with what each contributes to it, when given.
   */
  displacement(point: Float64Array, weights: Float64Array, shares?: Float64Array): number
  /** What each tree holds in dimension `at` where the other dimensions are most like the point; fills `found` (one per tree). */
  impute(point: Float64Array, at: number, found: Float64Array): void
  learn(point: Float64Array, weights: Float64Array): void
  state(): CutForestState
}

const NONE = -1

/**
 * Random cut trees with insertion and deletion (Guha, Mishra, Roy & Schrijvers 2016, "Robust Random Cut Forest Based Anomaly Detection on
 * Streams", algorithms 1 and 2), each over a reservoir sample whose weights decay exponentially (section 2; Efraimidis & Spirakis 2006).
 * Departure: CoDisp (definition 4) is not that of one random insertion but its expectation over where the point would be cut off,
 * summed along one path; so scoring needs no randomness and changes nothing. Per tree 22 bytes × sample for the structure and
 * 32 × sample × dimensions for boxes; the state is without boxes.
 */
export function growCutForest(shape: CutForestShape, from?: CutForestState): CutForest {
  const { trees, sample, dimensions: d, memory } = shape
  const nodes = 2 * sample - 1
  const random = seededRandom(from?.random ?? shape.seed)
  let seen = from?.seen ?? 0
  // Of each tree, nodes 0 … sample-1 are leaves, the others inner nodes.
  const roots = from?.roots.slice() ?? new Int16Array(trees).fill(NONE)
  const sizes = from?.sizes.slice() ?? new Int16Array(trees)
  const parents = from?.parents.slice() ?? new Int16Array(trees * nodes).fill(NONE)
  const masses = from?.masses.slice() ?? new Int16Array(trees * nodes)
  const lefts = from?.lefts.slice() ?? new Int16Array(trees * nodes).fill(NONE)
  const rights = from?.rights.slice() ?? new Int16Array(trees * nodes).fill(NONE)
  const cutAt = from?.cutAt.slice() ?? new Uint16Array(trees * nodes)
  const cutValues = from?.cutValues.slice() ?? new Float64Array(trees * nodes)
  /** Leaf of each sampled point, and its key: those with the largest keys stay. */
  const leaves = from?.leaves.slice() ?? new Int16Array(trees * sample).fill(NONE)
  const keys = from?.keys.slice() ?? new Float64Array(trees * sample).fill(-Infinity)
  /** Bounding boxes, low and high by turns; both are the point in a leaf. */
  const boxes = new Float64Array(trees * nodes * 2 * d)
  /** Slot of the smallest key of each tree. */
  const weakest = new Int16Array(trees)

  if (from) {
    for (let t = 0; t < trees; t++) {
      for (let leaf = 0; leaf < sample; leaf++) {
        const point = from.points.subarray((t * sample + leaf) * d, (t * sample + leaf + 1) * d)
        const at = (t * nodes + leaf) * 2 * d
        for (let i = 0; i < d; i++) boxes[at + 2 * i] = boxes[at + 2 * i + 1] = point[i]
      }
      if (roots[t] !== NONE) rebox(t, roots[t])
      findWeakest(t)
    }
  }

  function rebox(t: number, node: number): void {
    if (node < sample) return
    rebox(t, lefts[t * nodes + node])
    rebox(t, rights[t * nodes + node])
    unite(t, node)
  }

  function unite(t: number, node: number): void {
    const base = t * nodes
    const at = (base + node) * 2 * d
    const left = (base + lefts[base + node]) * 2 * d
    const right = (base + rights[base + node]) * 2 * d
    for (let i = 0; i < 2 * d; i += 2) {
      boxes[at + i] = boxes[left + i] < boxes[right + i] ? boxes[left + i] : boxes[right + i]
      boxes[at + i + 1] = boxes[left + i + 1] > boxes[right + i + 1] ? boxes[left + i + 1] : boxes[right + i + 1]
    }
  }

  function findWeakest(t: number): void {
    let found = 0
    for (let slot = 1; slot < sample; slot++) if (keys[t * sample + slot] < keys[t * sample + found]) found = slot
    weakest[t] = found
  }

  /** A node of the tree that is in no use: mass 0. */
  function takeNode(t: number, first: number, last: number): number {
    for (let node = first; node < last; node++) if (masses[t * nodes + node] === 0) return node
    throw new RangeError('a tree must have a free node')
  }

  function replaceChild(t: number, parent: number, child: number, by: number): void {
    const base = t * nodes
    if (parent === NONE) roots[t] = by
    else if (lefts[base + parent] === child) lefts[base + parent] = by
    else rights[base + parent] = by
    parents[base + by] = parent
  }

  function remove(t: number, slot: number): void {
    const base = t * nodes
    const leaf = leaves[t * sample + slot]
    leaves[t * sample + slot] = NONE
    sizes[t]--
    masses[base + leaf]--
    let node = parents[base + leaf]
    if (masses[base + leaf] > 0) {
      for (; node !== NONE; node = parents[base + node]) masses[base + node]--
      return
    }
    if (node === NONE) {
      roots[t] = NONE
      return
    }
    const sibling = lefts[base + node] === leaf ? rights[base + node] : lefts[base + node]
    const above = parents[base + node]
    replaceChild(t, above, node, sibling)
    masses[base + node] = 0
    const point = (base + leaf) * 2 * d
    let touches = true
    for (node = above; node !== NONE; node = parents[base + node]) {
      masses[base + node]--
      if (!touches) continue
      touches = false
      const at = (base + node) * 2 * d
      for (let i = 0; i < d && !touches; i++)
        touches = boxes[at + 2 * i] === boxes[point + 2 * i] || boxes[at + 2 * i + 1] === boxes[point + 2 * i]
      if (touches) unite(t, node)
    }
  }

  function insert(t: number, slot: number, point: Float64Array, weights: Float64Array): void {
    const base = t * nodes
    sizes[t]++
    let node = roots[t]
    for (;;) {
      const at = (base + node) * 2 * d
      let total = 0
      if (node !== NONE)
        for (let i = 0; i < d; i++) {
          const p = point[i]
          const low = boxes[at + 2 * i]
          const high = boxes[at + 2 * i + 1]
          total += weights[i] * ((p > high ? p : high) - (p < low ? p : low))
        }
      if (node === NONE || (total === 0 && node < sample)) break
      let rest = random.next() * total
      let dim = -1
      let cut = NaN
      for (let i = 0; i < d && !(rest < 0); i++) {
        const p = point[i]
        const low = p < boxes[at + 2 * i] ? p : boxes[at + 2 * i]
        const high = p > boxes[at + 2 * i + 1] ? p : boxes[at + 2 * i + 1]
        const span = weights[i] * (high - low)
        if (span === 0) continue
        dim = i
        cut = low + rest / weights[i]
        rest -= span
        // Rounding may put it on the upper end, where it would cut nothing off.
        if (!(cut < high)) cut = rest < 0 ? low : NaN
      }
      if (Number.isNaN(cut) && dim >= 0) cut = Math.min(point[dim], boxes[at + 2 * dim])
      // Spans can vanish when weights are very small: then the point follows the cuts that are there.
      const before = total > 0 && point[dim] <= cut && boxes[at + 2 * dim] > cut
      const after = total > 0 && point[dim] > cut && boxes[at + 2 * dim + 1] <= cut
      if (before || after) {
        const leaf = plant(t, slot, point)
        const parent = takeNode(t, sample, nodes)
        replaceChild(t, parents[base + node], node, parent)
        cutAt[base + parent] = dim
        cutValues[base + parent] = cut
        lefts[base + parent] = before ? leaf : node
        rights[base + parent] = before ? node : leaf
        parents[base + leaf] = parent
        parents[base + node] = parent
        masses[base + parent] = masses[base + node] + 1
        unite(t, parent)
        return
      }
      masses[base + node]++
      for (let i = 0; i < d; i++) {
        if (point[i] < boxes[at + 2 * i]) boxes[at + 2 * i] = point[i]
        if (point[i] > boxes[at + 2 * i + 1]) boxes[at + 2 * i + 1] = point[i]
      }
      node = point[cutAt[base + node]] <= cutValues[base + node] ? lefts[base + node] : rights[base + node]
    }
    if (node === NONE) {
      roots[t] = plant(t, slot, point)
      parents[base + roots[t]] = NONE
      return
    }
    masses[base + node]++
    leaves[t * sample + slot] = node
  }

  function plant(t: number, slot: number, point: Float64Array): number {
    const leaf = takeNode(t, 0, sample)
    const at = (t * nodes + leaf) * 2 * d
    for (let i = 0; i < d; i++) boxes[at + 2 * i] = boxes[at + 2 * i + 1] = point[i]
    masses[t * nodes + leaf] = 1
    leaves[t * sample + slot] = leaf
    return leaf
  }

  return {
    seen: () => seen,

    displacement(point, weights, shares) {
      shares?.fill(0)
      let sum = 0
      for (let t = 0; t < trees; t++) {
        const base = t * nodes
        let node = roots[t]
        if (node === NONE) return NaN
        let reach = 1
        let above = 0
        for (;;) {
          const at = (base + node) * 2 * d
          let total = 0
          let outside = 0
          for (let i = 0; i < d; i++) {
            const p = point[i]
            const low = boxes[at + 2 * i]
            const high = boxes[at + 2 * i + 1]
            if (p < low) {
              outside += weights[i] * (low - p)
              total += weights[i] * (high - p)
            } else if (p > high) {
              outside += weights[i] * (p - high)
              total += weights[i] * (p - low)
            } else total += weights[i] * (high - low)
          }
          const mass = masses[base + node]
          if (outside > 0) {
            // A leaf cuts off everything that differs from it.
            const cutOff = node < sample ? 1 : outside / total
            const displaced = reach * cutOff * (mass > above ? mass : above)
            sum += displaced
            for (let i = 0; shares && i < d; i++) {
              const p = point[i]
              const beyond =
                p < boxes[at + 2 * i] ? boxes[at + 2 * i] - p : p > boxes[at + 2 * i + 1] ? p - boxes[at + 2 * i + 1] : 0
              if (beyond > 0) shares[i] += (displaced * weights[i] * beyond) / outside
            }
            reach *= 1 - cutOff
          }
          if (node < sample) {
            if (outside === 0) sum += reach * above
            break
          }
          if (reach < 1e-4) break
          const goesLeft = point[cutAt[base + node]] <= cutValues[base + node]
          const next = goesLeft ? lefts[base + node] : rights[base + node]
          const other = mass - masses[base + next]
          const ratio = other / (masses[base + next] + 1)
          if (ratio > above) above = ratio
          node = next
        }
      }
      for (let i = 0; shares && i < d; i++) shares[i] /= trees
      return sum / trees
    },

    impute(point, at, found) {
      for (let t = 0; t < trees; t++) {
        const base = t * nodes
        let node = roots[t]
        if (node === NONE) {
          found[t] = NaN
          continue
        }
        while (node >= sample) {
          const left = lefts[base + node]
          const right = rights[base + node]
          const cut = cutAt[base + node]
          if (cut === at) node = masses[base + left] > masses[base + right] ? left : right
          else node = point[cut] <= cutValues[base + node] ? left : right
        }
        found[t] = boxes[((base + node) * d + at) * 2]
      }
    },

    learn(point, weights) {
      const age = seen++ / memory
      for (let t = 0; t < trees; t++) {
        const key = age - Math.log(-Math.log(random.next() + 1e-300))
        const full = sizes[t] === sample
        const slot = full ? weakest[t] : sizes[t]
        if (full && key <= keys[t * sample + slot]) continue
        if (full) remove(t, slot)
        insert(t, slot, point, weights)
        keys[t * sample + slot] = key
        if (sizes[t] === sample) findWeakest(t)
      }
    },

    state() {
      const points = new Float64Array(trees * sample * d)
      for (let t = 0; t < trees; t++)
        for (let i = 0; i < sample * d; i++) points[t * sample * d + i] = boxes[(t * nodes * d + i) * 2]
      const structure = { roots, sizes, parents, masses, lefts, rights, cutAt, cutValues, leaves, keys }
      return { seen, random: random.state(), points, ...copyState(structure) }
    },
  }
}
