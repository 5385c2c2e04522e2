import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { seriesId } from '../src/anomaly.ts'
import { formatDuration, parseDuration } from '../src/duration.ts'
import { ConfigError } from '../src/errors.ts'
import { Secret } from '../src/secret.ts'

describe('durations', () => {
  it.each([
    ['30s', 30_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['1.5h', 5_400_000],
    ['2w', 1_209_600_000],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms))

  it.each(['', '5', 'm5', '5 m', '-5m', '5x'])('refuse %j', text =>
    expect(() => parseDuration(text)).toThrow('must be a duration'),
  )

  it.each([0, 1, 999, 1000, 61_000, 5_400_000, 86_400_000 * 9])('print %d ms so that it reads back', ms =>
    expect(ms === 0 ? 0 : parseDuration(formatDuration(ms))).toBe(ms),
  )
})

it('a series has one name, whatever the order of its labels', () => {
  expect(seriesId({ b: '2', __name__: 'up', a: 'x"y' })).toBe(String.raw`up{a="x\"y",b="2"}`)
  expect(seriesId({ __name__: 'up' })).toBe('up')
  expect(seriesId({})).toBe('{}')
})

it('a secret shows in no print', () => {
  const secret = new Secret('hunter2')
  for (const print of [String(secret), JSON.stringify({ secret }), inspect({ secret }), `${secret}`])
    expect(print).not.toContain('hunter2')
  expect(secret.reveal()).toBe('hunter2')
})

it('a configuration error prints a line for each fault', () => {
  const error = new ConfigError([
    { file: 'a.yaml', line: 2, column: 3, path: 'flows[0].name', message: 'must be text, got 5' },
    { file: 'a.yaml', line: 0, column: 0, path: '', message: 'must be readable' },
  ])
  expect(error.message).toBe('a.yaml:2:3 flows[0].name: must be text, got 5\na.yaml: must be readable')
})
