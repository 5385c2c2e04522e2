import { describe, it } from 'vitest'
import { storeLaws } from '../testing/store-laws.ts'
import { memory } from './memory.ts'

describe('memory', () => {
  for (const law of storeLaws)
    it(law.name, () => law.check({ make: () => memory.create(memory.config.parse({}), { folder: '/', now: () => 0 }) }))
})
