import { describe, expect, it } from 'vitest'
import { standard } from '../src/detectors/default.ts'
import type { Figures, Measurements } from './cross-check.ts'
import { choose, listVariants } from './cross-check.ts'
import { tunedDefault } from './tuned-default.ts'

const figures = (all: number, odd = all, even = all): Figures => ({ all, odd, even })

describe('tuned default', () => {
  it.each([1, 5])('says what the default says while nothing is moved, of %i columns', width => {
    const one = standard.create(standard.config.parse({})).open!()
    const other = tunedDefault.create(tunedDefault.config.parse({})).open!()
    const moved = { univariate: { fresh: 1 }, multivariate: { smooth: 3 } }
    const third = tunedDefault.create(tunedDefault.config.parse(moved)).open!()
    let differs = false
    for (let i = 0; i < 900; i++) {
      const row = Array.from(
        { length: width },
        (_, c) => Math.sin(i / 50 + c) + ((i * (7919 + c)) % 101) / 300 + (i === 800 ? 2 : 0),
      )
      expect({ ...other.score(i * 60_000, row) }).toEqual({ ...one.score(i * 60_000, row) })
      differs ||= third.score(i * 60_000, row).alarm! !== one.score(i * 60_000, row).alarm!
      differs ||= third.score(i * 60_000, row).score > one.score(i * 60_000, row).score
      for (const stream of [one, other, third]) stream.learn(i * 60_000, row)
    }
    expect(differs).toBe(true)
  })
})

describe('variants', () => {
  it('move one constant each, by the same factors for the same seed', () => {
    const variants = listVariants()
    expect(variants[0]).toEqual({ name: '', tuning: {}, sets: ['nab', 'asd', 'smd', 'aiops'] })
    expect(variants).toContainEqual({ name: 'univariate.hold × 0.70', tuning: { univariate: { hold: 21 } }, sets: ['nab'] })
    expect(variants).toContainEqual({
      name: 'multivariate.smooth × 1.40',
      tuning: { multivariate: { smooth: 14 } },
      sets: ['smd', 'asd'],
    })
    expect(listVariants(3)).toEqual(listVariants(3))
    expect(listVariants(3)).not.toEqual(listVariants(4))
  })
})

describe('choose', () => {
  const [defaults, a, b, c] = listVariants()
  const univariate = (variant: typeof a) => ({ ...variant!, sets: ['nab', 'aiops'] as const })
  const measured: Measurements = new Map([
    [defaults!, { nab: figures(80), aiops: figures(0.6), smd: figures(0.5), asd: figures(0.7) }],
    [univariate(a), { nab: figures(88), aiops: figures(0.6) }],
    [univariate(b), { nab: figures(40), aiops: figures(0.66) }],
    [
      { ...c!, sets: ['smd', 'asd'] },
      { smd: figures(5), asd: figures(7) },
    ],
  ])

  it('takes the best mean over the other sets, among those that matter', () => {
    expect(choose(measured, 'nab', ({ all }, set) => (set === 'nab' ? NaN : all)).name).toBe(b!.name)
    expect(choose(measured, 'aiops', ({ all }, set) => (set === 'aiops' ? NaN : all)).name).toBe(a!.name)
    expect(choose(measured, 'smd', ({ all }, set) => (set === 'smd' ? NaN : all)).name).toBe(c!.name)
  })

  it('keeps the defaults where nothing is better', () => {
    const worse: Measurements = new Map([...measured].filter(([variant]) => variant === defaults || variant.name === b!.name))
    expect(choose(worse, 'nab', ({ all }, set) => (set === 'nab' ? all : NaN))).toBe(defaults)
  })
})
