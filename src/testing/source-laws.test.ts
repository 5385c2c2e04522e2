import { describe, expect, it } from 'vitest'
import type { Labels } from '../anomaly.ts'
import { SourceError } from '../errors.ts'
import type { Frame } from '../frame/frame.ts'
import { fromFrames } from '../sources/memory.ts'
import type { SeriesAnswer, Source } from '../sources/source.ts'
import { type SourceSubject, sourceLaws } from './source-laws.ts'

const T0 = Date.UTC(2026, 8, 1)
const values = [3, 1, 4, NaN, NaN, 9, 2, 6]
const world: Frame<'value'>[] = [
  {
    labels: { __name__: 'pi' },
    times: Float64Array.from(values, (_, i) => T0 + i * 60_000),
    columns: { value: Float64Array.from(values) },
  },
]

const lawful: SourceSubject = {
  make: () => fromFrames(world),
  makeBroken: () => ({ ...fromFrames(world), read: async () => Promise.reject(new SourceError('gone', { retryable: true })) }),
  expr: 'pi',
  range: { start: T0 - 10_000, end: T0 + 7 * 60_000 + 5000 },
  step: 60_000,
  valueAt: (_: Labels, time) => values[(time - T0) / 60_000],
  series: ['pi'],
  secrets: ['hunter2'],
}

/** The lawful source with its answers changed. */
function changing(change: (answer: SeriesAnswer, made: { count: number }) => SeriesAnswer): Partial<SourceSubject> {
  return {
    make() {
      const source = fromFrames(world)
      const made = { count: 0 }
      return {
        ...source,
        read: async (query, signal) => {
          made.count++
          return change(await source.read(query, signal), made)
        },
        latest: async (query, signal) => change(await source.latest(query, signal), made),
      }
    },
  }
}

const mapFrames =
  (change: (frame: Frame<'value'>) => Frame<'value'>) =>
  (answer: SeriesAnswer): SeriesAnswer => ({ ...answer, frames: answer.frames.map(change) })
const mapValues = (change: (value: number, i: number) => number) =>
  mapFrames(frame => ({ ...frame, columns: { value: frame.columns.value.map(change) } }))

const kept = new Map<string, SeriesAnswer>()
const breakers: Record<string, Partial<SourceSubject>> = {
  'answers at every multiple of the step in the range and at no other time': changing(
    mapFrames(frame => ({ ...frame, times: frame.times.map(time => time + 1000) })),
  ),
  'gives one column, as long as the times, and marks NaN that was sent': changing(
    mapFrames(frame => ({ ...frame, notANumber: new Uint8Array(frame.times.length).fill(1) })),
  ),
  'gives every series once, and no other': changing(answer => ({ ...answer, frames: [...answer.frames, ...answer.frames] })),
  'gives the values that are there': changing(mapValues(value => value + 1)),
  'gives NaN where there is no sample, not zero and not the one before': changing(mapValues(value => value || 0)),
  'says the same of a time whichever range is asked': changing(mapValues((value, i) => value + i)),
  'gives the same answer twice, in memory of its own': {
    make() {
      const source = fromFrames(world)
      return {
        ...source,
        read: async (query, signal) => {
          const key = JSON.stringify(query.range)
          if (!kept.has(key)) kept.set(key, await source.read(query, signal))
          return kept.get(key)!
        },
      }
    },
  },
  'answers an empty range without rows': changing(
    mapFrames(frame => ({ ...frame, times: Float64Array.of(T0), columns: { value: Float64Array.of(1) } })),
  ),
  'gives all of an answer or a SourceError': { makeBroken: lawful.make },
  'rejects with the reason of the signal, before and during': {
    make() {
      const deaf = new AbortController().signal
      const source = fromFrames(world)
      return { ...source, read: query => source.read(query, deaf) }
    },
  },
  'asks the other side for nothing twice': changing(answer => ({ ...answer, requests: ['curl a', 'curl a'] })),
  'gives the latest value of each series in one row at the time asked': changing(
    mapFrames(frame => ({ ...frame, times: frame.times.map(time => time - 60_000) })),
  ),
  'names its metrics once each, and answers a check': { make: () => ({ ...fromFrames(world), names: async () => ['pi', 'pi'] }) },
  'shows no secret in requests, warnings and errors': changing(answer => ({ ...answer, requests: ['curl -u me:hunter2'] })),
}

describe('the laws of sources', () => {
  for (const law of sourceLaws) {
    it(`are kept by a good source: ${law.name}`, async () => {
      await expect(law.check(lawful)).resolves.toBeUndefined()
    })
    it(`catch the breaker of: ${law.name}`, async () => {
      expect(breakers).toHaveProperty([law.name])
      const breaker: SourceSubject = { ...lawful, ...breakers[law.name] }
      await expect(law.check(breaker)).rejects.toThrow()
    })
  }

  it('catch a source that keeps quiet about requests', async () => {
    let asked = 0
    const source: Source = fromFrames(() => {
      asked++
      return world
    })
    const law = sourceLaws.find(({ name }) => name.startsWith('asks the other side'))!
    await expect(law.check({ ...lawful, make: () => source, countRequests: () => asked })).rejects.toThrow('each request')
  })
})
