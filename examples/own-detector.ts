import { detect, fromStream } from '../src/index.ts'

/** A detector of one's own: how far a value is from the one before, as a multiple of the usual step. */
const jump = fromStream({
  lookback: 0,
  open(snapshot) {
    let { last, usual } = (snapshot ?? { last: Number.NaN, usual: Number.NaN }) as { last: number; usual: number }
    return {
      score(_time, row) {
        const value = row[0]!
        return {
          score: usual > 0 ? Math.abs(value - last) / usual : Number.NaN,
          value: value,
          expected: last,
          lower: last - 4 * usual,
          upper: last + 4 * usual,
        }
      },
      learn(_time, row) {
        const value = row[0]!
        const step = Math.abs(value - last)
        if (!Number.isNaN(step)) usual = Number.isNaN(usual) ? step : 0.98 * usual + 0.02 * Math.min(step, 3 * usual)
        if (!Number.isNaN(value)) last = value
      },
      snapshot: () => ({ version: 1, last, usual }),
    }
  },
})

const values = Array.from({ length: 600 }, (_, i) => 100 + 5 * Math.sin(i * 12.9898) + (i === 500 ? 90 : 0))
for (const { at, sentence } of detect(values, { detector: jump, rule: { type: 'threshold', limit: 8 } }))
  console.log(`row ${at}: ${sentence}`)
