import { expect, it } from 'vitest'
import type { Configuration } from '../pipeline/configuration.ts'
import type { Source } from '../sources/source.ts'
import { openSourceChecks } from './source-checks.ts'

/** Sources that answer when nothing is in `broken`, and never when they are in `hanging`; each check takes 10 ms. */
function setUp() {
  let now = 1000
  const stop = new AbortController()
  const broken = new Map<string, string>()
  const hanging = new Set<string>()
  const log: string[] = []
  const source = (name: string) =>
    ({
      async check(signal: AbortSignal) {
        now += 10
        if (hanging.has(name)) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        const reason = broken.get(name)
        if (reason !== undefined) throw new Error(reason)
      },
    }) as Partial<Source> as Source
  const checks = openSourceChecks({
    now: () => now,
    signal: stop.signal,
    problemLog: {
      worked: subject => void log.push(`${subject} worked`),
      failed: (subject, reason) => void log.push(`${subject} failed: ${reason}`),
      keep: () => {},
    },
  })
  const check = (...names: string[]) =>
    checks.check({
      configuration: {
        sources: Object.fromEntries(names.map(name => [name, { type: 'memory', config: {} }])),
      } as unknown as Configuration,
      sources: Object.fromEntries(names.map(name => [name, source(name)])),
    })
  return { ...checks, check, broken, hanging, log, stop, pass: (ms: number) => void (now += ms) }
}

it('says of each source since when it answers, and how long that took', async () => {
  const { check, health, pass, log } = setUp()
  await check('a')
  expect(health()).toEqual([{ name: 'a', type: 'memory', ok: true, checkedAt: 1010, okAt: 1010, upSince: 1010, took: 10 }])
  pass(90)
  await check('a')
  expect(health()).toEqual([{ name: 'a', type: 'memory', ok: true, checkedAt: 1110, okAt: 1110, upSince: 1010, took: 10 }])
  expect(log).toEqual(['source a worked', 'source a worked'])
})

it('says why one does not answer and when it last did, and that it is up again', async () => {
  const { check, health, broken, pass, log } = setUp()
  broken.set('a', 'refused')
  await check('a')
  expect(health()).toEqual([{ name: 'a', type: 'memory', ok: false, error: 'refused', checkedAt: 1010, okAt: NaN, took: 10 }])
  broken.clear()
  await check('a')
  broken.set('a', 'got 503')
  await check('a')
  expect(health()).toEqual([{ name: 'a', type: 'memory', ok: false, error: 'got 503', checkedAt: 1030, okAt: 1020, took: 10 }])
  broken.clear()
  pass(60)
  await check('a')
  expect(health()).toMatchObject([{ ok: true, upSince: 1100 }])
  expect(log).toEqual(['source a failed: refused', 'source a worked', 'source a failed: got 503', 'source a worked'])
})

it('checks each for itself, and forgets those that are not configured any more', async () => {
  const { check, health, broken } = setUp()
  broken.set('a', 'refused')
  await check('a', 'b')
  expect(health().map(({ name, ok }) => [name, ok])).toEqual([
    ['a', false],
    ['b', true],
  ])
  await check('b')
  expect(health().map(({ name }) => name)).toEqual(['b'])
})

it('says nothing of a check that ends because the service stops', async () => {
  const { check, health, broken, log, stop } = setUp()
  await check('a')
  broken.set('a', 'aborted')
  stop.abort()
  await check('a')
  expect(health()).toMatchObject([{ ok: true }])
  expect(log).toEqual(['source a worked'])
})

it('ends a check that gets no answer when the service stops', async () => {
  const { check, health, hanging, log, stop } = setUp()
  hanging.add('a')
  const checked = check('a', 'b')
  stop.abort()
  await checked
  expect(health().map(({ name }) => name)).toEqual(['b'])
  expect(log).toEqual(['source b worked'])
})
