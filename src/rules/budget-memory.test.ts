import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE, SECOND } from '../duration.ts'
import { calm, everySo, learn, makeBudget, scoresOf } from '../testing/toy-scores.ts'

describe('what a budget remembers', () => {
  // Far below the minimum: nothing is strange and nothing is held back.
  const far = { minimum: 1000 }
  const blocksOf = (score: ArrayLike<number>, size: number) =>
    Array.from({ length: Math.floor(score.length / size) }, (_, i) =>
      Math.max(...Array.from(score).slice(i * size, (i + 1) * size)),
    )

  it('are the highest scores of blocks of rows; when there are too many blocks, pairs become one', () => {
    for (const [rows, size] of [
      [256, 1],
      [258, 2],
      [512, 2],
      [514, 4],
      [1022, 4],
    ] as const) {
      const score = calm(rows)
      const { state } = learn(score, MINUTE, far)
      expect(state.size).toBe(size)
      expect([...state.maxima]).toEqual(blocksOf(score, size))
      expect(state.openRows).toBe(rows % size)
    }
  })

  it('are the newest blocks, once they span eight periods', () => {
    const score = calm(1000)
    const { state } = learn(score, HOUR, { ...far, per: '1d' })
    expect([...state.maxima]).toEqual(Array.from(score.slice(-256)))
    expect(learn(score, HOUR, { ...far, per: '63h' }).state.size).toBe(1)
    expect(learn(score, HOUR, { ...far, per: '64h' }).state.size).toBe(2)
  })

  it('is the median of the first 32 steps of time, of which none goes back', () => {
    const stepsOf = (times: readonly number[]) => {
      const { state } = learn(calm(times.length), MINUTE, far, times)
      return [state.step, ...(state.steps as unknown as Float64Array)]
    }
    expect(stepsOf([0, 60, 61, 121, 122, 123])).toEqual([1, 60, 1, 60, 1, 1])
    expect(stepsOf([10, 20, 20, 5, 15])).toEqual([10, 10, 10])
    expect(stepsOf([0])).toEqual([NaN])
    expect(stepsOf(Array.from({ length: 50 }, (_, i) => i * i))).toHaveLength(33)
  })

  it('is all in its state, so that it goes on as if it had not stopped', () => {
    const score = everySo(300, 37, 50)
    score.set([5, 5.5, 4.9, 1], 120)
    // In the middle of a block of two.
    score.set([1, 0], 280)
    const rule = makeBudget({ minimum: 9 })
    const even = scoresOf(score, SECOND)
    const scores = { ...even, times: even.times.map((time, i) => time + 100 * (i % 3)) }
    const whole = rule.judge(scores)
    for (const cut of [1, 2, 19, 20, 100, 101, 121, 122, 125, 140, 281]) {
      const part = (from: number, to: number) => ({
        ...scoresOf(score.slice(from, to), SECOND),
        times: scores.times.slice(from, to),
      })
      const before = rule.judge(part(0, cut))
      const after = rule.judge(part(cut, 300), before.state)
      expect([...before.strength, ...after.strength]).toEqual([...whole.strength])
      expect(after.state).toEqual(whole.state)
    }
  })

  it('are all calm rows, but of strange ones in a row only the first, until more are strange than is tolerated', () => {
    const learned = (strange: number) => {
      const { maxima, size, openRows } = learn(everySo(200 + strange, 1, 25, 200), MINUTE).state
      return maxima.length * size + openRows
    }
    expect([0, 1, 60, 300, 301, 302].map(learned)).toEqual([200, 201, 201, 201, 202, 203])
  })

  it('is a step that holes and jumps back do not change', () => {
    const times = calm(40).map((_, i) => i * MINUTE + (i > 3 ? HOUR : 0) - (i > 5 ? 2 * MINUTE : 0))
    const { state } = learn(calm(40), MINUTE, far, [...times])
    expect([state.step, state.last]).toEqual([MINUTE, times[39]])
  })

  it('is a new highest score only when it was below the limit for five rows', () => {
    const score = everySo(120, 1000, 5)
    const highest = (rows: number) => Math.max(...learn(score.slice(0, rows), SECOND, { minimum: 9 }).state.maxima)
    expect([101, 105, 106].map(highest)).toEqual([1, 1, 5])
    const risen = Float64Array.from(score)
    risen.set([5, 5.5, 4.9], 100)
    expect(Math.max(...learn(risen.slice(0, 106), SECOND, { minimum: 9 }).state.maxima)).toBe(5.5)
    const strange = Float64Array.from(score)
    strange[103] = 60
    expect(Math.max(...learn(strange, SECOND, { minimum: 9 }).state.maxima)).toBe(1)
  })
})

describe('the limit of a budget', () => {
  const limitOf = (score: ArrayLike<number>, options: object = { minimum: 0 }, step = MINUTE) =>
    learn(score, step, options).state.limit
  /** 0 to 99 in a fixed disorder. */
  const mixed = (rows: number) => Array.from({ length: rows }, (_, i) => (i * 37) % 100)

  it('is twelve times the upper quartile above the median while there is little to see', () => {
    const spread = Array.from({ length: 40 }, (_, i) => (i * 7) % 40)
    expect(limitOf(spread)).toBe(20 + 12 * 10)
    expect(limitOf(Array.from({ length: 64 }, (_, i) => (i * 7) % 64))).toBeLessThan(32 + 12 * 16)
  })

  it('is the same as ever on a fixed series', () => {
    expect(limitOf(mixed(100))).toBeCloseTo(174.890363, 4)
    expect(limitOf(mixed(300))).toBeCloseTo(129.06676, 4)
    expect(limitOf(mixed(300), { minimum: 0, alarms: 5, per: '1d' })).toBeCloseTo(111.926178, 4)
    expect(limitOf(Float64Array.from(calm(2000)))).toBeCloseTo(4.570823, 4)
    expect(limitOf(Float64Array.from(calm(2000)), { minimum: 0 }, SECOND)).toBeCloseTo(5.366032, 4)
  })

  it('is above what is seen more often than the budget allows, and not below the minimum', () => {
    expect(limitOf(new Float64Array(200).fill(9), { minimum: 0 })).toBeCloseTo(1.05 * 9)
    expect(limitOf(new Float64Array(200).fill(9), { minimum: 30 })).toBe(30)
    expect(limitOf(new Float64Array(200), { minimum: 0 })).toBe(Number.EPSILON)
    // Of 200 rows five may be false alarms, so that the sixth highest must be below the limit.
    const sixHigh = Float64Array.from({ length: 200 }, (_, i) => (i < 6 ? 1000 : i % 2))
    expect(limitOf(sixHigh, { minimum: 0, alarms: 36, per: '1d' })).toBeCloseTo(1001)
    expect(limitOf(sixHigh.with(5, 0), { minimum: 0, alarms: 36, per: '1d' })).toBeLessThan(1000)
  })
})
