import { registry } from '../component.ts'
import { absence } from './absence.ts'
import { absoluteChange } from './absolute-change.ts'
import { adaptiveResonance } from './adaptive-resonance.ts'
import { autoregressive } from './autoregressive.ts'
import { boostedTrees } from './boosted-trees.ts'
import { changePoint } from './change-point.ts'
import { contextTree } from './context-tree.ts'
import { cumulativeSum } from './cumulative-sum.ts'
import { standard } from './default.ts'
import type { Detector } from './detector.ts'
import { ewma } from './ewma.ts'
import { gruForecaster } from './gru.ts'
import { halfSpaceTrees } from './half-space-trees.ts'
import { holtWinters } from './holt-winters.ts'
import { htm } from './htm.ts'
import { isolationForest } from './isolation-forest.ts'
import { kMeans } from './k-means.ts'
import { lstmForecaster } from './lstm.ts'
import { lstmAutoencoder } from './lstm-autoencoder.ts'
import { matrixProfile } from './matrix-profile.ts'
import { meanVariance } from './mean-variance.ts'
import { mstl } from './mstl.ts'
import { nearestNeighbours } from './nearest-neighbours.ts'
import { peerGroup } from './peer-group.ts'
import { percentageChange } from './percentage-change.ts'
import { principalComponents } from './principal-components.ts'
import { randomCutForest } from './random-cut-forest.ts'
import { rnnForecaster } from './rnn.ts'
import { seasonal } from './seasonal.ts'
import { seasonalEsd } from './seasonal-esd.ts'
import { spectralResidual } from './spectral-residual.ts'
import { stl } from './stl.ts'
import { vaeLstm } from './vae-lstm.ts'
import { vectorAutoregressive } from './vector-autoregressive.ts'

/** The detectors, by type. */
export const detectors = registry<Detector>(
  seasonal,
  holtWinters,
  ewma,
  absence,
  peerGroup,
  randomCutForest,
  isolationForest,
  halfSpaceTrees,
  contextTree,
  matrixProfile,
  percentageChange,
  absoluteChange,
  adaptiveResonance,
  standard,
  meanVariance,
  spectralResidual,
  autoregressive,
  stl,
  mstl,
  principalComponents,
  seasonalEsd,
  changePoint,
  cumulativeSum,
  nearestNeighbours,
  kMeans,
  vectorAutoregressive,
  boostedTrees,
  lstmAutoencoder,
  lstmForecaster,
  gruForecaster,
  rnnForecaster,
  vaeLstm,
  htm,
)
