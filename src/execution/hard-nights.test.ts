import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HOUR } from '../duration.ts'
import { type Spikes, type SpikyWatch, watchSpikes } from '../testing/spiky-watch.ts'

/** One thing that goes wrong for so many seconds. */
type Trouble = (watch: SpikyWatch, seconds: number) => Promise<void>

const clock =
  (hours: number): Trouble =>
  async (watch, seconds) => {
    watch.world.clockOff = hours * HOUR
    await watch.pass(seconds)
    watch.world.clockOff = 0
  }
const lie =
  (what: SpikyWatch['world']['lie']): Trouble =>
  async (watch, seconds) => {
    watch.world.lie = what
    await watch.pass(seconds)
    watch.world.lie = undefined
  }
const troubles: Readonly<Record<string, Trouble>> = {
  'a source that answers with nothing': lie('nothing'),
  'a source that answers without numbers': lie('nulls'),
  'a source that answers with the newest row only': lie('torn'),
  'a source that fails': lie('error'),
  // What a series of many did not have for longer than `reexamine` is not looked for any more.
  'a source that leaves a series out': (watch, seconds) => lie('part')(watch, Math.min(seconds, 3)),
  async 'a store that is locked'(watch, seconds) {
    watch.world.isLocked = true
    await watch.pass(seconds)
    watch.world.isLocked = false
  },
  'a restart after a while': (watch, seconds) => watch.restart(seconds),
  'a clock that is ten minutes ahead': clock(1 / 6),
  'a clock that is a day ahead': clock(24),
  'a clock that is ten minutes behind': clock(-1 / 6),
  'a clock that is a day behind': clock(-24),
}
const short: Spikes = { every: 9, length: 2 }
const long: Spikes = { every: 60, length: 40 }

/** What was not reported exactly once, or withdrawn. */
async function problemsOf(
  spikes: Spikes,
  parts: readonly { readonly trouble: string; readonly seconds: number; readonly calm: number }[],
): Promise<string[]> {
  const watch = await watchSpikes(spikes)
  const from = watch.second()
  for (const { trouble, seconds, calm } of parts) {
    await troubles[trouble]!(watch, seconds)
    await watch.pass(calm)
  }
  const until = watch.second()
  await watch.pass(spikes.length + 20)
  const counts = Map.groupBy(watch.messages, message => message)
  const problems = [...counts].flatMap(([message, { length }]) =>
    length > 1 || message.startsWith('withdrawn') ? [`${length} × ${message}`] : [],
  )
  for (let at = Math.ceil(from / spikes.every) * spikes.every; at < until; at += spikes.every)
    for (const n of ['a', 'b', 'c'])
      for (const message of [`opened ${n} at ${at}`, `resolved ${n} at ${at}`])
        if (!counts.has(message)) problems.push(`lost: ${message}`)
  return problems
}

describe('loses, repeats and takes back nothing', () => {
  for (const trouble of Object.keys(troubles))
    describe(`because of ${trouble}`, () => {
      it.each([1, 3, 7])('for %i s, at any time of a spike', async seconds => {
        // Each is a second later in its spike than the one before.
        const all = Array.from({ length: 9 }, () => ({ trouble, seconds, calm: 10 - seconds }))
        expect(await problemsOf(short, all)).toEqual([])
      })

      it('for 7 s, at any time of an anomaly that lasts', async () => {
        const all = Array.from({ length: 6 }, () => ({ trouble, seconds: 7, calm: 63 }))
        expect(await problemsOf(long, all)).toEqual([])
      })
    })

  it('because of one after the other', async () => {
    const trouble = fc.record({
      trouble: fc.constantFrom(...Object.keys(troubles)),
      seconds: fc.integer({ min: 1, max: 7 }),
      calm: fc.integer({ min: 4, max: 12 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(trouble, { minLength: 1, maxLength: 6 }), fc.constantFrom(short, long), async (parts, spikes) => {
        expect(await problemsOf(spikes, parts)).toEqual([])
      }),
      { numRuns: 20 },
    )
  })
})
