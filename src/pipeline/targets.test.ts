import { describe, expect, it } from 'vitest'
import { namesTarget, openTargets } from './targets.ts'

const target = (labels: Record<string, string>, up = true) => ({ labels: { __name__: 'up', ...labels }, up })
const targets = [
  target({ job: 'web', instance: 'a' }),
  target({ job: 'web', instance: 'b' }, false),
  target({ job: 'db', instance: 'a' }, false),
]
const live = [{ job: 'web', instance: 'a', code: '200' }]

describe('the target of a series', () => {
  const state = openTargets(targets, live)
  it.each([
    ['up', { job: 'web', instance: 'a' }],
    ['down', { job: 'web', instance: 'b', code: '500' }],
    ['undiscovered', { job: 'web', instance: 'c' }],
    ['unknown', { job: 'web' }],
    // Without its job it may be either of two.
    ['up', { instance: 'a' }],
  ] as const)('is %s', (expected, labels) => expect(state(labels)).toBe(expected))

  it('is unknown where the source knows none of the targets of series that have data', () => {
    expect(openTargets(targets, [{ job: 'other', instance: 'x' }])({ job: 'other', instance: 'y' })).toBe('unknown')
    expect(openTargets(targets, [])({ job: 'web', instance: 'c' })).toBe('unknown')
    expect(openTargets([], live)({ job: 'web', instance: 'c' })).toBe('unknown')
  })

  it('is found by the pod where the series has no instance', () => {
    const pods = openTargets([target({ job: 'web', instance: '10.0.0.1:80', pod: 'web-1' })], [{ pod: 'web-1' }])
    expect(pods({ pod: 'web-1' })).toBe('up')
    expect(pods({ pod: 'web-2' })).toBe('undiscovered')
  })

  it.each(['pod', 'job', 'namespace', 'cluster'])('is another one when the %s is another, and may be this one without', name => {
    const known = target({ job: 'web', instance: 'a', [name]: 'one' })
    const inAll = openTargets([known, target({ job: 'live', instance: 'b' })], [{ job: 'live', instance: 'b' }])
    expect([{ [name]: 'one' }, { [name]: 'two' }, {}].map(labels => inAll({ instance: 'a', ...labels }))).toEqual([
      'up',
      'undiscovered',
      'up',
    ])
  })

  it('may be one that does not say what the series says of it', () => {
    expect(state({ job: 'web', instance: 'a', namespace: 'shop', cluster: 'one' })).toBe('up')
  })

  it('is named by instance or pod', () => {
    expect([{ instance: 'a' }, { pod: 'a' }, { job: 'a' }, {}].map(namesTarget)).toEqual([true, true, false, false])
  })
})
