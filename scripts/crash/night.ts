import { setTimeout as wait } from 'node:timers/promises'
import type { Diary } from './diary.ts'
import type { Fault } from './faults.ts'

export interface Night {
  /** How often each fault happened. */
  readonly counts: Readonly<Record<string, number>>
  readonly current: string | undefined
  begin(): void
  /** Ends what goes on; throws when a fault could not be made. */
  end(): void
}

/** Lets one fault after the other happen, in random order, with calm between them. */
export function openNight(all: readonly Fault[], random: () => number, diary: Diary): Night {
  const counts: Record<string, number> = Object.fromEntries(all.map(({ name }) => [name, 0]))
  const stopping = new AbortController()
  let running: { readonly name: string; readonly end: () => void } | undefined
  let failure: unknown
  const endCurrent = () => {
    if (!running) return
    running.end()
    diary.write(`${running.name}: over`)
    running = undefined
  }
  const loop = async () => {
    let left: Fault[] = []
    while (!stopping.signal.aborted) {
      await wait(1000 + random() * 3000, undefined, { signal: stopping.signal })
      // Each happens once before any happens again.
      if (left.length === 0) left = [...all]
      const [fault] = left.splice(Math.floor(random() * left.length), 1) as [Fault]
      counts[fault.name]!++
      const { how, end } = fault.begin()
      running = { name: fault.name, end }
      diary.write(`${fault.name}: ${how}`)
      await wait((0.3 + 0.7 * random()) * fault.longest, undefined, { signal: stopping.signal })
      endCurrent()
    }
  }
  return {
    counts,
    get current() {
      return running?.name
    },
    begin() {
      if (all.length === 0) return
      loop().catch(error => {
        if (!stopping.signal.aborted) failure = error
      })
    },
    end() {
      stopping.abort()
      endCurrent()
      if (failure) throw failure
    },
  }
}
