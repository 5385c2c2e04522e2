import { describe, expect, it } from 'vitest'
import { type Interruptions, learnInterruption, noInterruptions, shrink } from './interruptions.ts'

/** Learns interruptions of the same length that end after each other; `lived` is the time between the end of one and the begin of the next. */
function learnMany(memory: Interruptions, count: number, length: number, allowed: number, lived: number): Interruptions {
  let time = Number.isNaN(memory.ended) ? 0 : memory.ended
  for (let i = 0; i < count; i++) {
    time += lived + length
    learnInterruption(memory, length, allowed, time)
  }
  return memory
}

describe('interruptions', () => {
  it('are usual at half of the way to a longer one, and are forgotten slowly when shorter ones follow', () => {
    const memory = noInterruptions()
    learnInterruption(memory, 60, 100, 1000)
    expect(memory.usual).toBe(30)
    learnInterruption(memory, 100, 100, 2000)
    expect(memory.usual).toBe(65)
    learnInterruption(memory, 15, 100, 3000)
    expect(memory.usual).toBeCloseTo(64)
    for (let i = 0; i < 1000; i++) learnInterruption(memory, 15, 100, 4000)
    expect(memory.usual).toBeCloseTo(15)
  })

  it('that are longer than allowed are usual when three came soon after each other', () => {
    expect(learnMany(noInterruptions(), 2, 500, 100, 5000).usual).toBe(0)
    expect(learnMany(noInterruptions(), 3, 500, 100, 5000).usual).toBe(500)
    expect(learnMany({ ...noInterruptions(), usual: 900 }, 3, 500, 100, 5000).usual).toBe(900)
  })

  it('that are longer than allowed stay outages when the series lived more than ten times as long between them', () => {
    expect(learnMany(noInterruptions(), 20, 500, 100, 5001).usual).toBe(0)
  })

  it('begin a new streak after a long life', () => {
    const memory = learnMany(noInterruptions(), 2, 500, 100, 1000)
    learnMany(memory, 1, 500, 100, 50_000)
    learnMany(memory, 1, 500, 100, 1000)
    expect(memory.usual).toBe(0)
    learnMany(memory, 1, 500, 100, 1000)
    expect(memory.usual).toBe(500)
  })

  it('are forgotten by half in about seven thousand rows without any', () => {
    const memory = { ...noInterruptions(), usual: 1000 }
    for (let i = 0; i < 6931; i++) shrink(memory)
    expect(memory.usual).toBeCloseTo(500, 0)
  })
})
