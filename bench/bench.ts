/** One measured number. What does not apply is left out. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The bound that `value` is held to, with its direction in `better`. */
  readonly goal?: number
  readonly met?: boolean
  /** What it was compared with, in the same run. */
  readonly peer?: string
  /** Times better than the peer. */
  readonly ratio?: number
}

export interface BenchOptions {
  /** Argument that narrows a bench, such as a detector's type; benches say which they know. */
  readonly only?: string
  /** Folder of a data set, or of all of them. */
  readonly data?: string
  /** A type, a configuration as JSON, or a module. */
  readonly detector?: string
  /** Worker threads; one per core by default. */
  readonly jobs?: number
  /** Draws what a bench moves at random. */
  readonly seed?: number
  /** Check the scorer on published results instead of running a detector. */
  readonly golden?: boolean
  /** Print the main figures of each series too. */
  readonly series?: boolean
  /** By the real clock and the real program. */
  readonly real?: boolean
  /** How long a bench that lasts goes on, by its own clock. */
  readonly minutes?: number
}

/** A module of `bench/`. */
export interface Bench {
  readonly summary: string
  run(options: BenchOptions): Promise<readonly Row[]>
}

/** Best of several runs in ms, after one that warms up: the least disturbed by other work on the machine. */
export function bestOf(times: number, work: () => void): number {
  work()
  let best = Infinity
  for (let i = 0; i < times; i++) {
    const start = performance.now()
    work()
    best = Math.min(best, performance.now() - start)
  }
  return best
}
