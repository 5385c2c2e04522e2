import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../math/random.ts'
import { complementaryError, likelihoodOptions, logLikelihood, openAnomalyLikelihood } from './anomaly-likelihood.ts'

const options = { learning: 30, estimation: 30, every: 20, history: 150, averaging: 10 }

/** Goes through all rows each time; the tail is an integral by Simpson's rule. */
function naiveLikelihoods(raws: number[], values: number[], settling?: number): number[] {
  const mean = (xs: number[]) => xs.reduce((sum, x) => sum + x, 0) / xs.length
  const variance = (xs: number[]) => mean(xs.map(x => (x - mean(xs)) ** 2))
  const averages = raws.map((_, i) => mean(raws.slice(Math.max(0, i - 9), i + 1)))
  const tails = averages.map((average, row) => {
    if (row < 60) return 1
    const last = row - (row % 20)
    const from = Math.max(settling === undefined ? 30 : Math.min(settling, Math.floor(last / 2)), last - 150)
    const isFlat = variance(values.slice(from, last)) < 1.5e-5
    const center = isFlat ? 0.5 : Math.max(0.03, mean(averages.slice(from, last)))
    const deviation = isFlat ? 1000 : Math.sqrt(Math.max(0.0003, variance(averages.slice(from, last))))
    return normalTail(Math.abs(average - center) / deviation)
  })
  return tails.map((tail, row) => (row < 60 ? 0.5 : 1 - (tail <= 1e-5 && tails[row - 1] <= 1e-5 ? 1e-3 : tail)))
}

function normalTail(z: number): number {
  const steps = 4000
  const width = 12 / steps
  let sum = 0
  for (let k = 0; k <= steps; k++) sum += (k === 0 || k === steps ? 1 : k % 2 ? 4 : 2) * Math.exp(-((z + k * width) ** 2) / 2)
  return (sum * width) / 3 / Math.sqrt(2 * Math.PI)
}

describe('openAnomalyLikelihood', () => {
  const random = seededRandom(4)
  const raws = Array.from({ length: 500 }, (_, i) => (i % 120 < 12 && i > 200 ? 0.9 : 0.2 * random.next()))
  const values = raws.map((_, i) => (i < 300 ? random.next() : 5))

  it('agrees with a naive twin, in bursts and on a flat metric', () => {
    const likelihood = openAnomalyLikelihood(options)
    const twin = naiveLikelihoods(raws, values)
    raws.forEach((raw, i) => {
      expect(likelihood.update(raw, values[i])).toBeCloseTo(twin[i], 9)
    })
    expect(twin.filter(x => x > 0.99999).length).toBeGreaterThan(0)
  })

  it('leaves out more of the beginning as it grows older', () => {
    const likelihood = openAnomalyLikelihood({ ...options, settling: 55 })
    const twin = naiveLikelihoods(raws, values, 55)
    raws.forEach((raw, i) => {
      expect(likelihood.update(raw, values[i])).toBeCloseTo(twin[i], 9)
    })
    expect(twin).not.toEqual(naiveLikelihoods(raws, values))
  })

  it('tells the tail beforehand, a run or not', () => {
    const likelihood = openAnomalyLikelihood(options)
    let reds = 0
    raws.forEach((raw, i) => {
      const tail = likelihood.tail(raw)
      const said = likelihood.update(raw, values[i])
      expect(Number.isNaN(tail)).toBe(i < 60)
      if (tail <= 1e-5) reds++
      if (i >= 60 && said !== 1 - 1e-3) expect(said).toBe(1 - tail)
    })
    expect(reds).toBeGreaterThan(1)
  })

  it('goes on from a state', () => {
    const whole = openAnomalyLikelihood(options)
    for (let i = 0; i < 250; i++) whole.update(raws[i], values[i])
    const resumed = openAnomalyLikelihood(options, structuredClone(whole.state()))
    for (let i = 250; i < 500; i++) expect(resumed.update(raws[i], values[i])).toBe(whole.update(raws[i], values[i]))
    expect(resumed.state()).toEqual(whole.state())
  })

  it('keeps a state of one size', () => {
    const likelihood = openAnomalyLikelihood(options)
    const size = likelihood.state().averages.length + likelihood.state().values.length
    for (let i = 0; i < 500; i++) likelihood.update(raws[i], values[i])
    expect(likelihood.state().averages.length + likelihood.state().values.length).toBe(size)
  })

  it('halves a probation', () => {
    expect(likelihoodOptions(751)).toEqual({ learning: 375, estimation: 376, every: 100, history: 8640, averaging: 10 })
  })
})

it.each([
  [0.5, 0.0301],
  [0.999, 0.3],
  [0.99999, 0.5],
  [1, 1],
])('the logarithm of likelihood %d is %d', (likelihood, log) => expect(logLikelihood(likelihood)).toBeCloseTo(log, 4))

it.each([
  [0, 1],
  [0.5, 0.4795001221869535],
  [1.9999, 0.004679802092970608],
  [2, 0.004677734981047266],
  [3, 2.209049699858544e-5],
  [5, 1.5374597944280349e-12],
])('erfc(%d) is %d', (x, value) => expect(complementaryError(x) / value).toBeCloseTo(1, 9))
