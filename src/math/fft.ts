/** Transforms real and imaginary parts in place; `inverse` divides by the length. Not for two callers at once: scratch is shared. */
export interface Fourier {
  forward(re: Float64Array, im: Float64Array): void
  inverse(re: Float64Array, im: Float64Array): void
}

/** Discrete Fourier transform of one length: radix 2 (Cooley & Tukey 1965), other lengths as a chirp convolution (Bluestein 1970). */
export function fourier(length: number): Fourier {
  if (!(Number.isInteger(length) && length > 0)) throw new RangeError(`length must be a positive whole number, got ${length}`)
  const forward = (length & (length - 1)) === 0 ? radix2(length) : bluestein(length)
  return {
    forward,
    inverse(re, im) {
      // Swapping the parts before and after turns the transform into its inverse.
      forward(im, re)
      for (let i = 0; i < length; i++) {
        re[i] /= length
        im[i] /= length
      }
    },
  }
}

/** Between `length` real numbers and the first `length / 2 + 1` of their frequencies; the others mirror these. */
export interface RealFourier {
  forward(values: Float64Array, re: Float64Array, im: Float64Array): void
  inverse(re: Float64Array, im: Float64Array, values: Float64Array): void
}

/** The transform of real numbers, an even count of them, by a complex one of half the length (Press et al. 2007, section 12.3). */
export function realFourier(length: number): RealFourier {
  if (!(length >= 2 && length % 2 === 0)) throw new RangeError(`length must be even, got ${length}`)
  const half = length / 2
  const { forward, inverse } = fourier(half)
  const cos = Float64Array.from({ length: half + 1 }, (_, k) => Math.cos((2 * Math.PI * k) / length))
  const sin = Float64Array.from({ length: half + 1 }, (_, k) => Math.sin((2 * Math.PI * k) / length))
  const a = new Float64Array(half)
  const b = new Float64Array(half)
  return {
    forward(values, re, im) {
      for (let k = 0; k < half; k++) {
        a[k] = values[2 * k]
        b[k] = values[2 * k + 1]
      }
      forward(a, b)
      for (let k = 0; k <= half; k++) {
        const i = k === half ? 0 : k
        const j = k === 0 ? 0 : half - k
        // Even rows, then odd ones.
        const evenRe = (a[i] + a[j]) / 2
        const evenIm = (b[i] - b[j]) / 2
        const oddRe = (b[i] + b[j]) / 2
        const oddIm = (a[j] - a[i]) / 2
        re[k] = evenRe + cos[k] * oddRe + sin[k] * oddIm
        im[k] = evenIm + cos[k] * oddIm - sin[k] * oddRe
      }
    },
    inverse(re, im, values) {
      for (let k = 0; k < half; k++) {
        const j = half - k
        const evenRe = (re[k] + re[j]) / 2
        const evenIm = (im[k] - im[j]) / 2
        const differenceRe = (re[k] - re[j]) / 2
        const differenceIm = (im[k] + im[j]) / 2
        const oddRe = differenceRe * cos[k] - differenceIm * sin[k]
        const oddIm = differenceIm * cos[k] + differenceRe * sin[k]
        a[k] = evenRe - oddIm
        b[k] = evenIm + oddRe
      }
      inverse(a, b)
      for (let k = 0; k < half; k++) {
        values[2 * k] = a[k]
        values[2 * k + 1] = b[k]
      }
    },
  }
}

type Transform = (re: Float64Array, im: Float64Array) => void

function radix2(n: number): Transform {
  const cos = Float64Array.from({ length: n >> 1 }, (_, i) => Math.cos((2 * Math.PI * i) / n))
  const sin = Float64Array.from({ length: n >> 1 }, (_, i) => Math.sin((2 * Math.PI * i) / n))
  const reversed = new Uint32Array(n)
  for (let i = 1; i < n; i++) reversed[i] = (reversed[i >> 1] >> 1) | (i & 1 ? n >> 1 : 0)
  return (re, im) => {
    for (let i = 0; i < n; i++) {
      const j = reversed[i]
      if (j <= i) continue
      const a = re[i]
      const b = im[i]
      re[i] = re[j]
      im[i] = im[j]
      re[j] = a
      im[j] = b
    }
    for (let half = 1; half < n; half *= 2) {
      const stride = n / (2 * half)
      for (let start = 0; start < n; start += 2 * half)
        for (let k = 0, i = start, w = 0; k < half; k++, i++, w += stride) {
          const j = i + half
          const a = re[j] * cos[w] + im[j] * sin[w]
          const b = im[j] * cos[w] - re[j] * sin[w]
          re[j] = re[i] - a
          im[j] = im[i] - b
          re[i] += a
          im[i] += b
        }
    }
  }
}

function bluestein(n: number): Transform {
  let m = 1
  while (m < 2 * n - 1) m *= 2
  const cos = new Float64Array(n)
  const sin = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    // The square is reduced first: its phase has period 2n.
    const angle = (Math.PI * ((i * i) % (2 * n))) / n
    cos[i] = Math.cos(angle)
    sin[i] = Math.sin(angle)
  }
  const chirpRe = new Float64Array(m)
  const chirpIm = new Float64Array(m)
  for (let i = 0; i < n; i++) {
    chirpRe[i] = cos[i]
    chirpIm[i] = sin[i]
    if (i > 0) {
      chirpRe[m - i] = cos[i]
      chirpIm[m - i] = sin[i]
    }
  }
  const transform = radix2(m)
  transform(chirpRe, chirpIm)
  const a = new Float64Array(m)
  const b = new Float64Array(m)
  return (re, im) => {
    a.fill(0)
    b.fill(0)
    for (let i = 0; i < n; i++) {
      a[i] = re[i] * cos[i] + im[i] * sin[i]
      b[i] = im[i] * cos[i] - re[i] * sin[i]
    }
    transform(a, b)
    for (let i = 0; i < m; i++) {
      const product = a[i] * chirpRe[i] - b[i] * chirpIm[i]
      b[i] = a[i] * chirpIm[i] + b[i] * chirpRe[i]
      a[i] = product
    }
    transform(b, a)
    for (let i = 0; i < n; i++) {
      re[i] = (a[i] * cos[i] + b[i] * sin[i]) / m
      im[i] = (b[i] * cos[i] - a[i] * sin[i]) / m
    }
  }
}
