import { describe, expect, it } from 'vitest'
import { MINUTE } from '../../duration.ts'
import { seededRandom } from '../../math/random.ts'
import type { Judgement } from '../detector.ts'
import { openColdStart } from './cold-start.ts'

/** Energies of rows of noise, the last of which is far off. */
function energies(columns: number, rows: number): { energies: number[]; said: Judgement } {
  const random = seededRandom(3)
  const cold = openColdStart(columns)
  const said: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  const list: number[] = []
  for (let i = 0; i < rows; i++) {
    const row = Array.from({ length: columns }, (_, c) => 100 * (c + 1) + random.next() + random.next() + random.next())
    if (i === rows - 1) row[columns - 1] += 20
    list.push(cold.look(i * MINUTE, row, said))
    cold.learn(i * MINUTE, row)
  }
  return { energies: list, said }
}

describe.each([1, 5])('a cold start with %i columns', columns => {
  const { energies: list, said } = energies(columns, 500)

  it('judges after some dozen rows, by one when all is usual', () => {
    expect(list[2]).toBeNaN()
    const usual = list.slice(100, 499)
    const root = Math.sqrt(usual.reduce((sum, energy) => sum + energy, 0) / usual.length)
    expect(root).toBeGreaterThan(0.85)
    expect(root).toBeLessThan(1.15)
    expect(list.slice(50).every(Number.isFinite)).toBe(true)
  })

  it('says what is strange, in its own unit, and which column', () => {
    expect(Math.sqrt(list[499])).toBeGreaterThan(2.5)
    expect(said.value).toBeGreaterThan(100 * columns + 20)
    expect(Math.abs(said.expected - (100 * columns + 1.5))).toBeLessThan(3)
    expect(said.upper).toBeLessThan(said.value)
    expect(said.channel).toBe(columns > 1 ? columns - 1 : undefined)
  })
})
