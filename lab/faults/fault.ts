import type { Lab } from '../lab.ts'

/** One thing that goes wrong, or only looks so, and is put right again. */
export interface Fault {
  readonly name: string
  /** What happens, in one sentence. */
  readonly summary: string
  /** A benign fault must not alert anybody. */
  readonly benign: boolean
  /** How long it is left in place, ms. */
  readonly length: number
  inject(lab: Lab): Promise<void>
  remove(lab: Lab): Promise<void>
}
