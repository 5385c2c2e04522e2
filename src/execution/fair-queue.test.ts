import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openFairQueue } from './fair-queue.ts'

const never = new AbortController().signal
const settle = () => new Promise<void>(resolve => setImmediate(resolve))

/** Tasks that end when they are told to, and the names of those that run, in the order of their starts. */
function scripted(places: number, mostOfOne: number) {
  const queue = openFairQueue(places, mostOfOne)
  const started: string[] = []
  const ends = new Map<string, () => void>()
  const ask = (name: string, signal = never) => {
    const task = () => {
      started.push(name)
      return new Promise<string>(resolve => ends.set(name, () => resolve(name)))
    }
    return queue.run(name[0]!, task, signal)
  }
  return {
    queue,
    started,
    ask,
    async end(name: string) {
      ends.get(name)!()
      await settle()
    },
  }
}

describe('a fair queue', () => {
  it('lets owners take turns, whoever asked for more', async () => {
    const { ask, started, end } = scripted(1, 1)
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) void ask(name)
    for (const name of ['a1', 'b1', 'c1', 'a2', 'b2', 'a3']) {
      await settle()
      expect(started.at(-1)).toBe(name)
      await end(name)
    }
    expect(started.at(-1)).toBe('a4')
  })

  it('keeps a place for the others while one owner has many tasks', async () => {
    const { ask, started, end, queue } = scripted(3, 2)
    for (let i = 1; i <= 100; i++) void ask(`a${i}`)
    await settle()
    expect(started).toEqual(['a1', 'a2'])
    expect(queue.load()).toEqual({ running: 2, waiting: 98 })
    void ask('b1')
    await settle()
    expect(started.at(-1)).toBe('b1')
    void ask('b2')
    await end('a1')
    expect(started.slice(3)).toEqual(['a3'])
    await end('a3')
    expect(started.slice(3)).toEqual(['a3', 'b2'])
  })

  it('still counts what an owner runs when one of its tasks has ended', async () => {
    const { ask, started, end } = scripted(4, 2)
    for (const name of ['a1', 'a2', 'a3', 'a4']) void ask(name)
    await settle()
    await end('a1')
    void ask('a5')
    await settle()
    expect(started).toEqual(['a1', 'a2', 'a3'])
  })

  it('keeps the other tasks of an owner that gave one up', async () => {
    const { ask, started, end, queue } = scripted(1, 1)
    const gone = new AbortController()
    const { signal } = new AbortController()
    const signals = [signal, signal, gone.signal, signal]
    const asked = signals.map((signal, i) => ask(`a${i}`, signal))
    gone.abort(new Error('gave up'))
    await expect(asked[2]).rejects.toThrow('gave up')
    expect(queue.load()).toEqual({ running: 1, waiting: 2 })
    for (const name of ['a0', 'a1', 'a3']) await end(name)
    expect(started).toEqual(['a0', 'a1', 'a3'])
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('gives a place back after a failure, and starts nothing that was given up', async () => {
    const { ask, started, end, queue } = scripted(1, 1)
    const gone = new AbortController()
    const failed = queue.run('a', () => Promise.reject(new Error('no')), never)
    const waited = ask('b1', gone.signal)
    const last = ask('c1')
    gone.abort(new Error('gave up'))
    await expect(failed).rejects.toThrow('no')
    await expect(waited).rejects.toThrow('gave up')
    await settle()
    expect(started).toEqual(['c1'])
    await expect(queue.run('d', async () => 1, gone.signal)).rejects.toThrow('gave up')
    await end('c1')
    expect(await last).toBe('c1')
    expect(queue.load()).toEqual({ running: 0, waiting: 0 })
  })

  it('keeps its promises whatever comes and ends', async () => {
    const step = fc.record({ owner: fc.constantFrom('a', 'b', 'c'), ends: fc.nat(3) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), async (steps, places) => {
        const mostOfOne = Math.max(1, places - 1)
        const queue = openFairQueue(places, mostOfOne)
        const running: { owner: string; end: () => void }[] = []
        let done = 0
        const all = steps.map(async ({ owner, ends }) => {
          const run = queue.run(owner, () => new Promise<void>(end => running.push({ owner, end })), never)
          for (const { end } of running.splice(0, ends)) end()
          await run
          done++
        })
        for (let turn = 0; done < steps.length; turn++) {
          await settle()
          expect(running.length).toBeLessThanOrEqual(places)
          for (const name of 'abc') expect(running.filter(({ owner }) => owner === name).length).toBeLessThanOrEqual(mostOfOne)
          running.shift()?.end()
          expect(turn).toBeLessThan(200)
        }
        await Promise.all(all)
      }),
      { numRuns: 50 },
    )
  })
})
