import { describe, expect, it } from 'vitest'
import { DAY, HOUR } from '../../duration.ts'
import { parseOffset, reachOf, stepBack } from './offset.ts'

describe('offsets', () => {
  it.each([
    ['wo1w', 'mean', [['day', 7]]],
    ['do3d', 'mean', [['day', 3]]],
    ['ho24h', 'mean', [['hour', 24]]],
    ['mo2m', 'mean', [['month', 2]]],
    ['yo1y', 'mean', [['month', 12]]],
    [
      'median3w',
      'median',
      [
        ['day', 7],
        ['day', 14],
        ['day', 21],
      ],
    ],
    [
      'min2h',
      'min',
      [
        ['hour', 1],
        ['hour', 2],
      ],
    ],
    ['max1m', 'max', [['month', 1]]],
    ['current', 'mean', [['hour', 0]]],
    ['none', 'mean', []],
  ])('%s', (text, aggregate, lags) => {
    expect(parseOffset(text)).toEqual({ aggregate, lags: lags.map(([unit, count]) => ({ unit, count })) })
  })

  it.each(['', 'w', 'wo1', 'wo1d', 'wo0w', 'median4', 'median0w', 'mean2y', 'mode4w', 'predicted', ' wo1w', 'WO1W'])(
    'refuse %j',
    text => expect(() => parseOffset(text)).toThrow('must be an offset like wo1w'),
  )

  it('reach as far as their longest lag, with an hour for the clock', () => {
    expect(reachOf(parseOffset('median4w'))).toBe(28 * DAY + HOUR)
    expect(reachOf(parseOffset('ho5h'))).toBe(5 * HOUR)
  })

  it.each([
    ['2024-03-15T06:30', 'mo1m', '2024-02-15T06:30'],
    ['2024-03-31T06:30', 'mo1m', '2024-02-29T06:30'],
    ['2024-03-30T06:30', 'mo1m', undefined],
    ['2024-03-29T06:30', 'mo1m', undefined],
    ['2024-02-29T00:00', 'mo1m', '2024-01-31T00:00'],
    ['2024-02-28T00:00', 'mo1m', '2024-01-28T00:00'],
    ['2024-01-10T00:00', 'yo1y', '2023-01-10T00:00'],
    ['2024-01-10T00:00', 'mo3m', '2023-10-10T00:00'],
    ['2024-01-10T03:00', 'wo2w', '2023-12-27T03:00'],
    ['2024-01-10T03:00', 'ho4h', '2024-01-09T23:00'],
  ])('from %s, %s is %s', (from, text, to) => {
    const back = stepBack(Date.parse(`${from}Z`), parseOffset(text).lags[0]!)
    expect(back).toEqual(to === undefined ? NaN : Date.parse(`${to}Z`))
  })
})
