import { describe, expect, it } from 'vitest'
import { type DetectorLaw, detectorLaws } from '../testing/detector-laws.ts'
import { multivariateLaws } from '../testing/multivariate-laws.ts'
import type { Detector } from './detector.ts'
import { detectors } from './index.ts'
import { perColumn } from './per-column.ts'

const RANDOM_CUTS = { 'gives a column the same share wherever it stands': 'each place is cut at random by draws of its own' }
const RANDOM_WEIGHTS = { 'gives a column the same share wherever it stands': 'each place begins with random weights of its own' }
const OF_THE_BAND = {
  'names the column that contributes most': 'it names the column farthest from its median, and rows may be strange in none alone',
}

/**
 * Laws that a member, or one of its examples, cannot keep, with the reason; each must really be broken, or the exception is out of date.
 */
const EXCEPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'adaptive-resonance': {
    'ranks a spike first': 'it speaks at the last row of a block, of shapes and not of heights',
    'notices a flat line that moves': 'it speaks at the last row of a block, of shapes and not of heights',
  },
  absence: {
    'says NaN of a row without a value': 'a missing row is its evidence',
    'ranks a spike first': 'it looks at presence, not at height',
    'notices a flat line that moves': 'a series that moves is there',
  },
  'peer-group': {
    'recovers after a gap': 'one replica has no peers',
    'needs no more than its lookback': 'one replica has no peers',
    'ranks a spike first': 'one replica has no peers',
    'notices a flat line that moves': 'one replica has no peers',
  },
  'matrix-profile': {
    'ranks a spike first': 'a shape is strange as a whole, wherever in it the spike stands',
  },
  default: {
    'names the column that contributes most':
      'it names the column that was predicted worst, and another may be farther from its usual level',
  },
  'isolation-forest': { ...RANDOM_CUTS, ...OF_THE_BAND },
  'half-space-trees': { ...RANDOM_CUTS, ...OF_THE_BAND },
  'random-cut-forest': RANDOM_CUTS,
  'random-cut-forest {}': {
    'names the column that contributes most': 'it names the column of the newest row, and earlier ones of the shingle contribute',
  },
  htm: { 'gives a column the same share wherever it stands': 'each place has random bits of its own' },
  'lstm-autoencoder': RANDOM_WEIGHTS,
  'vae-lstm': RANDOM_WEIGHTS,
  lstm: RANDOM_WEIGHTS,
  gru: RANDOM_WEIGHTS,
  rnn: RANDOM_WEIGHTS,
  'spectral-residual': {
    'notices a flat line that moves': 'it marks the moment of a change, not the rows after it',
  },
  'nearest-neighbours': {
    'ranks a spike first':
      'all windows that hold the spike are far from their neighbours, and the ones it stands in the middle of most',
  },
}

/** Tests of the laws, or of their exceptions, for a member with one of its examples. */
function checkLaws(laws: readonly DetectorLaw[], type: string, example: object, detector: Detector): void {
  const exceptions = { ...EXCEPTIONS[type], ...EXCEPTIONS[`${type} ${JSON.stringify(example)}`] }
  for (const law of laws) {
    const reason = exceptions[law.name]
    if (reason) it(`is excused: ${law.name}, because ${reason}`, () => expect(() => law.check(detector)).toThrow())
    else it(law.name, () => law.check(detector))
  }
}

for (const { type, examples, config, create } of Object.values(detectors))
  for (const example of examples)
    describe(`${type} ${JSON.stringify(example)}`, () => checkLaws(detectorLaws, type, example, create(config.parse(example))))

for (const { type, examples, config, create } of Object.values(detectors))
  for (const example of examples) {
    const detector = create(config.parse(example))
    if (!detector.multivariate) continue
    describe(`${type} ${JSON.stringify(example)} on several columns`, () => checkLaws(multivariateLaws, type, example, detector))
  }

describe('perColumn', () => {
  const detector = perColumn(detectors.ewma.create(detectors.ewma.config.parse({})))
  for (const law of [...detectorLaws, ...multivariateLaws]) it(law.name, () => law.check(detector))
})
