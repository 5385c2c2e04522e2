import type { Numbers } from '../../kernels/ops.ts'

/** Joins gradients of the same parameters, of parts of one batch that several threads have. */
export interface SharedGradients {
  /** Gradients become those of the whole batch: means of all parts by their known values, summed in one order. Waits for all others. */
  join(gradients: Numbers, known: number): void
}

/** Numbers before the slots, for the count of arrivals; and before the gradients of a slot, for its known values: a line of 64 bytes. */
const HEAD = 16
/** Looks at the count before a thread sleeps: waking up takes longer than most waits. */
const LOOKS = 20_000

/** Memory for so many threads and parameters. */
export function gradientMemory(threads: number, size: number): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * (HEAD + 2 * threads * (HEAD + size)))
}

/** The view of thread `place` (0 …); all must join as often as each other. Throws when the others do not come within `patience` ms. */
export function shareGradients(memory: SharedArrayBuffer, place: number, threads: number, patience = 60_000): SharedGradients {
  const arrivals = new Int32Array(memory, 0, 1)
  const numbers = new Float32Array(memory, 4 * HEAD)
  const length = numbers.length / (2 * threads)
  let turn = 0

  function meet(): void {
    const wanted = (turn + 1) * threads
    if (Atomics.add(arrivals, 0, 1) + 1 === wanted) {
      Atomics.notify(arrivals, 0)
      return
    }
    for (let look = 0; look < LOOKS; look++) if (Atomics.load(arrivals, 0) >= wanted) return
    for (let now = Atomics.load(arrivals, 0); now < wanted; now = Atomics.load(arrivals, 0))
      if (Atomics.wait(arrivals, 0, now, patience) === 'timed-out')
        throw new Error(`all ${threads} threads must join their gradients, got ${now - wanted + threads}`)
  }

  return {
    join(gradients, known) {
      // Two sets of slots in turn: nobody is more than one batch ahead.
      const slots = Array.from({ length: threads }, (_, i) => ((turn & 1) * threads + i) * length)
      numbers[slots[place]] = known
      numbers.set(gradients, slots[place] + HEAD)
      meet()
      turn++
      const total = slots.reduce((sum, slot) => sum + numbers[slot], 0)
      gradients.fill(0)
      if (total === 0) return
      for (const slot of slots) {
        const share = numbers[slot] / total
        if (share > 0) for (let i = 0; i < gradients.length; i++) gradients[i] += share * numbers[slot + HEAD + i]
      }
    },
  }
}
