import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DAY, HOUR, MINUTE, SECOND } from '../duration.ts'
import { forNow, fromAnswer, openWorld, START } from '../testing/toy-outbox.ts'
import { fromOutbox } from './outbox.ts'

describe('the loop', () => {
  async function during<Result>(
    parts: Parameters<typeof fromOutbox>[0],
    work: (outbox: ReturnType<typeof fromOutbox>) => Promise<Result>,
  ) {
    const stop = new AbortController()
    const outbox = fromOutbox(parts)
    const running = outbox.run(stop.signal)
    try {
      return await work(outbox)
    } finally {
      stop.abort()
      await running
    }
  }

  it('sends what is there, and what comes when it is woken', async () => {
    const { notifier, sent } = fromAnswer()
    const { find, parts } = openWorld({ a: notifier }, { poll: HOUR })
    await find([1])
    await during(parts, async ({ wake }) => {
      await expect.poll(() => sent.length).toBe(1)
      await find([1, 2])
      wake()
      await expect.poll(() => sent.length).toBe(2)
    })
  })

  it('looks again by itself', async () => {
    const { notifier, sent } = fromAnswer()
    const { find, parts } = openWorld({ a: notifier }, { poll: 5 })
    await during(parts, async () => {
      await find([1])
      await expect.poll(() => sent.length).toBe(1)
    })
  })

  it('sends more than one batch, and the end right after the beginning', async () => {
    const { notifier, sent } = fromAnswer()
    const { find, parts } = openWorld({ a: notifier }, { poll: HOUR, batch: 2 })
    await find([1, 2, 3, 4, 5])
    await find([1, 2, 3, 4, 5], { ongoing: false })
    await during(parts, () => expect.poll(() => sent.length).toBe(10))
  })

  it('ends when it is stopped, also with a notifier that does not heed', async () => {
    const { notifier, sent } = fromAnswer(() => new Promise(() => {}))
    const { find, parts } = openWorld({ a: notifier })
    await find([1])
    await during(parts, () => expect.poll(() => sent.length).toBe(1))
    expect(sent).toHaveLength(1)
  })

  it('survives a store that fails', async () => {
    const { notifier, sent } = fromAnswer()
    const { find, parts, store, world } = openWorld({ a: notifier }, { poll: 2 })
    const { outbox } = store
    let faults = 2
    store.outbox = async (...all) => {
      if (faults-- > 0) throw new Error('disk is full')
      return outbox(...all)
    }
    await find([1])
    await during(parts, () => expect.poll(() => sent.length).toBe(1))
    expect(world.errors).toEqual(['a: disk is full', 'a: disk is full'])
  })

  it('does not send again what was accepted while the store could not write it down', async () => {
    const { notifier, sent } = fromAnswer()
    const { find, parts, store } = openWorld({ a: notifier }, { poll: 2 })
    const { delivered } = store
    let faults = 3
    store.delivered = async (...all) => {
      if (faults-- > 0) throw new Error('disk is full')
      return delivered(...all)
    }
    await find([1])
    await during(parts, () => expect.poll(async () => (await store.channels())[0]!.pending).toBe(0))
    expect(sent).toHaveLength(1)
  })
})

describe('the time of the loop', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  /** Runs the loop on timers that stand still; `pass` lets what is due now happen. */
  function start(parts: Parameters<typeof fromOutbox>[0]) {
    const stop = new AbortController()
    const { run, wake } = fromOutbox(parts)
    const running = run(stop.signal)
    return {
      wake,
      pass: (ms = 0) => vi.advanceTimersByTimeAsync(ms),
      listeners: () => getEventListeners(stop.signal, 'abort').length,
      stop: async () => {
        stop.abort(new Error('stopped'))
        await running
        return [vi.getTimerCount(), getEventListeners(stop.signal, 'abort').length]
      },
    }
  }
  function countLooks(store: ReturnType<typeof openWorld>['store']) {
    const { outbox } = store
    const looks = { count: 0 }
    store.outbox = async (...all) => {
      looks.count++
      return outbox(...all)
    }
    return looks
  }

  it('is one look every `poll` while there is nothing to do, and one at once when it is woken', async () => {
    const { notifier, sent } = fromAnswer()
    const { find, parts, store } = openWorld({ a: notifier }, { poll: MINUTE })
    const looks = countLooks(store)
    const { pass, wake, stop } = start(parts)
    await pass()
    await pass(MINUTE - 1)
    expect(looks.count).toBe(1)
    await pass(1)
    expect(looks.count).toBe(2)
    await find([1])
    wake()
    await pass()
    // One that sends, and one that finds nothing more.
    expect([sent.length, looks.count]).toEqual([1, 4])
    await pass(MINUTE)
    expect(looks.count).toBe(5)
    expect(await stop()).toEqual([0, 0])
  })

  it('leaves no timers and no listeners behind, however long it ran', async () => {
    const { parts } = openWorld({ a: fromAnswer().notifier }, { poll: SECOND })
    const { pass, stop, wake, listeners } = start(parts)
    for (let i = 0; i < 20; i++) {
      await pass(SECOND)
      wake()
      await pass()
      expect([vi.getTimerCount(), listeners()]).toEqual([1, 1])
    }
    expect(await stop()).toEqual([0, 0])
  })

  it('misses no call that comes while it looks', async () => {
    const { notifier, sent } = fromAnswer()
    const { find, parts, store } = openWorld({ a: notifier }, { poll: HOUR })
    const { outbox } = store
    let looks = 0
    store.outbox = async (...all) => {
      const due = await outbox(...all)
      if (looks++ === 0) {
        await find([1])
        loop.wake()
      }
      return due
    }
    const loop = start(parts)
    await loop.pass()
    expect(sent).toHaveLength(1)
    await loop.stop()
  })

  it('is a wait of `poll` after a failure, of the channel or of the store, whoever wakes it', async () => {
    for (const failing of ['channel', 'store'] as const) {
      let fails = true
      const { notifier, sent } = fromAnswer(() => {
        if (fails && failing === 'channel') throw forNow()
      })
      const { find, parts, store, world } = openWorld({ a: notifier }, { poll: MINUTE })
      const { outbox } = store
      let looks = 0
      store.outbox = async (...all) => {
        looks++
        if (fails && failing === 'store') throw new Error('disk is full')
        return outbox(...all)
      }
      await find([1])
      const { pass, wake, stop } = start(parts)
      await pass()
      fails = false
      await find([1, 2])
      wake()
      await pass(MINUTE - 1)
      expect(looks).toBe(1)
      world.now += MINUTE
      await pass(1)
      expect(new Set(sent.map(({ key }) => key)).size).toBe(2)
      expect(world.errors).toEqual(failing === 'store' ? ['a: disk is full'] : [])
      await stop()
    }
  })

  it('reports no error of a store that is cut off by the end', async () => {
    const { parts, store, world } = openWorld({ a: fromAnswer().notifier })
    const closed = Promise.withResolvers<never>()
    store.outbox = () => closed.promise
    const { pass, stop } = start(parts)
    await pass()
    const stopping = stop()
    closed.reject(new Error('closed'))
    expect(await stopping).toEqual([0, 0])
    expect(world.errors).toEqual([])
  })

  it('lets a side that forgets hear of it every minute', async () => {
    const { notifier, sent } = fromAnswer(undefined, { every: MINUTE, afterEnd: MINUTE })
    const { find, parts, world } = openWorld({ a: notifier }, { poll: SECOND })
    await find([1])
    const { pass, stop } = start(parts)
    await pass()
    for (let minutes = 1; minutes <= 3; minutes++) {
      world.now = START + minutes * MINUTE
      await pass(SECOND)
      expect(sent).toHaveLength(1 + minutes)
    }
    await stop()
  })

  it('is that of the clock, also when it is set back: what was accepted before is repeated at once, and then every minute', async () => {
    const { notifier, sent } = fromAnswer(undefined, { every: MINUTE, afterEnd: MINUTE })
    const { find, parts, world } = openWorld({ a: notifier }, { poll: SECOND })
    await find([1])
    const { pass, stop } = start(parts)
    await pass()
    world.now -= HOUR
    await pass(10 * SECOND)
    expect(sent).toHaveLength(2)
    world.now += MINUTE
    await pass(10 * SECOND)
    expect(sent).toHaveLength(3)
    await stop()
  })

  it('is that of the clock for a channel that failed before the clock ran ahead and was set back', async () => {
    const { notifier, sent } = fromAnswer(() => {
      if (sent.length <= 2) throw forNow()
    })
    const { find, parts, world } = openWorld({ a: notifier }, { poll: SECOND })
    await find([1])
    const { pass, stop } = start(parts)
    await pass()
    world.now = START + 7 * DAY
    await pass(SECOND)
    expect(sent).toHaveLength(2)
    world.now = START + SECOND
    await pass(SECOND)
    expect(sent).toHaveLength(3)
    await stop()
  })

  it('is bounded after a restart: what waits is due after the longest wait, and not at once', async () => {
    const { notifier, sent } = fromAnswer(() => {
      if (sent.length <= 2) throw forNow(HOUR)
    })
    const { find, pass: passOnce, parts, world } = openWorld({ a: notifier }, { poll: SECOND, longestRetry: 5 * MINUTE })
    await find([1])
    await passOnce()
    world.now = START + 7 * DAY
    await passOnce()
    world.now = START + SECOND
    const { pass, stop } = start(parts)
    await pass()
    world.now = START + SECOND + 5 * MINUTE - 1
    await pass(SECOND)
    expect(sent).toHaveLength(2)
    world.now++
    await pass(SECOND)
    expect(sent).toHaveLength(3)
    await stop()
  })

  it('has repetitions that are rarer than the longest wait stay so after a restart', async () => {
    const { notifier, sent } = fromAnswer(undefined, { every: 10 * MINUTE, afterEnd: HOUR })
    const { find, pass: passOnce, parts, world } = openWorld({ a: notifier }, { poll: SECOND, longestRetry: 5 * MINUTE })
    await find([1])
    await passOnce()
    const { pass, stop } = start(parts)
    await pass()
    world.now = START + 10 * MINUTE - 1
    await pass(SECOND)
    expect(sent).toHaveLength(1)
    world.now++
    await pass(SECOND)
    expect(sent).toHaveLength(2)
    await stop()
  })

  it('is not spent on one message after the other before the channel has failed', async () => {
    let now = 0
    let most = 0
    const { notifier } = fromAnswer(async () => {
      most = Math.max(most, ++now)
      await new Promise(resolve => setTimeout(resolve, SECOND))
      now--
    })
    const { find, parts } = openWorld({ a: notifier }, { poll: MINUTE, concurrency: 3 })
    await find([1, 2, 3, 4])
    const { pass, stop } = start(parts)
    await pass()
    expect(most).toBe(3)
    await stop()
  })

  it('goes on after the store failed, also when nobody listens', async () => {
    const { notifier, sent } = fromAnswer()
    const { find, parts, store } = openWorld({ a: notifier }, { poll: SECOND })
    const { outbox } = store
    let faults = 1
    store.outbox = async (...all) => {
      if (faults-- > 0) throw new Error('disk is full')
      return outbox(...all)
    }
    await find([1])
    const { onError: _, ...quiet } = parts
    const { pass, stop } = start(quiet)
    await pass()
    await pass(SECOND)
    expect(sent).toHaveLength(1)
    await stop()
  })

  it('is written down as of when the other side accepted, however late the store can write it', async () => {
    const { notifier, sent } = fromAnswer(undefined, { every: MINUTE, afterEnd: MINUTE }, 'alert 1')
    const { find, parts, store, world } = openWorld({ a: notifier }, { poll: SECOND })
    const { delivered } = store
    const written: unknown[][] = []
    store.delivered = async (...all) => {
      written.push(all.slice(1))
      if (written.length === 1) throw new Error('disk is full')
      return delivered(...all)
    }
    await find([1])
    const { pass, stop } = start(parts)
    await pass()
    world.now += 30 * SECOND
    await pass(SECOND)
    expect(written).toEqual([
      [START, START + MINUTE, 'alert 1'],
      [START, START + MINUTE, 'alert 1'],
    ])
    expect(sent).toHaveLength(1)
    await stop()
  })

  it('is that of many messages at once again, after the channel failed', async () => {
    let fails = true
    let now = 0
    let most = 0
    // On timers that stand still: none of these is waited for.
    const sending = 10
    const { notifier } = fromAnswer(async () => {
      if (fails) throw forNow()
      most = Math.max(most, ++now)
      await new Promise(resolve => setTimeout(resolve, sending))
      now--
    })
    const { find, parts, store, world } = openWorld({ a: notifier }, { poll: SECOND, concurrency: 3, batch: 6 })
    await find(Array.from({ length: 20 }, (_, i) => i))
    const { pass, stop } = start(parts)
    await pass()
    fails = false
    world.now += MINUTE
    await pass(SECOND)
    expect(most).toBe(1)
    await pass(SECOND)
    expect(most).toBe(3)
    expect((await store.channels())[0]).toMatchObject({ pending: 0, delivered: 20 })
    await stop()
  })
})
