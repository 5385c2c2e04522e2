const ROWS = 20_000
const LAGS = 400
const UNKNOWN = 125

/**
 * The period that TSB-AD takes for the widest buffer of VUS: the highest local maximum of the autocorrelation, in rows, at most 303; 125 when
 * there is none.
 */
export function acfPeriod(values: Float64Array): number {
  const known = values.subarray(0, ROWS)
  const mean = known.reduce((a, b) => a + b, 0) / known.length
  const centred = known.map(value => value - mean)
  const lags = Math.min(LAGS, known.length - 1)
  const acf: number[] = []
  for (let lag = 3; lag <= lags; lag++) {
    let sum = 0
    for (let i = lag; i < centred.length; i++) sum += centred[i] * centred[i - lag]
    acf.push(sum)
  }
  let best = -1
  for (let k = 1; k + 1 < acf.length; k++)
    if (acf[k] > acf[k - 1] && acf[k] > acf[k + 1] && (best < 0 || acf[k] > acf[best])) best = k
  return best >= 3 && best <= 300 ? best + 3 : UNKNOWN
}
