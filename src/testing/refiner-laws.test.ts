import { describe, expect, it } from 'vitest'
import type { Anomaly } from '../anomaly.ts'
import { refiners } from '../refiners/index.ts'
import type { Refiner } from '../refiners/refiner.ts'
import { refinerLaws } from './refiner-laws.ts'

for (const member of Object.values(refiners))
  for (const example of member.examples)
    describe(`${member.type} ${JSON.stringify(example)}`, () => {
      for (const law of refinerLaws) it(law.name, () => law.check(member.create(member.config.parse(example))))
    })

let calls = 0
const breakers: Record<string, Refiner> = {
  'never drops silently: each stretch is still covered': { refine: anomalies => anomalies.filter((_, i) => i !== 1) },
  'invents nothing: begins and ends where anomalies do, of the same series and detector': {
    refine: anomalies => anomalies.map(a => ({ ...a, start: a.start - 1 })),
  },
  'keeps the order of start': { refine: anomalies => anomalies.toReversed() },
  'does not write into its input': {
    refine(anomalies) {
      for (const anomaly of anomalies as readonly { ignored?: string }[]) anomaly.ignored = 'x'
      return anomalies
    },
  },
  'refines twice as once': { refine: anomalies => anomalies.map(a => ({ ...a, score: a.score * 2 })) },
  'is deterministic and gives plain data': { refine: anomalies => anomalies.map(a => ({ ...a, score: calls++ })) },
  'keeps the reason of what is ignored already': {
    refine: anomalies =>
      anomalies.map((anomaly): Anomaly => {
        const { ignored: _, ...rest } = anomaly
        return rest
      }),
  },
  'does without rows: anomalies of which no scores are left stay': {
    refine: (anomalies, { scores }) => anomalies.filter(a => scores.times.includes(a.peak)),
  },
}

describe('laws of refiners', () => {
  it('hold for one that changes nothing', () => {
    for (const law of refinerLaws) law.check({ refine: anomalies => anomalies })
  })
  for (const law of refinerLaws)
    it(`catch a breach of: ${law.name}`, () => {
      expect(breakers[law.name], 'a lawbreaker').toBeDefined()
      expect(() => law.check(breakers[law.name]!)).toThrow()
    })
})
