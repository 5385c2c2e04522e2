import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import { detectorLaws } from '../testing/detector-laws.ts'
import { fromStream, runStream } from './from-stream.ts'
import { detectors } from './index.ts'
import { keepOut } from './keep-out.ts'

const MINUTE = 60_000
const times = Float64Array.from({ length: 400 }, (_, i) => i * MINUTE)
const isOut = (time: number) => time >= 200 * MINUTE && time < 300 * MINUTE
const noise = (i: number) => 100 + ((i * 7919) % 13)
const strange = times.map((time, i) => (isOut(time) ? 5000 : noise(i)))
const whole = { start: -Infinity, end: Infinity }

describe('a stream with rows kept out', () => {
  const one = detectors.ewma!.create(detectors.ewma!.config.parse({}))
  const score = (values: Float64Array, kept = isOut) =>
    runStream(keepOut(one.open!(), kept), fromValues(times, values), whole).columns

  it('scores what is inside and does not learn it', () => {
    const { score: scores, expected } = score(strange)
    expect(Math.min(...scores.subarray(200, 300))).toBeGreaterThan(100)
    expect(new Set(expected.subarray(200, 300)).size).toBe(1)
    const holes = strange.map((value, i) => (isOut(times[i]) ? NaN : value))
    const apart = runStream(one.open!(), fromValues(times, holes), whole).columns
    expect(scores.subarray(300)).toEqual(apart.score.subarray(300))
  })

  it('would have learned it', () => {
    expect(score(strange, () => false).expected[299]).toBeGreaterThan(150)
  })

  it('goes on from its snapshot', () => {
    const stream = keepOut(one.open!(), isOut)
    const head = fromValues(times.slice(0, 250), strange.slice(0, 250))
    runStream(stream, head, whole)
    const again = keepOut(one.open!(stream.snapshot()), isOut)
    const tail = runStream(again, fromValues(times.slice(250), strange.slice(250)), whole)
    expect(tail.columns.score).toEqual(score(strange).score.subarray(250))
  })

  describe('that are none', () => {
    const same = fromStream({ lookback: one.lookback, open: snapshot => keepOut(one.open!(snapshot), () => false) })
    for (const law of detectorLaws) it(law.name, () => law.check(same))
  })
})
