import { expect, it } from 'vitest'
import { seededRandom } from '../../math/random.ts'
import { openAnomalyLikelihood } from './anomaly-likelihood.ts'
import { buildDateEncoder } from './date-encoder.ts'
import { buildScalarEncoder } from './scalar-encoder.ts'
import { openSpatialPooler } from './spatial-pooler.ts'
import { openTemporalMemory } from './temporal-memory.ts'

it('the parts together learn a daily wave of hours, and find the day that stands still', () => {
  const random = seededRandom(1)
  const scalar = buildScalarEncoder({ size: 100, active: 11, resolution: 0.1, offset: 0, buckets: 60 }, random)
  const date = buildDateEncoder({ timeOfDay: { size: 24, active: 5 } })
  const inputs = scalar.size + date.size
  const pooler = openSpatialPooler(
    { inputs, columns: 128, active: 8, potential: 0.8, connected: 0.2, increment: 0.003, decrement: 0.0005 },
    random,
  )
  const memory = openTemporalMemory(
    {
      columns: 128,
      cells: 4,
      activation: 5,
      minimum: 3,
      growth: 8,
      initial: 0.21,
      connected: 0.5,
      increment: 0.1,
      decrement: 0.02,
      punishment: 0.001,
      segmentsPerCell: 16,
      synapsesPerSegment: 16,
      segments: 2000,
    },
    random,
  )
  const likelihood = openAnomalyLikelihood({ learning: 480, estimation: 480, every: 100, history: 2000, averaging: 5 })
  const broken = 24 * 60 + 7
  const raws: number[] = []
  const likelihoods: number[] = []
  for (let row = 0; row < broken + 17; row++) {
    const value = row < broken ? 2 * Math.sin((2 * Math.PI * row) / 24) : -2
    const input = new Uint8Array(inputs)
    scalar.encode(value, input)
    date.encode(row * 3_600_000, input, scalar.size)
    raws.push(memory.step(pooler.pool(input, true), true))
    likelihoods.push(likelihood.update(raws[row], value))
  }
  const mean = (from: number, to: number) => raws.slice(from, to).reduce((sum, raw) => sum + raw, 0) / (to - from)
  expect(mean(0, 24)).toBeGreaterThan(0.8)
  expect(mean(broken - 240, broken)).toBeLessThan(0.05)
  expect(raws[broken]).toBeGreaterThan(0.5)
  expect(Math.max(...likelihoods.slice(960, broken))).toBeLessThan(0.999)
  expect(Math.max(...likelihoods.slice(broken, broken + 5))).toBeGreaterThan(0.9999)
})
