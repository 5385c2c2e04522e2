import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import { create } from '../pipeline/configuration.ts'
import { sourceLaws } from '../testing/source-laws.ts'
import { sources } from './index.ts'
import { fromFrames, memory } from './memory.ts'

const T0 = Date.UTC(2026, 8, 1)
const signal = new AbortController().signal

describe('memory', () => {
  const [example] = memory.examples
  const subject = {
    make: () => create(sources, { type: 'memory', ...example }, undefined as never),
    makeBroken: () => {
      const source = fromFrames([])
      return {
        ...source,
        read: (query: Parameters<typeof source.read>[0]) => source.read({ ...query, expr: '(no selector)' }, signal),
      }
    },
    expr: 'requests',
    range: { start: T0, end: T0 + 7 * 60_000 },
    step: 60_000,
    valueAt: (_: unknown, time: number) => example.series[0].values[(time - T0) / 60_000] ?? NaN,
    series: ['requests'],
  }
  for (const law of sourceLaws) it(law.name, () => law.check(subject))

  it('selects by name, by selector and by star, and shows what arrives', async () => {
    const frames = [
      fromValues([T0, T0 + 1000], [1, 2], { __name__: 'up', job: 'a' }),
      fromValues([T0, T0 + 1000], [3, 4], { __name__: 'up', job: 'b' }),
    ]
    const source = fromFrames(() => frames)
    const count = async (expr: string) =>
      (await source.read({ expr, range: { start: T0, end: T0 + 2000 }, step: 1000 }, signal)).frames.length
    expect(await count('up')).toBe(2)
    expect(await count('up{job="b"}')).toBe(1)
    expect(await count('up{job="c"}')).toBe(0)
    frames.push(fromValues([T0], [5], { __name__: 'down' }))
    expect(await count('*')).toBe(3)
    await expect(count('rate(up[5m])')).rejects.toThrow('expr must be one of up, down')
    frames.push(fromValues([T0], [5], { __name__: 'down' }))
    await expect(count('*')).rejects.toThrow('got down twice')
  })
})
