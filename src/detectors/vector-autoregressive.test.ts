import { describe, expect, it } from 'vitest'
import type { Frame } from '../frame/frame.ts'
import type { State, Stream } from './detector.ts'
import { openVectorAutoregressive, vectorAutoregressive } from './vector-autoregressive.ts'

const options = vectorAutoregressive.config.parse({})

/** Uniform −0.5 … 0.5, the same every time. */
function noise(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647 - 0.5
  }
}

/** Channels that follow one hidden load, each with its own weight, delay of a row for odd ones, level and noise. */
function makeRows(size: number, channels: number, seed = 5): number[][] {
  const random = noise(seed)
  const load = [0]
  for (let i = 1; i < size + 1; i++) load.push(0.9 * load[i - 1] + random())
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: channels }, (_, c) => 100 * (c + 1) + (c + 1) * load[c % 2 === 0 ? i + 1 : i] + 0.2 * random()),
  )
}

function follow(stream: Stream, rows: readonly (readonly number[])[], from = 0) {
  return rows.map((row, i) => {
    const { contributions, ...judgement } = stream.score((from + i) * 60_000, row)
    stream.learn((from + i) * 60_000, row)
    return { ...judgement, ...(contributions ? { contributions: contributions.slice() } : {}) }
  })
}

interface Naive {
  readonly alarm: number
  readonly expected: readonly number[]
  /** Residuals in standard deviations, as they count. */
  readonly residuals: readonly number[]
}

/** The same model from the whole history and plain elimination; for rows without gaps, of one lag, that are never clipped. */
function openNaive(ridge: number, memory: number): (row: readonly number[]) => Naive {
  const past: number[][] = []
  const keep = 1 - 1 / memory
  const variance: number[] = []
  const count: number[] = []
  /** Root of the variance, at least a fortieth of the (forgetting) range. */
  const ownScale = (j: number) => {
    let [low, high] = [Infinity, -Infinity]
    for (const { [j]: x } of past) {
      low = x < low ? x : low + (x - low) / memory
      high = x > high ? x : high + (x - high) / memory
    }
    return Math.max(Math.sqrt(variance[j] ?? 0), 0.025 * (high - low))
  }
  let predict: ((row: readonly number[]) => number[]) | undefined
  return row => {
    const expected = predict ? predict(past.at(-1)!) : row.map(() => NaN)
    let alarm = NaN
    let residuals: number[] = []
    if (predict) {
      const ready = count.length > 0 && count[0] >= 8
      const scales = row.map((x, j) => {
        return Math.max(ownScale(j), 0.001 * Math.abs(x))
      })
      const distances = row.map((x, j) => Math.abs(x - expected[j]) / scales[j])
      residuals = distances.map(z => (z > 6 ? 6 + 6 * Math.log(z / 6) : z))
      if (ready) alarm = Math.hypot(...residuals)
      row.forEach((x, j) => {
        const most = ready ? 0.1 * ownScale(j) ** 2 : Infinity
        count[j] = (count[j] ?? 0) + 1
        variance[j] ??= 0
        variance[j] += Math.min(most, ((x - expected[j]) ** 2 - variance[j]) * Math.min(1, 2 / count[j]))
      })
    }
    past.push([...row])
    const n = past.length
    if (n >= 32 && Number.isInteger(Math.log2(n))) {
      const width = row.length
      const ages = past.map((_, i) => keep ** (n - 1 - i))
      const weight = ages.reduce((a, b) => a + b)
      const shifted = past.map(other => other.map((x, j) => x - past[0][j]))
      const mean = row.map((_, j) => shifted.reduce((sum, other, i) => sum + ages[i] * other[j], 0) / weight)
      const moment = (lag: number, a: number, b: number) => {
        let sum = 0
        for (let i = lag; i < n; i++) sum += Math.sqrt(ages[i] * ages[i - lag]) * shifted[i][a] * shifted[i - lag][b]
        return sum / weight - mean[a] * mean[b]
      }
      const spread = row.map((_, j) => Math.sqrt(moment(0, j, j)))
      const more = ridge + width / weight
      const left = row.map((_, a) => row.map((_, b) => moment(0, b, a) / (spread[a] * spread[b]) + (a === b ? more : 0)))
      const weights = row.map((_, j) =>
        eliminate(
          left.map(line => [...line]),
          row.map((_, a) => moment(1, j, a) / (spread[j] * spread[a])),
        ).map((value, a) => (value * spread[j]) / spread[a]),
      )
      const origin = past[0]
      predict = last =>
        row.map((_, j) => origin[j] + mean[j] + weights[j].reduce((sum, w, a) => sum + w * (last[a] - origin[a] - mean[a]), 0))
    }
    return { alarm, expected, residuals }
  }
}

/** Gaussian elimination with pivots. */
function eliminate(a: number[][], b: number[]): number[] {
  const n = b.length
  for (let i = 0; i < n; i++) {
    let pivot = i
    for (let k = i; k < n; k++) if (Math.abs(a[k][i]) > Math.abs(a[pivot][i])) pivot = k
    ;[a[i], a[pivot]] = [a[pivot], a[i]]
    ;[b[i], b[pivot]] = [b[pivot], b[i]]
    for (let k = 0; k < n; k++) {
      if (k === i) continue
      const factor = a[k][i] / a[i][i]
      for (let j = i; j < n; j++) a[k][j] -= factor * a[i][j]
      b[k] -= factor * b[i]
    }
  }
  return b.map((value, i) => value / a[i][i])
}

describe('vector-autoregressive', () => {
  it('agrees with its naive twin', () => {
    const rows = makeRows(300, 3)
    const naive = openNaive(0.1, 500)
    const judged = follow(openVectorAutoregressive({ ...options, memory: 500, clip: 1e6 }), rows)
    let seen = 0
    rows.forEach((row, i) => {
      const { alarm, expected, residuals } = naive(row)
      if (Number.isNaN(alarm)) return expect(judged[i].alarm).toBe(NaN)
      expect(judged[i].alarm).toBeCloseTo(alarm, 6)
      residuals.forEach((residual, c) => expect(judged[i].contributions![c]).toBeCloseTo(residual ** 2, 6))
      expect(judged[i].expected).toBeCloseTo(expected[judged[i].channel!], 6)
      seen++
    })
    expect(seen).toBe(300 - 40)
  })

  it('keeps its golden scores', () => {
    const rows = makeRows(200, 4)
    rows[150][2] += 5
    const judged = follow(openVectorAutoregressive(options), rows)
    expect([39, 40, 100, 150, 151, 199].map(i => Number(judged[i].score.toFixed(4)))).toMatchInlineSnapshot(`
      [
        NaN,
        1.7548,
        1.813,
        2.2662,
        3.7063,
        1.8504,
      ]
    `)
  })

  it('names the channel that left the others, also where its value is usual', () => {
    const rows = makeRows(800, 5)
    const high = Math.max(...rows.map(row => row[3]))
    const low = rows.findIndex((row, i) => i > 700 && row[3] < 395)
    rows[low][3] = high
    const { score, alarm, channel, value, expected, lower, upper } = follow(openVectorAutoregressive(options), rows)[low]
    expect(channel).toBe(3)
    expect(value).toBe(high)
    expect(expected).toBeLessThan(high - 10)
    expect(lower).toBeLessThan(expected)
    expect(upper).toBeLessThan(high)
    expect(alarm).toBeGreaterThan(8)
    expect(score).toBeLessThan(alarm!)
  })

  it('holds the ranking score up after an incident, and the alarm not', () => {
    const rows = makeRows(600, 4)
    rows[500] = rows[500].map(x => x + 50)
    const judged = follow(openVectorAutoregressive(options), rows)
    expect(judged[505].score).toBeGreaterThan(2 * judged[499].score)
    expect(judged[505].score).toBeGreaterThan(judged[505].alarm!)
    expect(judged[560].score).toBeLessThan(1.5 * judged[499].score)
  })

  it('lives with constant channels, holes in channels and whole holes', () => {
    const rows = makeRows(900, 4).map((row, i) => [...row, 7, i % 3 === 0 ? NaN : 3 + Math.sin(i), NaN])
    for (let i = 600; i < 650; i++) rows[i] = rows[i].map(() => NaN)
    rows[800][4] = 8
    const judged = follow(openVectorAutoregressive(options), rows)
    expect(judged.slice(600, 650).every(({ score, alarm }) => Number.isNaN(score) && Number.isNaN(alarm))).toBe(true)
    expect([...judged.slice(100, 600), ...judged.slice(651)].every(({ score }) => Number.isFinite(score))).toBe(true)
    expect(Math.max(...judged.slice(651, 800).map(({ alarm }) => alarm!))).toBeLessThan(15)
    expect(judged[800].channel).toBe(4)
    expect(judged[800].alarm).toBeGreaterThan(10)
  })

  /** A tide of one channel, or of two, with this gap in the first. */
  const tideWith = (from: number, to: number, channels: number) => {
    const random = noise(8)
    return Array.from({ length: 1500 }, (_, i) =>
      Array.from({ length: channels }, (_, c) => {
        const value = 100 + 40 * Math.sin((2 * Math.PI * i) / 288 + c) + random()
        return c === 0 && i >= from && i < to ? NaN : value
      }),
    )
  }

  // 1,224 is a crest of the tide: the mean is far below.
  it.each([
    [1, 1],
    [3, 1],
    [12, 1],
    [72, 1],
    [12, 2],
    [12, 3],
  ])('is not alarmed by the end of a gap of %i rows in a tide, with %i channels', (rows, channels) => {
    for (const lags of [1, 4]) {
      const judged = follow(openVectorAutoregressive({ ...options, lags }), tideWith(1224 - rows, 1224, channels))
      const alarms = judged.map(({ alarm }) => alarm!)
      const usual = Math.max(...alarms.slice(700, 1000))
      for (const alarm of alarms.slice(1224 - rows, 1240)) if (!Number.isNaN(alarm)) expect(alarm).toBeLessThan(1.3 * usual)
      expect(alarms.slice(1225, 1240).every(Number.isFinite)).toBe(true)
      if (channels === 1) expect(Number.isNaN(alarms[1224])).toBe(rows > 3)
    }
  })

  it('judges nothing right after a silence, and starts anew there', () => {
    for (const lags of [1, 4]) {
      const stream = openVectorAutoregressive({ ...options, lags })
      const rows = tideWith(0, 0, 2)
      const usual = Math.max(
        ...follow(stream, rows.slice(0, 1080))
          .slice(700)
          .map(({ alarm }) => alarm!),
      )
      const after = follow(stream, rows.slice(1224, 1260), 1224)
      expect(after[0].alarm).toBeNaN()
      for (const { alarm } of after.slice(1)) expect(alarm).toBeLessThan(1.3 * usual)
    }
  })

  it('goes on from a snapshot of before gaps were counted', () => {
    const first = openVectorAutoregressive(options)
    const rows = makeRows(100, 2)
    follow(first, rows)
    const old = structuredClone(first.snapshot()) as unknown as { blocks: { missing?: Float64Array }[] }
    for (const block of old.blocks) delete block.missing
    const second = openVectorAutoregressive(options, old as unknown as State)
    expect(follow(second, rows, 100)).toEqual(follow(first, rows, 100))
  })

  it('is not poisoned by an outage that it has seen', () => {
    const calm = follow(openVectorAutoregressive(options), makeRows(3000, 4)).slice(2500)
    const rows = makeRows(3000, 4)
    for (let i = 1500; i < 1520; i++) rows[i] = rows[i].map(x => x * 1000)
    const after = follow(openVectorAutoregressive(options), rows).slice(2500)
    const mean = (said: typeof calm) => said.reduce((sum, { alarm }) => sum + alarm!, 0) / said.length
    expect(mean(after)).toBeGreaterThan(0.3 * mean(calm))
    expect(mean(after)).toBeLessThan(1.5 * mean(calm))
  })

  it('goes on from a snapshot, with channels, and keeps its size', () => {
    const rows = makeRows(400, 6)
    const whole = openVectorAutoregressive(options)
    const all = follow(whole, rows)
    const first = openVectorAutoregressive(options)
    follow(first, rows.slice(0, 250))
    const second = openVectorAutoregressive(options, structuredClone(first.snapshot()) as State)
    expect(follow(second, rows.slice(250), 250)).toEqual(all.slice(250))
    expect(second.snapshot()).toEqual(whole.snapshot())
    expect(bytesOf(whole.snapshot())).toBe(8 * 3 * 36 + 8 * 11 * 6)
  })

  it('predicts many channels in blocks, with fewer lags', () => {
    const rows = makeRows(150, 130)
    rows[140][100] += 1e5
    const stream = openVectorAutoregressive({ ...options, lags: 10 })
    const judged = follow(stream, rows)
    expect(judged[140].channel).toBe(100)
    expect(judged[140].alarm).toBeGreaterThan(1.5 * judged[139].alarm!)
    const { blocks } = stream.snapshot() as unknown as { blocks: { size: number; lags: number }[] }
    expect(blocks.map(({ size, lags }) => [size, lags])).toEqual([
      [43, 7],
      [43, 7],
      [44, 7],
    ])
  })

  it('says channel and alarm in the columns of a frame', () => {
    const rows = makeRows(200, 3)
    const times = Float64Array.from(rows, (_, i) => i * 60_000)
    const columns = Object.fromEntries([0, 1, 2].map(c => [`m${c}`, Float64Array.from(rows, row => row[c])]))
    const input: Frame = { labels: {}, times, columns }
    const said = vectorAutoregressive.create(options).detect(input, { start: 0, end: times[199] + 1 }).columns
    const judged = follow(openVectorAutoregressive(options), rows)
    expect([...said.alarm!]).toEqual(judged.map(({ alarm }) => alarm))
    expect([...said.channel!]).toEqual(judged.map(({ channel }) => channel))
  })
})

/** Bytes of the typed arrays inside. */
function bytesOf(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength
  return typeof value === 'object' && value !== null
    ? Object.values(value).reduce((sum: number, part) => sum + bytesOf(part), 0)
    : 0
}
