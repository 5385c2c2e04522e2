import { isIP } from 'node:net'
import { MINUTE, SECOND } from '../duration.ts'

/** Wrong passwords of one address before it has to wait. */
const FREE = 5
const LONGEST_WAIT = 5 * MINUTE
/** Addresses that are remembered, the last ones. */
const MAX_ADDRESSES = 10_000

interface Failures {
  readonly count: number
  /** Epoch ms until which nothing of the address is checked. */
  readonly until: number
}

/** Slows down guessing: from the sixth wrong attempt of an address on, each has to wait twice as long as the one before, up to five minutes. */
export class Attempts {
  readonly #failures = new Map<string, Failures>()
  readonly #now: () => number
  constructor(now: () => number) {
    this.#now = now
  }

  /** ms that the address has to wait; 0 is none. */
  wait(address: string): number {
    const wait = (this.#failures.get(keyOf(address))?.until ?? 0) - this.#now()
    // A clock that was set back must not lock out for longer.
    return Math.min(LONGEST_WAIT, Math.max(0, wait))
  }

  fail(address: string): void {
    const key = keyOf(address)
    const now = this.#now()
    const before = this.#failures.get(key)
    // Who has been quiet for twice the longest wait starts anew.
    const count = before && now - before.until < 2 * LONGEST_WAIT ? before.count + 1 : 1
    const wait = count <= FREE ? 0 : Math.min(LONGEST_WAIT, SECOND * 2 ** (count - FREE - 1))
    this.#failures.delete(key)
    this.#failures.set(key, { count, until: now + wait })
    if (this.#failures.size > MAX_ADDRESSES) this.#failures.delete(this.#failures.keys().next().value!)
  }

  succeed(address: string): void {
    this.#failures.delete(keyOf(address))
  }
}

/** One customer has a whole /64 of IPv6. */
function keyOf(address: string): string {
  return isIP(address) === 6 ? address.split(':').slice(0, 4).join(':') : address
}
