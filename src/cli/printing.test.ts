import { describe, expect, it } from 'vitest'
import { InputError } from '../errors.ts'
import { plotSvg } from './plot.ts'
import { sparkline } from './sparkline.ts'
import { printTable } from './table.ts'
import { parseLength, parseMoment, roundStep } from './time-option.ts'

describe('sparkline', () => {
  it('goes from low to high', () => expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█'))
  it('leaves gaps blank and keeps constants low', () => {
    expect(sparkline([5, NaN, 5])).toBe('▁ ▁')
    expect(sparkline([NaN, NaN])).toBe('  ')
    expect(sparkline([])).toBe('')
  })
  it('keeps a spike among many', () => {
    const line = sparkline(
      Array.from({ length: 1000 }, (_, i) => (i === 500 ? 9 : 1)),
      40,
    )
    expect([...line]).toHaveLength(40)
    expect(line.indexOf('█')).toBe(20)
  })
})

it('prints a table with numbers to the right', () => {
  expect(
    printTable(
      ['NAME', 'N', 'WHAT'],
      [
        ['a', '1', 'x'],
        ['bcdef', '10', 'long text'],
      ],
    ),
  ).toBe('NAME    N  WHAT\na       1  x\nbcdef  10  long text\n')
})

describe('times of options', () => {
  const now = Date.UTC(2026, 0, 31, 12)
  it.each([
    ['now', now],
    ['2h', now - 7_200_000],
    ['2026-01-31', Date.UTC(2026, 0, 31)],
    ['2026-01-31T10:00', Date.UTC(2026, 0, 31, 10)],
    ['2026-01-31T10:00:00+01:00', Date.UTC(2026, 0, 31, 9)],
    ['1769853600', 1_769_853_600_000],
    ['1769853600000', 1_769_853_600_000],
  ])('%s', (text, time) => expect(parseMoment('--start', text, now)).toBe(time))
  it.each(['', 'soon', '2026-99-99', '-1h', '12'])('not %j', text =>
    expect(() => parseMoment('--start', text, now)).toThrow(InputError),
  )
  it('are lengths too', () => {
    expect(parseLength('--step', '1h30m')).toBe(5_400_000)
    expect(() => parseLength('--step', '0s')).toThrow(/--step must be a duration/)
    expect(() => parseLength('--step', '5')).toThrow(InputError)
  })
  it('give round steps', () => {
    expect(roundStep(7 * 86_400_000, 4000)).toBe(300_000)
    expect(roundStep(180_000, 4000)).toBe(1000)
    expect(roundStep(180_000, 4000, 15_000)).toBe(15_000)
  })
})

describe('a picture', () => {
  const panel = (values: readonly number[], title = 't') => ({
    title,
    examination: {
      detector: 'd',
      strength: new Float64Array(values.length),
      scores: {
        labels: {},
        times: Float64Array.from(values, (_, i) => i * 60_000),
        columns: {
          score: new Float64Array(values.length),
          value: Float64Array.from(values),
          expected: new Float64Array(values.length).fill(NaN),
          lower: new Float64Array(values.length).fill(NaN),
          upper: new Float64Array(values.length).fill(NaN),
        },
      },
      anomalies: [],
    },
  })
  it.each<[string, readonly number[]]>([
    ['nothing', []],
    ['one value', [3]],
    ['unknown values', [NaN, NaN]],
    ['a constant', [5, 5, 5]],
    ['zeros', [0, 0]],
    ['large numbers', [1e12, -1e12]],
  ])('of %s has numbers only', (_, values) => {
    expect(plotSvg([panel(values)])).not.toMatch(/NaN|Infinity|undefined/)
  })
  it('escapes names', () => expect(plotSvg([panel([1, 2], '<script>&"')])).toContain('&#60;script&#62;&#38;&#34;'))
  it('stays small with many rows', () => {
    expect(plotSvg([panel(Array.from({ length: 100_000 }, (_, i) => Math.sin(i)))]).length).toBeLessThan(60_000)
  })
})
