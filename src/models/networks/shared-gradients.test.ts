import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { gradientMemory, shareGradients } from './shared-gradients.ts'

const SIZE = 40
const BATCHES = 50

describe('shared gradients', () => {
  it('are means over the parts of all threads, in every batch', async () => {
    const memory = gradientMemory(2, SIZE)
    const other = new Worker(
      `const { workerData: { memory, url } } = require('node:worker_threads')
      import(url).then(({ shareGradients }) => {
        const shared = shareGradients(memory, 1, 2)
        for (let i = 0; i < ${BATCHES}; i++) shared.join(new Float32Array(${SIZE}).fill(i), 30)
      })`,
      { eval: true, workerData: { memory, url: new URL('./shared-gradients.ts', import.meta.url).href } },
    )
    const ended = new Promise(resolve => other.once('exit', resolve))
    const shared = shareGradients(memory, 0, 2)
    for (let i = 0; i < BATCHES; i++) {
      const gradients = new Float32Array(SIZE).fill(2 * i)
      shared.join(gradients, 10)
      expect(gradients[i % SIZE]).toBeCloseTo(1.25 * i, 4)
    }
    expect(await ended).toBe(0)
  })

  it('of one thread are its own, and of nothing known nought', () => {
    const shared = shareGradients(gradientMemory(1, 2), 0, 1)
    const gradients = Float32Array.of(3, 4)
    shared.join(gradients, 5)
    expect([...gradients]).toEqual([3, 4])
    shared.join(gradients, 0)
    expect([...gradients]).toEqual([0, 0])
  })

  it('do not wait for ever', () => {
    const shared = shareGradients(gradientMemory(2, 2), 0, 2, 10)
    expect(() => shared.join(Float32Array.of(1, 2), 1)).toThrow('all 2 threads must join their gradients, got 1')
  })
})
