import { describe, it } from 'vitest'
import { ruleLaws } from '../testing/rule-laws.ts'
import { rules } from './index.ts'

for (const member of Object.values(rules))
  for (const example of member.examples)
    describe(`${member.type} ${JSON.stringify(example)}`, () => {
      for (const law of ruleLaws) it(law.name, () => law.check(member.create(member.config.parse(example))))
    })
