import { z } from 'zod'
import { component } from '../component.ts'
import { DAY } from '../duration.ts'
import { isMeasured } from '../math/is-measured.ts'
import type { Judgement, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'
import type { ResonanceState } from './resonance/resonance.ts'
import { openResonance } from './resonance/resonance.ts'

const config = z.strictObject({
  block: z.int().min(1).max(1000).default(3).describe('rows that become one sample; eight samples are a shape'),
  training: z.int().min(16).max(1000).default(104).describe('samples of the training window, before the first score'),
  categories: z.int().min(8).max(4096).default(256).describe('kinds of shapes that are remembered'),
})

/** A surprise is at most 1; times this, it stands beside scores in standard deviations. */
const UNIT = 10

/**
 * Fuzzy ART on the shapes of the series (Carpenter, Grossberg & Rosen 1991; Hampton 2022, the method behind ARTime, here causal and in bounded
 * memory). A shape that resembles none before is a surprise; the score is its strength, mostly zero, ten at most, and can be above zero only
 * at the last row of a block. Values become scores relative to the range of the training window, so no unit matters. It says no band.
 * Memory: 128 bytes a category and some 8 KB.
 */
export const adaptiveResonance = component({
  type: 'adaptive-resonance',
  summary: 'Shapes that resemble none seen before, by a clustering that learns for ever.',
  config,
  create: options => fromStream({ lookback: 2 * DAY, open: snapshot => openStream(options, snapshot) }),
  examples: [{}, { block: 5, training: 60, categories: 64 }],
})

function openStream({ block, training, categories }: z.output<typeof config>, snapshot?: State): Stream {
  const known = snapshot?.version === 1 ? snapshot : undefined
  const resonance = openResonance({ block, training, categories }, known?.resonance as ResonanceState | undefined)
  let rows = (known?.rows as number | undefined) ?? 0
  const judgement: Judgement = { score: NaN, value: NaN, expected: NaN, lower: NaN, upper: NaN }
  return {
    score(_time, row) {
      const x = row[0]
      judgement.value = x
      judgement.score = isMeasured(x) && rows >= block * training ? UNIT * resonance.look(x).surprise : NaN
      return judgement
    },
    learn(_time, row) {
      const x = row[0]
      if (!isMeasured(x)) return
      rows = Math.min(rows + 1, 1e9)
      resonance.look(x)
      resonance.learn(x)
    },
    snapshot: () => ({ version: 1, rows, resonance: resonance.snapshot() }),
  }
}
