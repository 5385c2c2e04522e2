import { fourier } from './fft.ts'

/** Sums of products of two series at every lag of a span. */
export interface LaggedProducts {
  /**
   * `Σ x[i] · y[i + lag]` for each lag -reach … reach (so 2·reach + 1 sums) of series `x` with each of `ys`. `each` is called in the order of
   * `ys`; the array belongs to the caller until the next call.
   */
  between(x: number, ys: readonly number[], each: (y: number, sums: Float64Array) => void): void
}

/**
 * Prepares series of one length, none NaN, for sums of lagged products of many pairs (overlap-save, Oppenheim & Schafer 2010, section 8.7):
 * every series is transformed once in short blocks, a pair costs one pass over both spectra and half an inverse transform, whatever the
 * lag. Holds about 8 · (1 + 2·reach / block) numbers of 4 bytes for each value, so sums are good to six digits.
 */
export function laggedProducts(series: readonly Float64Array[], reach: number): LaggedProducts {
  const rows = series[0]?.length ?? 0
  let size = 64
  while (size < 8 * reach) size *= 2
  const block = size - 2 * reach
  const blocks = Math.max(1, Math.ceil(rows / block))
  const bins = size / 2 + 1
  const { forward } = fourier(size)
  const re = new Float64Array(size)
  const im = new Float64Array(size)

  // `heads` see the rows of a block, `bodies` also `reach` rows before and after it.
  const heads = series.map(() => new Float32Array(blocks * bins * 2))
  const bodies = series.map(() => new Float32Array(blocks * bins * 2))
  for (const [s, values] of series.entries())
    for (let b = 0; b < blocks; b++) {
      const start = b * block
      re.fill(0)
      im.fill(0)
      re.set(values.subarray(start, start + block), reach)
      const first = Math.max(0, start - reach)
      im.set(values.subarray(first, start + block + reach), first - (start - reach))
      forward(re, im)
      // One transform serves both: the parts of a real and an imaginary signal are told apart by symmetry.
      for (let f = 0, at = b * bins * 2; f < bins; f++, at += 2) {
        const g = (size - f) % size
        heads[s][at] = (re[f] + re[g]) / 2
        heads[s][at + 1] = (im[f] - im[g]) / 2
        bodies[s][at] = (im[f] + im[g]) / 2
        bodies[s][at + 1] = (re[g] - re[f]) / 2
      }
    }

  const spectra = [new Float64Array(bins * 2), new Float64Array(bins * 2)]
  const sums = new Float64Array(2 * reach + 1)
  const addUp = (head: Float32Array, body: Float32Array, sum: Float64Array) => {
    sum.fill(0)
    for (let b = 0, at = 0; b < blocks; b++)
      for (let f = 0; f < bins * 2; f += 2, at += 2) {
        const hr = head[at]
        const hi = head[at + 1]
        const br = body[at]
        const bi = body[at + 1]
        sum[f] += hr * br + hi * bi
        sum[f + 1] += hr * bi - hi * br
      }
  }
  return {
    between(x, ys, each) {
      for (let p = 0; p < ys.length; p += 2) {
        const two = p + 1 < ys.length
        const [one, other] = spectra
        addUp(heads[x], bodies[ys[p]], one)
        if (two) addUp(heads[x], bodies[ys[p + 1]], other)
        else other.fill(0)
        // The inverse transform of `one + i · other` is one pair as real and the other as imaginary part; by conjugates it is a forward one.
        for (let f = 0; f < bins; f++) {
          const [ar, ai, br, bi] = [one[2 * f], one[2 * f + 1], other[2 * f], other[2 * f + 1]]
          re[f] = ar - bi
          im[f] = -(ai + br)
          if (f > 0 && f < bins - 1) {
            re[size - f] = ar + bi
            im[size - f] = -(br - ai)
          }
        }
        forward(re, im)
        for (let lag = -reach; lag <= reach; lag++) sums[lag + reach] = re[(lag + size) % size] / size
        each(ys[p], sums)
        if (!two) continue
        for (let lag = -reach; lag <= reach; lag++) sums[lag + reach] = -im[(lag + size) % size] / size
        each(ys[p + 1], sums)
      }
    },
  }
}
