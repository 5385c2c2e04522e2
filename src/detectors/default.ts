import { component } from '../component.ts'
import { WEEK } from '../duration.ts'
import { fromZone } from '../math/zone-offset.ts'
import { endWithCause } from './combining/end-with-cause.ts'
import { openMultivariate } from './combining/open-multivariate.ts'
import { openUnivariate } from './combining/univariate.ts'
import type { Detector, State, Stream } from './detector.ts'
import { fromStream } from './from-stream.ts'
import { seasonal } from './seasonal.ts'

const config = seasonal.config

/**
 * What looks at a series when nobody chose a detector. Several ways of looking side by side, each measured against its own past, so that one
 * configuration does for all series; see `openUnivariate`. `score` ranks (smoothed), `alarm` is to be judged. Frames of several columns are
 * looked at as a whole; see `openMultivariate`.
 */
export const standard = component({
  type: 'default',
  summary: 'Residual, season, level, range and shape side by side, each measured against its own past.',
  config,
  create: (options): Detector => {
    const band = seasonal.create(options)
    const zone = fromZone(options.timezone)
    const parts = { openBand: band.open!, zone }
    return fromStream({ lookback: 2 * WEEK, multivariate: true, open: snapshot => openAny(parts, snapshot) })
  },
  examples: [{}],
})

function openAny(parts: Parameters<typeof openUnivariate>[0], snapshot?: State): Stream {
  const inner = snapshot?.version === 1 ? (snapshot.inner as State | undefined) : undefined
  const columns = snapshot?.version === 1 ? (snapshot.columns as number) : 0
  let stream: Stream | undefined
  let width = columns
  const openFor = (size: number): Stream =>
    size === 1
      ? endWithCause(state => openUnivariate(parts, state), width === size ? inner : undefined)
      : openMultivariate(parts, width === size ? inner : undefined)
  if (width > 0) stream = openFor(width)
  return {
    score: (time, row) => (stream ?? openFor(row.length)).score(time, row),
    learn(time, row) {
      if (!stream) {
        stream = openFor(row.length)
        width = row.length
      }
      stream.learn(time, row)
    },
    snapshot: () => ({ version: 1, columns: width, ...(stream ? { inner: stream.snapshot() } : {}) }),
  }
}
