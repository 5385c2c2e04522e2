import { describe, expect, it } from 'vitest'
import { fourier, realFourier } from './fft.ts'

function naive(re: Float64Array, im: Float64Array): [Float64Array, Float64Array] {
  const n = re.length
  const outRe = new Float64Array(n)
  const outIm = new Float64Array(n)
  for (let k = 0; k < n; k++)
    for (let i = 0; i < n; i++) {
      const angle = (-2 * Math.PI * k * i) / n
      outRe[k] += re[i] * Math.cos(angle) - im[i] * Math.sin(angle)
      outIm[k] += re[i] * Math.sin(angle) + im[i] * Math.cos(angle)
    }
  return [outRe, outIm]
}

const noise = (length: number, seed: number) => Float64Array.from({ length }, (_, i) => Math.sin((i + 1) * 12.9898 * seed) * 3)

describe('fourier', () => {
  it.each([1, 2, 3, 4, 5, 8, 12, 31, 64, 97, 100, 128, 360])('of length %i equals the sum by definition', length => {
    const re = noise(length, 1)
    const im = noise(length, 2)
    const [wantedRe, wantedIm] = naive(re, im)
    fourier(length).forward(re, im)
    for (let k = 0; k < length; k++) {
      expect(re[k]).toBeCloseTo(wantedRe[k], 8)
      expect(im[k]).toBeCloseTo(wantedIm[k], 8)
    }
  })

  it.each([1, 7, 16, 1440, 4096])('of length %i goes back', length => {
    const re = noise(length, 3)
    const im = noise(length, 5)
    const { forward, inverse } = fourier(length)
    forward(re, im)
    inverse(re, im)
    const [wantedRe, wantedIm] = [noise(length, 3), noise(length, 5)]
    for (let k = 0; k < length; k++) {
      expect(re[k]).toBeCloseTo(wantedRe[k], 9)
      expect(im[k]).toBeCloseTo(wantedIm[k], 9)
    }
  })

  it('has no length of nothing', () => expect(() => fourier(0)).toThrow('must be a positive whole number, got 0'))
})

describe('realFourier', () => {
  it.each([2, 4, 6, 10, 16, 50, 512])('of length %i equals the sum by definition and goes back', length => {
    const values = noise(length, 1)
    const [wantedRe, wantedIm] = naive(values, new Float64Array(length))
    const re = new Float64Array(length / 2 + 1)
    const im = new Float64Array(length / 2 + 1)
    const { forward, inverse } = realFourier(length)
    forward(values, re, im)
    for (let k = 0; k <= length / 2; k++) {
      expect(re[k]).toBeCloseTo(wantedRe[k], 8)
      expect(im[k]).toBeCloseTo(wantedIm[k], 8)
    }
    const back = new Float64Array(length)
    inverse(re, im, back)
    for (let i = 0; i < length; i++) expect(back[i]).toBeCloseTo(values[i], 9)
  })

  it('has no odd length', () => expect(() => realFourier(7)).toThrow('must be even, got 7'))
})
