import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DAY, HOUR, MINUTE, SECOND } from '../duration.ts'
import { DeliveryError } from '../errors.ts'
import { webhook } from '../notifiers/webhook.ts'
import type { Message } from '../stores/store.ts'
import { openReceiver } from '../testing/fake-receiver.ts'
import { anomalyOf, did, forNow, fromAnswer, openWorld, refused, START } from '../testing/toy-outbox.ts'
import { deliver, fromOutbox, type OutboxOptions } from './outbox.ts'

describe('one pass', () => {
  it('sends each change once, to each channel', async () => {
    const [a, b] = [fromAnswer(), fromAnswer()]
    const { find, pass, store } = openWorld({ a: a.notifier, b: b.notifier })
    await find([1, 2])
    expect(await pass()).toEqual(did({ delivered: 4 }))
    expect(await pass()).toEqual(did({}))
    expect(a.keys()).toHaveLength(2)
    expect(new Set(a.keys())).toEqual(new Set(b.keys()))
    expect((await store.channels()).map(({ pending, delivered }) => [pending, delivered])).toEqual([
      [0, 2],
      [0, 2],
    ])
  })

  it('tells the end after the beginning, also when the beginning had to be tried again', async () => {
    let busy = true
    const { notifier, sent } = fromAnswer(() => {
      if (busy) throw forNow()
    })
    const { find, pass, world } = openWorld({ a: notifier })
    await find([1])
    await pass()
    await find([1], { ongoing: false })
    await pass()
    expect(sent.map(message => message.kind)).toEqual(['opened'])
    busy = false
    world.now += MINUTE
    await pass()
    await pass()
    expect(sent.map(message => message.kind)).toEqual(['opened', 'opened', 'resolved'])
    expect(sent[0]!.key).toBe(sent[1]!.key)
  })

  it('is not held back by another channel that hangs or refuses', async () => {
    const hanging = fromAnswer(() => new Promise(() => {}))
    const refusing = fromAnswer(() => {
      throw forNow()
    })
    const good = fromAnswer()
    const { find, parts } = openWorld(
      { hanging: hanging.notifier, refusing: refusing.notifier, good: good.notifier },
      { poll: 1, concurrency: 1 },
    )
    await find([1, 2, 3])
    const stop = new AbortController()
    const running = fromOutbox(parts).run(stop.signal)
    await expect.poll(() => good.sent.length).toBe(3)
    expect(hanging.sent).toHaveLength(1)
    stop.abort()
    await running
  })

  it('has no more on their way at once than it may', async () => {
    let now = 0
    let most = 0
    const { notifier, sent } = fromAnswer(async () => {
      most = Math.max(most, ++now)
      await new Promise(setImmediate)
      now--
    })
    const { find, pass } = openWorld({ a: notifier }, { concurrency: 3 })
    await find([1, 2, 3, 4, 5, 6, 7, 8])
    await pass()
    expect(sent).toHaveLength(8)
    expect(most).toBe(3)
  })

  it('takes a notifier that does not come back as failed', async () => {
    const { notifier } = fromAnswer(() => new Promise(() => {}))
    const { find, pass, world, store } = openWorld({ a: notifier }, { deadline: 10 })
    await find([1])
    expect(await pass()).toMatchObject({ retried: 1 })
    expect(world.attempts).toMatchObject([{ outcome: 'failed', reason: 'timeout' }])
    expect((await store.channels())[0]).toMatchObject({ lastError: 'must be sent within 10ms, got no answer', pending: 1 })
  })

  it('leaves what it was cut off from as it was', async () => {
    const stop = new AbortController()
    const { notifier } = fromAnswer(() => stop.abort(new Error('stopped')))
    const { find, pass, store, world } = openWorld({ a: notifier }, { concurrency: 1 })
    await find([1, 2, 3])
    await pass(stop.signal)
    const waiting = await store.outbox('a', world.now)
    expect(waiting.map(message => message.attempts)).toEqual(waiting.map(() => 0))
    expect(waiting.length).toBeGreaterThanOrEqual(2)
    expect([world.errors, world.attempts.filter(({ outcome }) => outcome !== 'accepted')]).toEqual([[], []])
  })
})

it('needs nobody who listens and no flow that is held', async () => {
  const { notifier } = fromAnswer(({ anomaly }) => {
    if (anomaly.labels.series === '1') throw refused()
    if (anomaly.labels.series === '3') throw forNow()
  })
  const { find, parts, world } = openWorld({ a: notifier }, { concurrency: 1 })
  const { held: _, onAttempt: __, onError: ___, ...quiet } = parts
  const pass = () => deliver({ ...quiet, signal: new AbortController().signal })
  await find([1, 2, 3])
  expect(await pass()).toEqual(did({ setAside: 1, delivered: 1, retried: 1 }))
  await find([3], { ongoing: false })
  world.now += 8 * DAY
  expect((await pass()).abandoned).toBe(1)
})

describe('what a pass writes down', () => {
  it('is the identity that the notifier gave, which comes back with the next message', async () => {
    const { notifier, sent } = fromAnswer(undefined, undefined, 'alert 1')
    const { find, pass, world } = openWorld({ a: notifier })
    await find([1])
    await pass()
    world.now += MINUTE
    await find([1], { ongoing: false })
    await pass()
    expect(sent.map(({ accepted }) => accepted)).toEqual([undefined, { kind: 'opened', at: START, identity: 'alert 1' }])
  })

  it('is in time when the store fails for one message: the others are sent, and the pass fails', async () => {
    const { notifier, sent } = fromAnswer()
    const other = fromAnswer()
    const { find, pass, store } = openWorld({ a: notifier, b: other.notifier }, { concurrency: 1 })
    const { delivered } = store
    let faults = 1
    store.delivered = async (...all) => {
      if (faults-- > 0) throw new Error('disk is full')
      return delivered(...all)
    }
    await find([1, 2, 3])
    await expect(pass()).rejects.toThrow('disk is full')
    expect([sent.length, other.sent.length]).toEqual([3, 3])
    expect((await store.channels()).map(({ pending }) => pending)).toEqual([1, 0])
  })

  it('is heard with the error and its reason', async () => {
    const { notifier } = fromAnswer(({ anomaly }) => {
      if (anomaly.labels.series === '1') throw refused()
      if (anomaly.labels.series === '2') throw new TypeError('a bug')
    })
    const { find, pass, world } = openWorld({ a: notifier }, { concurrency: 1 })
    await find([1, 2])
    await pass()
    expect(world.attempts).toMatchObject([
      { outcome: 'set aside', reason: '400', error: { message: 'no such label' }, message: { channel: 'a' } },
      { outcome: 'failed', reason: 'other', error: { message: 'a bug' }, message: { channel: 'a' } },
    ])
  })

  it('is the text of what was thrown, also when that is no error', async () => {
    const { notifier } = fromAnswer(() => {
      // oxlint-disable-next-line no-throw-literal
      throw 'just a text'
    })
    const { find, pass, store } = openWorld({ a: notifier })
    await find([1])
    await pass()
    expect((await store.channels())[0]!.lastError).toBe('just a text')
  })
})

describe('the messages of one series', () => {
  it('are on their way one at a time, also those of two anomalies; those of another series go beside them', async () => {
    const gate = Promise.withResolvers<void>()
    const { notifier, sent } = fromAnswer(() => gate.promise)
    const { commit, pass } = openWorld({ a: notifier })
    const first = anomalyOf('1', 5, true)
    await commit([first, { ...first, detector: 'absence' }, anomalyOf('2', 5, true)])
    const passing = pass()
    await expect.poll(() => sent.length).toBe(2)
    expect(sent.map(({ anomaly }) => anomaly.labels.series).sort()).toEqual(['1', '2'])
    gate.resolve()
    expect(await passing).toEqual(did({ delivered: 3 }))
  })
})

describe('a message that fails', () => {
  const waits = async (
    attempts: number,
    options: Partial<OutboxOptions> = {},
    error: () => Error = () => forNow(),
    random = 0.5,
  ) => {
    const { notifier } = fromAnswer(() => {
      throw error()
    })
    const { find, pass, world, store } = openWorld({ a: notifier }, { ...options })
    world.random = random
    const list: number[] = []
    const retry = store.retry
    store.retry = (id, at, again, text) => {
      list.push(again - at)
      return retry(id, at, again, text)
    }
    await find([1])
    for (let i = 0; i < attempts; i++) {
      await pass()
      world.now += list.at(-1) ?? 0
    }
    return list
  }

  it('waits twice as long each time, up to the longest', async () => {
    expect(await waits(6, { firstRetry: 2 * SECOND, longestRetry: 20 * SECOND }, undefined, 1)).toEqual([
      2000, 4000, 8000, 16_000, 20_000, 20_000,
    ])
  })

  it('waits at random between half and all of it', async () => {
    expect(await waits(2, {}, undefined, 0)).toEqual([1000, 2000])
    expect(await waits(2, {}, undefined, 0.5)).toEqual([1500, 3000])
  })

  it('waits as long as the other side asks, within an hour', async () => {
    expect(await waits(1, {}, () => forNow(90 * SECOND), 0)).toEqual([90 * SECOND])
    expect(await waits(1, {}, () => forNow(365 * DAY), 0)).toEqual([HOUR])
  })

  it('is tried again when the fault is no word of the other side', async () => {
    expect(await waits(1, {}, () => new TypeError('a bug'))).toHaveLength(1)
  })

  it.each([
    ['with repetitions', { every: MINUTE, afterEnd: 5 * MINUTE }],
    ['without repetitions', undefined],
  ])('is never given up while its anomaly is open, whatever the answer: a channel %s', async (_, resend) => {
    const answers = ['301', '401', '403', '404', 'timeout', 'unreachable'].map(
      reason => new DeliveryError(`got ${reason}`, { about: 'channel', reason }),
    )
    let fails = true
    const { notifier, sent } = fromAnswer(() => {
      if (fails) throw answers[sent.length % answers.length]!
    }, resend)
    const { find, pass, world, store } = openWorld({ a: notifier })
    await find([1])
    for (let day = 0; day < 30; day++) {
      expect(await pass()).toEqual(did({ retried: 1 }))
      world.now += DAY
    }
    fails = false
    expect(await pass()).toEqual(did({ delivered: 1 }))
    expect(await store.channels()).toMatchObject([{ pending: 0, delivered: 1, abandoned: 0, failingSince: NaN }])
  })

  it('is set aside alone when its content is refused; the others go on and the channel does not fail', async () => {
    const { notifier, sent } = fromAnswer(({ anomaly }) => {
      if (anomaly.labels.series === '1') throw refused()
    })
    const { find, pass, store, world } = openWorld({ a: notifier })
    await find([1, 2])
    expect(await pass()).toEqual(did({ delivered: 1, setAside: 1 }))
    expect(await pass()).toEqual(did({}))
    expect(await store.channels()).toMatchObject([{ setAside: 1, delivered: 1, pending: 0, abandoned: 0, failingSince: NaN }])
    expect(world.attempts.map(({ outcome }) => outcome).sort()).toEqual(['accepted', 'set aside'])
    const about = sent.find(({ anomaly }) => anomaly.labels.series === '1')!.anomaly.id
    expect(await store.notifications([about])).toMatchObject([{ state: 'set aside', error: 'no such label' }])
  })

  it('that was set aside is tried again when its anomaly changes, and when it is repeated', async () => {
    for (const resend of [undefined, { every: MINUTE, afterEnd: 5 * MINUTE }]) {
      const { notifier, sent } = fromAnswer(({ anomaly }) => {
        if (anomaly.score === 5) throw refused()
      }, resend)
      const { find, pass, world } = openWorld({ a: notifier })
      await find([1])
      await pass()
      world.now += MINUTE
      expect(await pass()).toEqual(did(resend ? { setAside: 1 } : {}))
      await find([1], { score: 7 })
      expect(await pass()).toEqual(did({ delivered: 1 }))
      expect(sent.at(-1)).toMatchObject({ kind: 'opened', isSetAside: true, anomaly: { score: 7 } })
    }
  })

  it('that was set aside gives way to the end of its anomaly', async () => {
    const { notifier, sent } = fromAnswer(({ kind }) => {
      if (kind === 'opened') throw refused()
    })
    const { find, pass, store } = openWorld({ a: notifier })
    await find([1])
    await pass()
    await find([1], { ongoing: false })
    expect(await pass()).toEqual(did({ delivered: 1 }))
    expect(sent.map(message => message.kind)).toEqual(['opened', 'resolved'])
    expect(await store.channels()).toMatchObject([{ setAside: 0, abandoned: 0, delivered: 1, pending: 0 }])
  })

  it('is given up a week after the end of its anomaly, the beginning and the end', async () => {
    const { notifier } = fromAnswer(() => {
      throw forNow()
    })
    const { find, pass, world, store } = openWorld({ a: notifier })
    await find([1])
    world.now += 30 * DAY
    await pass()
    await find([1], { ongoing: false })
    world.now += 7 * DAY - 1
    expect(await pass()).toEqual(did({ retried: 1 }))
    world.now += DAY
    expect(await pass()).toEqual(did({ abandoned: 1 }))
    expect((await store.channels())[0]!.lastError).toBe('given up 1w after the end: busy')
    expect(await pass()).toEqual(did({ abandoned: 1 }))
    expect(await store.channels()).toMatchObject([{ pending: 0, abandoned: 2, delivered: 0 }])
  })

  it('is abandoned when only the beginning was accepted, and when only an earlier end was', async () => {
    let fails = false
    const { notifier } = fromAnswer(() => {
      if (fails) throw forNow()
    })
    for (const ends of [1, 2]) {
      fails = false
      const { find, pass, world, store } = openWorld({ a: notifier })
      await find([1])
      await pass()
      if (ends === 2) {
        await find([1], { ongoing: false })
        await pass()
      }
      fails = true
      world.now += MINUTE
      if (ends === 2) await find([1], { score: 6 })
      await find([1], { ongoing: false })
      world.now += 7 * DAY
      for (let i = 0; i < ends; i++) expect(await pass()).toEqual(did({ abandoned: 1 }))
      expect(await store.channels()).toMatchObject([{ pending: 0, abandoned: ends, delivered: ends }])
      expect(world.attempts.filter(({ outcome }) => outcome === 'abandoned')).toMatchObject(
        Array(ends).fill({ reason: '503', error: { message: 'busy' } }),
      )
    }
  })

  it('is abandoned also when the beginning was accepted after the end was written', async () => {
    const { notifier } = fromAnswer(({ kind }) => {
      if (kind === 'resolved') throw forNow()
    })
    const { find, pass, world } = openWorld({ a: notifier })
    await find([1])
    await find([1], { ongoing: false })
    world.now += MINUTE
    expect(await pass()).toEqual(did({ delivered: 1 }))
    world.now += 7 * DAY
    expect(await pass()).toEqual(did({ abandoned: 1 }))
  })

  it('about an end is brought late to those who heard the beginning', async () => {
    let fails = false
    const { notifier, sent } = fromAnswer(() => {
      if (fails) throw forNow()
    })
    const { find, pass, world } = openWorld({ a: notifier })
    await find([1])
    await pass()
    fails = true
    await find([1], { ongoing: false })
    for (let day = 0; day < 6; day++) {
      expect(await pass()).toEqual(did({ retried: 1 }))
      world.now += DAY
    }
    fails = false
    expect(await pass()).toEqual(did({ delivered: 1 }))
    expect(sent.at(-1)!.kind).toBe('resolved')
  })

  it('waits while its flow is held, first messages and repetitions, and the others do not', async () => {
    const { notifier, sent } = fromAnswer(undefined, { every: MINUTE, afterEnd: 5 * MINUTE })
    const { find, pass, world } = openWorld({ a: notifier })
    await find([1])
    world.held = ['dns']
    expect(await pass()).toEqual(did({}))
    world.held = ['other']
    expect(await pass()).toEqual(did({ delivered: 1 }))
    world.now += MINUTE
    world.held = ['dns']
    expect(await pass()).toEqual(did({}))
    expect(sent).toHaveLength(1)
  })
})

describe('a channel that fails', () => {
  it('is asked for few messages while it fails, and for all of them once it works', async () => {
    let fails = true
    const { notifier, sent } = fromAnswer(() => {
      if (fails) throw forNow()
    })
    const { find, pass, world, store } = openWorld({ a: notifier }, { concurrency: 2 })
    await find(Array.from({ length: 50 }, (_, i) => i))
    for (let i = 0; i < 20; i++, world.now += SECOND) await pass()
    expect(sent.length).toBeLessThanOrEqual(40)
    expect(await store.channels()).toMatchObject([{ pending: 50, failingSince: START, lastError: 'busy' }])
    fails = false
    sent.length = 0
    for (let i = 0; i < 3; i++) await pass()
    expect(new Set(sent.map(({ key }) => key)).size).toBe(50)
    expect(await store.channels()).toMatchObject([{ pending: 0, delivered: 50, failingSince: NaN, lastError: undefined }])
  })

  it('is asked for one message at a time by the loop', async () => {
    let now = 0
    let most = 0
    const { notifier, sent } = fromAnswer(async () => {
      now++
      // The first pass does not know yet that the channel fails.
      if (sent.length > 4) most = Math.max(most, now)
      await new Promise(setImmediate)
      now--
      throw forNow()
    })
    const { find, parts } = openWorld({ a: notifier }, { poll: 1, firstRetry: 0 })
    await find([1, 2, 3, 4, 5, 6, 7, 8])
    const stop = new AbortController()
    const running = fromOutbox(parts).run(stop.signal)
    await expect.poll(() => sent.length).toBeGreaterThan(15)
    expect(most).toBe(1)
    stop.abort()
    await running
  })

  it('has its repetitions tried again at once when it works after a while, not after their waits', async () => {
    let fails = false
    const { notifier, sent } = fromAnswer(
      () => {
        if (fails) throw forNow(HOUR)
      },
      { every: 5 * MINUTE, afterEnd: 5 * MINUTE },
    )
    const { find, pass, world } = openWorld({ a: notifier })
    await find([1, 2])
    await pass()
    fails = true
    world.now += 5 * MINUTE
    await pass()
    await pass()
    fails = false
    await find([1, 2, 3])
    world.now += MINUTE
    sent.length = 0
    await pass()
    await pass()
    expect(sent.map(({ anomaly }) => anomaly.labels.series).sort()).toEqual(['1', '2', '3'])
  })
})

describe('a side that forgets', () => {
  const resend = { every: MINUTE, afterEnd: 5 * MINUTE }

  it('is told again every minute, with the latest numbers', async () => {
    const { notifier, sent } = fromAnswer(undefined, resend)
    const { find, pass, world } = openWorld({ a: notifier })
    await find([1])
    await pass()
    await find([1], { score: 7 })
    await pass()
    world.now += MINUTE - 1
    await pass()
    expect(sent).toHaveLength(1)
    world.now += 1
    await pass()
    world.now += MINUTE
    await pass()
    expect(sent.map(({ kind, anomaly }) => [kind, anomaly.score])).toEqual([
      ['opened', 5],
      ['opened', 7],
      ['opened', 7],
    ])
    expect(new Set(sent.map(message => message.key)).size).toBe(1)
  })

  it.each(['resolved', 'withdrawn'] as const)('is told for five minutes that it is %s, and then no more', async kind => {
    const { notifier, sent } = fromAnswer(undefined, resend)
    const { find, pass, world } = openWorld({ a: notifier })
    await find([1])
    await pass()
    if (kind === 'resolved') await find([1], { ongoing: false })
    else await find([])
    for (let i = 0; i < 20; i++) {
      await pass()
      world.now += MINUTE
    }
    expect(sent.map(message => message.kind)).toEqual(['opened', ...Array(6).fill(kind)])
  })

  it('is asked again soon when a repetition fails, not after minutes', async () => {
    let busy = false
    const { notifier, sent } = fromAnswer(() => {
      if (busy) throw forNow()
    }, resend)
    const { find, pass, world } = openWorld({ a: notifier })
    await find([1])
    await pass()
    busy = true
    for (let i = 0; i < 60; i++) {
      world.now += MINUTE
      await pass()
    }
    busy = false
    world.now += MINUTE
    expect(await pass()).toMatchObject({ delivered: 1 })
    expect(sent).toHaveLength(62)
  })

  it('is never waited for longer than between two repetitions, even when it asks for it', async () => {
    const { notifier } = fromAnswer(() => {
      throw forNow(HOUR)
    }, resend)
    const { find, pass, world, store } = openWorld({ a: notifier })
    const waits: number[] = []
    const { retry } = store
    store.retry = (id, at, again, text) => {
      waits.push(again - at)
      return retry(id, at, again, text)
    }
    await find([1])
    for (let i = 0; i < 10; i++, world.now += MINUTE) await pass()
    expect(waits).toEqual(Array(10).fill(MINUTE))
  })

  it('hears only the newest of what waits, so that nothing fires that is over and nothing ends that is open', async () => {
    let fails = true
    const { notifier, sent } = fromAnswer(() => {
      if (fails) throw forNow()
    }, resend)
    const { find, pass, world, store } = openWorld({ a: notifier })
    await find([1])
    await pass()
    fails = false
    world.now += MINUTE
    await find([1], { ongoing: false })
    await find([1])
    await find([2])
    sent.length = 0
    let skipped = 0
    for (let i = 0; i < 4; i++) skipped += (await pass()).skipped
    expect(sent.map(({ kind, anomaly }) => `${anomaly.labels.series} ${kind}`).sort()).toEqual(['1 withdrawn', '2 opened'])
    expect(skipped).toBe(3)
    expect(await store.channels()).toMatchObject([{ pending: 0, abandoned: 0 }])
  })

  it('is told of an end until it accepts, and a repetition of the end that fails for a week is dropped silently', async () => {
    let fails = false
    const { notifier } = fromAnswer(() => {
      if (fails) throw forNow()
    }, resend)
    const { find, pass, world, store } = openWorld({ a: notifier })
    await find([1])
    await pass()
    await find([1], { ongoing: false })
    await pass()
    fails = true
    world.now += MINUTE
    expect(await pass()).toEqual(did({ retried: 1 }))
    world.now += 7 * DAY
    expect(await pass()).toEqual(did({ skipped: 1 }))
    expect(await store.channels()).toMatchObject([{ pending: 0, abandoned: 0, delivered: 2 }])
  })
})

it('loses nothing, doubles nothing and keeps the order whatever fails', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.subarray([1, 2, 3]), fc.boolean()), { minLength: 1, maxLength: 12 }),
      fc.array(fc.boolean(), { maxLength: 40 }),
      async (runs, faults) => {
        const accepted: Message[] = []
        const { notifier } = fromAnswer(message => {
          if (faults.shift()) throw forNow()
          accepted.push(message)
        })
        const { find, pass, world, store } = openWorld({ a: notifier })
        const quiet = openWorld({ a: fromAnswer().notifier })
        const wanted: string[] = []
        for (const [series, ongoing] of runs) {
          world.now = quiet.world.now += MINUTE
          await find(series, { ongoing })
          await quiet.find(series, { ongoing })
          await pass()
          for (let more = true; more; more = (await quiet.pass()).delivered > 0)
            for (const { key } of await quiet.store.outbox('a', world.now)) wanted.push(key)
        }
        while ((await store.channels())[0]?.pending) {
          world.now += HOUR
          await pass()
        }
        expect(accepted.map(message => message.key).sort()).toEqual(wanted.sort())
        for (const { anomaly } of accepted) {
          const versions = accepted.filter(other => other.anomaly.id === anomaly.id).map(other => other.anomaly.version)
          expect(versions).toEqual(versions.toSorted((a, b) => a - b))
        }
      },
    ),
    { numRuns: 100 },
  )
})

it('does not wait for times from before the clock was set back, whether it runs then or not', async () => {
  const { notifier, sent } = fromAnswer(
    () => {
      if (sent.length === 1) throw forNow(HOUR)
    },
    { every: MINUTE, afterEnd: HOUR },
  )
  const { find, parts, world, store } = openWorld({ a: notifier }, { poll: 1 })
  await find([1])
  const stop = new AbortController()
  const running = fromOutbox(parts).run(stop.signal)
  await expect.poll(() => world.attempts.length).toBe(1)
  world.now -= DAY
  await expect.poll(() => sent.length).toBe(2)
  await expect.poll(async () => (await store.channels())[0].delivered).toBe(1)
  stop.abort()
  await running

  world.now -= DAY
  const again = new AbortController()
  const anew = fromOutbox(parts).run(again.signal)
  // What was to be repeated in two days is due after the longest wait.
  world.now += 5 * MINUTE
  await expect.poll(() => sent.length).toBe(3)
  again.abort()
  await anew
})

it('brings every change to a real webhook that refuses half of the time', async () => {
  const receiver = await openReceiver({
    secret: 's',
    answer: (_request, index) => (index % 2 === 0 ? (index % 4 === 0 ? 503 : 'cut') : 200),
  })
  const needs = { fetch, now: () => START, log: () => {}, externalUrl: '' }
  const notifier = webhook.create(webhook.config.parse({ url: receiver.url, secret: 's' }), needs)
  const { find, pass, world, store } = openWorld({ a: notifier })
  await find([1, 2, 3, 4, 5])
  await find([1, 2, 3, 4, 5], { ongoing: false })
  while ((await store.channels())[0]?.pending) {
    await pass()
    world.now += MINUTE
  }
  expect([...receiver.counts().values()]).toEqual(Array(10).fill(1))
  expect(receiver.receipts.every(receipt => receipt.signed)).toBe(true)
  await receiver.close()
})
