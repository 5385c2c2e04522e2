import { expect, it } from 'vitest'
import { logGamma } from './log-gamma.ts'

it('the gamma function of whole numbers is the factorial, of halves a multiple of √π', () => {
  let factorial = 0
  for (let n = 1; n <= 200; n++) {
    expect(Math.abs(logGamma(n) - factorial)).toBeLessThan(1e-11 * Math.max(1, factorial))
    factorial += Math.log(n)
  }
  let half = 0.5 * Math.log(Math.PI)
  for (let n = 0; n <= 200; n++) {
    expect(Math.abs(logGamma(n + 0.5) - half)).toBeLessThan(1e-11 * Math.max(1, Math.abs(half)))
    half += Math.log(n + 0.5)
  }
})
