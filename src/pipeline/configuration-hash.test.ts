import { expect, it } from 'vitest'
import { fakeFlow } from '../testing/fake-server-parts.ts'
import { toyDetectors } from '../testing/toy-learner.ts'
import type { FlowConfig } from './configuration.ts'
import { configurationHash } from './configuration-hash.ts'

const flow = fakeFlow('latency', 'up')
const hash = (part: object = {}, more: Partial<FlowConfig> = {}) =>
  configurationHash({ ...flow, ...more }, { type: 'toy-learner', name: 'toy', ...part }, toyDetectors)

it('is sixteen digits, the same for what means the same', () => {
  expect(hash()).toMatch(/^[0-9a-f]{16}$/)
  const same = [
    hash({ warmUp: 20 }),
    hash({ name: 'other', rule: { type: 'threshold', limit: 3 } }),
    hash({}, { name: 'renamed', every: 1, owner: 'me', notify: [], transform: [] }),
  ]
  for (const other of same) expect(other).toBe(hash())
  expect(hash({ refit: 9, warmUp: 9 })).toBe(hash({ warmUp: 9, refit: 9 }))
  const transformed = (...parts: object[]) => hash({}, { transform: parts as FlowConfig['transform'] & {} })
  const inOrder = transformed({ type: 'fill', gaps: 'hold', limit: '5m' })
  expect(transformed({ type: 'fill', limit: '5m', gaps: 'hold' })).toBe(inOrder)
  expect(transformed({ limit: '5m', gaps: 'hold', type: 'fill' })).toBe(inOrder)
  expect(transformed({ limit: '6m', gaps: 'hold', type: 'fill' })).not.toBe(inOrder)
  expect(transformed({ type: 'a', of: null })).not.toBe(transformed({ type: 'a', of: {} }))
  expect(transformed({ type: 'a' }, { type: 'b' })).not.toBe(transformed({ type: 'b' }, { type: 'a' }))
})

it('moves with whatever moves the rows or what is learned of them', () => {
  const others = [
    hash({ warmUp: 21 }),
    hash({}, { transform: [{ type: 'log' }] }),
    hash({}, { query: { ...flow.query, expr: 'up == 1' } }),
    hash({}, { query: { ...flow.query, step: 1000 } }),
  ]
  expect(new Set([hash(), ...others]).size).toBe(5)
})
