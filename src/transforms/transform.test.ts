import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DAY, HOUR, MINUTE, WEEK } from '../duration.ts'
import { fromValues } from '../frame/frame.ts'
import { median } from '../math/median.ts'
import { transforms } from './index.ts'
import { chain, type Transform, transformFrame } from './transform.ts'

const START = Date.UTC(2026, 0, 5)
const make = (type: string, options: object = {}): Transform => transforms[type]!.create(transforms[type]!.config.parse(options))
const series = (values: ArrayLike<number>, step = MINUTE) =>
  fromValues(
    Array.from(values, (_, i) => START + i * step),
    values,
  )
const run = (transform: Transform, values: ArrayLike<number>, step = MINUTE) =>
  transformFrame(transform.open(), series(values, step))
const valuesOf = (type: string, options: object, values: ArrayLike<number>, step = MINUTE) => [
  ...run(make(type, options), values, step).columns.value,
]
const numbers = fc.array(fc.oneof({ weight: 6, arbitrary: fc.integer({ min: -50, max: 50 }) }, fc.constant(NaN)), {
  maxLength: 60,
})

describe('clip', () => {
  it('moves what is beyond to the bound', () =>
    expect(valuesOf('clip', { lower: 0, upper: 1 }, [-2, 0.5, 7, NaN, Infinity])).toEqual([0, 0.5, 1, NaN, Infinity]))
  it.each([{}, { lower: 2, upper: 2 }, { lower: 3, upper: 1 }])('refuses the bounds %j', bounds =>
    expect(() => make('clip', bounds)).toThrow('must have'),
  )
})

describe('log', () => {
  it('keeps zero, sign and order', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), fc.double({ noNaN: true, min: -1e9, max: 1e9 }), (a, b) => {
        const [x, y, zero, mirrored] = valuesOf('log', { unit: 3 }, [a, b, 0, -a])
        expect(zero).toBe(0)
        expect(mirrored).toBeCloseTo(-x, 12)
        if (a < b) expect(x).toBeLessThanOrEqual(y)
      }),
    )
    expect(valuesOf('log', {}, [Math.E - 1])[0]).toBeCloseTo(1, 12)
  })
})

describe('logit', () => {
  it('is the log-odds, the margin at the ends, unknown outside', () => {
    const [half, most, none, all, below, above] = valuesOf('logit', { whole: 100, margin: 0.01 }, [50, 90, 0, 100, -1, 101])
    expect([half, most]).toEqual([0, expect.closeTo(Math.log(9), 12)])
    expect(none).toBeCloseTo(Math.log(1 / 99), 12)
    expect(all).toBeCloseTo(-none, 12)
    expect([below, above]).toEqual([NaN, NaN])
  })
})

describe('difference', () => {
  it('is what its definition says, at every lag', () => {
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 70 }), (values, lag) => {
        const wanted = values.map((value, i) => value - (values[i - lag] ?? NaN))
        expect(valuesOf('difference', { lag: `${lag}m` }, values)).toEqual(wanted)
        if (lag === 1) expect(valuesOf('difference', {}, values)).toEqual(wanted)
      }),
    )
  })
  it('is unknown when there is no row at exactly that time', () => {
    const frame = fromValues([0, 60_000, 130_000, 190_000], [1, 2, 4, 8])
    expect([...transformFrame(make('difference', { lag: '1m' }).open(), frame).columns.value]).toEqual([NaN, 1, NaN, 4])
  })
  it('takes away a season of its lag', () => {
    const day = Array.from({ length: 100 }, (_, i) => 3 * Math.sin((2 * Math.PI * i) / 24) + 0.5 * i)
    for (const value of valuesOf('difference', { lag: '1d' }, day, HOUR).slice(24)) expect(value).toBeCloseTo(12, 9)
  })
})

describe('rate', () => {
  // Prometheus 2.42 (promtool test rules) says this of a window of 4m59s999ms, which it takes as closed on both sides.
  const counter = [10, 20, 30, 45, 45, 60, 5, 15, NaN, NaN, 40, 50, NaN, 52, 0, 0, 3, 9, 27, NaN, NaN, NaN, NaN, NaN, NaN, 81, 90]
  const said: Record<number, number> = {
    4: 1.4583333333333334e-1,
    5: 1.6666666666666666e-1,
    6: 1.4583333333333334e-1,
    7: 1.25e-1,
    9: 8.749987499958332e-2,
    10: 1.3333377777925925e-1,
    14: 5e-2,
    15: 8.333333333333333e-3,
    17: 3.75e-2,
    18: 9.0000300001e-2,
    19: 1.2000040000133333e-1,
    20: 1.1000036666788889e-1,
    22: NaN,
    26: 4.50001500005e-2,
  }
  it('is what Prometheus says', () => {
    const mine = valuesOf('rate', { window: '299999ms' }, counter)
    for (const [row, value] of Object.entries(said))
      if (Number.isNaN(value)) expect(mine[Number(row)]).toBeNaN()
      else expect(mine[Number(row)], `row ${row}`).toBeCloseTo(value, 12)
  })
  it('is never negative, and the pace of a steady counter that begins again', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 2, maxLength: 40 }), values => {
        for (const value of valuesOf('rate', { window: '10m' }, values)) expect(value < 0).toBe(false)
      }),
    )
    const steady = Array.from({ length: 60 }, (_, i) => ((i * 120) % 3600) + 120)
    for (const value of valuesOf('rate', { window: '10m' }, steady).slice(10)) expect(value).toBeCloseTo(2, 9)
  })
})

describe('fill', () => {
  const holes = [1, NaN, NaN, 4, NaN, NaN, NaN, NaN, 9, NaN]
  it('ignores, holds up to the limit, alerts', () => {
    expect(valuesOf('fill', { gaps: 'ignore' }, holes)).toEqual(holes)
    expect(valuesOf('fill', { limit: '3m' }, holes)).toEqual([1, 1, 1, 4, 4, 4, 4, NaN, 9, 9])
    expect(valuesOf('fill', { gaps: 'alert', value: -1 }, holes)).toEqual([1, -1, -1, 4, -1, -1, -1, -1, 9, -1])
    expect(valuesOf('fill', {}, [NaN, 2])).toEqual([NaN, 2])
  })
  it('draws a line over gaps that are short enough, whose rows wait for it', () => {
    const { times, columns } = run(make('fill', { gaps: 'interpolate', limit: '3m' }), holes)
    expect([...columns.value]).toEqual([1, 2, 3, 4, NaN, NaN, NaN, NaN, 9])
    expect(times).toHaveLength(9)
    const stream = make('fill', { gaps: 'interpolate', limit: '3m' }).open()
    const given = holes.map((value, i) => {
      const out: number[] = []
      stream.apply(START + i * MINUTE, [value], time => out.push((time - START) / MINUTE))
      return out
    })
    expect(given).toEqual([[0], [], [], [1, 2, 3], [], [], [4, 5, 6], [7], [8], []])
  })
  it('draws what a straight line between known neighbours says', () => {
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 6 }), (values, limit) => {
        const { times, columns } = run(make('fill', { gaps: 'interpolate', limit: `${limit}m` }), values)
        times.forEach((time, k) => {
          const i = (time - START) / MINUTE
          const from = values.findLastIndex((value, at) => at <= i && !Number.isNaN(value))
          const to = values.findIndex((value, at) => at >= i && !Number.isNaN(value))
          const wanted =
            from < 0 || to < 0 || to - from > limit
              ? values[i]
              : from === to
                ? values[i]
                : values[from] + ((values[to] - values[from]) * (i - from)) / (to - from)
          if (Number.isNaN(wanted)) expect(columns.value[k]).toBeNaN()
          else expect(columns.value[k]).toBeCloseTo(wanted, 9)
        })
      }),
    )
  })
})

describe('resample', () => {
  const twin: Record<string, (values: number[]) => number> = {
    mean: values => values.reduce((a, b) => a + b) / values.length,
    sum: values => values.reduce((a, b) => a + b),
    least: values => Math.min(...values),
    most: values => Math.max(...values),
    median,
    last: values => values.at(-1)!,
  }
  it.each(Object.keys(twin))('gives the %s of the known rows up to each multiple', aggregate => {
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 9 }), (values, step) => {
        const { times, columns } = run(make('resample', { step: `${step}m`, aggregate }), values)
        times.forEach((time, k) => {
          expect(time % (step * MINUTE)).toBe(0)
          const rows = values.filter((value, i) => {
            const at = START + i * MINUTE
            return !Number.isNaN(value) && at > time - step * MINUTE && at <= time
          })
          if (rows.length === 0) expect(columns.value[k]).toBeNaN()
          else expect(columns.value[k]).toBeCloseTo(twin[aggregate]!(rows), 9)
        })
      }),
    )
  })
  it('makes no rows where none went in', () => {
    const frame = fromValues([0, 60_000, 600_000], [1, 2, 3])
    expect([...transformFrame(make('resample', { step: '2m' }).open(), frame).times]).toEqual([0, 120_000, 600_000])
  })
})

describe('smooth', () => {
  it('by median is the median of its window', () => {
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 9 }), (values, width) => {
        const wanted = values.map((value, i) =>
          Number.isNaN(value) ? NaN : median(values.slice(Math.max(0, i - width + 1), i + 1)),
        )
        expect(valuesOf('smooth', { window: `${width}m` }, values)).toEqual(wanted)
      }),
    )
    expect(valuesOf('smooth', { window: '5m' }, [5, 5, 5, 900, 5, 5])).toEqual([5, 5, 5, 5, 5, 5])
  })
  it('by mean weighs a row half after the window', () => {
    const values = [3, 9, -4, 6]
    const weights = (i: number) => values.slice(0, i + 1).map((_, k) => 2 ** -((i - k) / 2))
    values.forEach((_, i) => {
      const w = weights(i)
      const wanted = w.reduce((sum, weight, k) => sum + weight * values[k], 0) / w.reduce((a, b) => a + b)
      expect(valuesOf('smooth', { by: 'mean', window: '2m' }, values)[i]).toBeCloseTo(wanted, 12)
    })
  })
  it('by triple exponential follows a trend and a day with half the noise', () => {
    const clean = Array.from({ length: 24 * 21 }, (_, i) => 50 + 0.05 * i + 10 * Math.sin((2 * Math.PI * i) / 24))
    const noisy = clean.map((value, i) => value + 3 * Math.sin(i * i * 1.7))
    const error = (values: number[]) => median(values.map((value, i) => Math.abs(value - clean[i])).slice(-24 * 7))
    expect(error(valuesOf('smooth', { by: 'triple' }, noisy, HOUR))).toBeLessThan(0.65 * error(noisy))
  })
  it('refuses a window of nothing', () => expect(() => make('smooth', { window: '0s' })).toThrow('must have a window'))
})

describe('deseasonalise', () => {
  const noise = (i: number) => Math.sin(i * i * 1.7)
  const day = (i: number) => 100 + 30 * Math.sin((2 * Math.PI * i) / 288) + noise(i)
  const spread = (values: readonly number[]) => Math.max(...values) - Math.min(...values)
  it('leaves level and noise of a day, once it was seen', () => {
    const values = Array.from({ length: 288 * 6 }, (_, i) => day(i))
    const made = valuesOf('deseasonalise', {}, values, 5 * MINUTE)
    expect(made.slice(0, 200).every(Number.isNaN)).toBe(true)
    expect(spread(made.slice(-288))).toBeLessThan(6)
    expect(median(made.slice(-288))).toBeCloseTo(100, -1)
  })
  it('leaves a spike and a shift of level', () => {
    const values = Array.from({ length: 288 * 8 }, (_, i) => day(i) + (i === 2000 ? 80 : 0) + (i > 2100 ? 40 : 0))
    const made = valuesOf('deseasonalise', {}, values, 5 * MINUTE)
    expect(made[2000] - made[1999]).toBeGreaterThan(70)
    expect(median(made.slice(2110, 2150)) - median(made.slice(2050, 2090))).toBeGreaterThan(33)
  })
  it('follows the clock of its zone', () => {
    // 09:00 in Berlin is busy; summer begins on 2026-03-29.
    const values = Array.from({ length: 24 * 98 }, (_, i) => {
      const time = START + i * HOUR
      const local = new Date(time + (time >= Date.UTC(2026, 2, 29, 1) ? 2 : 1) * HOUR)
      return local.getUTCHours() === 9 ? 100 : 10
    })
    const made = (timezone: string) => valuesOf('deseasonalise', { timezone, slots: 24 }, values, HOUR).slice(24 * 83, 24 * 85)
    expect(spread(made('Europe/Berlin'))).toBeLessThan(1)
    expect(spread(made('UTC'))).toBeGreaterThan(50)
    expect(() => make('deseasonalise', { timezone: 'Mars/Base' })).toThrow('must be a time zone')
  })
  it('follows a flat line that moves', () => {
    const values = Array.from({ length: 288 * 6 }, (_, i) => (i < 288 * 3 ? 5 : 500))
    const made = valuesOf('deseasonalise', {}, values, 5 * MINUTE)
    expect(spread(made.slice(-100))).toBeLessThan(50)
    expect(made[288 * 3]).toBe(500)
  })
  it('begins its weeks on Monday', () => {
    const values = Array.from({ length: 7 * 24 * 5 }, (_, i) => (Math.floor(i / 24) % 7 > 4 ? 10 : 50))
    const made = valuesOf('deseasonalise', { season: '1w', slots: 7 }, values, HOUR)
    expect(Date.UTC(2026, 0, 5) % WEEK).not.toBe(0)
    expect(made.slice(-WEEK / HOUR).every(Number.isFinite)).toBe(true)
  })
})

describe('a chain', () => {
  it('is one after the other', () => {
    const values = Array.from({ length: 50 }, (_, i) => (i % 7 === 3 ? NaN : i * i))
    const parts = [make('fill', { limit: '2m' }), make('difference'), make('resample', { step: '5m' }), make('log')]
    let frame = series(values)
    for (const part of parts) frame = transformFrame(part.open(), frame)
    const together = transformFrame(chain(parts).open(), series(values))
    expect(together).toEqual(frame)
    expect(chain(parts).stepAfter(MINUTE)).toBe(5 * MINUTE)
    expect(chain([make('difference', { lag: '1d' }), make('rate', { window: '1h' })]).lookback).toBe(DAY + HOUR)
  })
  it('of nothing changes nothing', () => {
    const frame = series([1, NaN, 3])
    expect(transformFrame(chain([]).open(), frame)).toEqual(frame)
    expect(chain([]).delay(MINUTE)).toBe(0)
  })
})
