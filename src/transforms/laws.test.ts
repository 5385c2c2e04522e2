import { describe, expect, it } from 'vitest'
import { transformLaws } from '../testing/transform-laws.ts'
import { transforms } from './index.ts'
import { chain } from './transform.ts'

/** Laws that a member cannot keep, with the reason; each must really be broken, or the exception is out of date. */
const EXCEPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'fill {"gaps":"alert"}': { 'makes nothing of nothing': 'to make a value of a gap is what it is for' },
}

const make = (type: string, example: object) => transforms[type]!.create(transforms[type]!.config.parse(example))

for (const { type, examples } of Object.values(transforms))
  for (const example of examples) {
    const name = `${type} ${JSON.stringify(example)}`
    describe(name, () => {
      const transform = make(type, example)
      for (const law of transformLaws) {
        const reason = EXCEPTIONS[name]?.[law.name]
        if (reason) it(`is excused: ${law.name}, because ${reason}`, () => expect(() => law.check(transform)).toThrow())
        else it(law.name, () => law.check(transform))
      }
    })
  }

describe('a chain', () => {
  const chains = {
    'fill, resample, log': chain([
      make('fill', { gaps: 'interpolate', limit: '2h' }),
      make('resample', { step: '1h' }),
      make('log', {}),
    ]),
    'deseasonalise, difference': chain([make('deseasonalise', {}), make('difference', {})]),
  }
  for (const [name, transform] of Object.entries(chains))
    describe(name, () => {
      for (const law of transformLaws) it(law.name, () => law.check(transform))
    })
})
