import { serialize } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { MINUTE } from '../../duration.ts'
import { seededRandom } from '../../math/random.ts'
import { finish } from '../../models/boosted-trees/fit-boosted-trees.ts'
import type { Detector, Fit, Model, Models, State, Stream } from '../detector.ts'
import { detectors } from '../index.ts'

const NO_MODEL: Models = { tried: NaN }
const NETWORK = { units: 8, steps: 8, epochs: 6, windows: 256, rate: 0.01, memory: 1024, warmUp: 256, refit: 1024 }
const CASES: readonly (readonly [string, object])[] = [
  ['gru', NETWORK],
  ['lstm-autoencoder', NETWORK],
  ['boosted-trees', { lags: 6, trees: 20, depth: 3, history: 1024 }],
]

/** Two columns in a circle of 24 rows; `swap` exchanges what they do, `noise` is their own. */
function circle(seed: number, { level = 0, size = 1 } = {}) {
  const random = seededRandom(seed)
  const noise = () => 0.3 * (random.next() + random.next() - 1)
  return (i: number, { phase = 0, loud = 1 } = {}) => {
    const angle = (2 * Math.PI * i) / 24
    return [
      level + size * (1000 + 100 * (Math.sin(angle) + loud * noise())),
      level / 100 + size * (5 + 0.5 * (Math.cos(angle + phase) + loud * noise())),
    ]
  }
}

function go(stream: Stream, from: number, to: number, row: (i: number) => number[]): number[] {
  const alarms: number[] = []
  for (let i = from; i < to; i++) {
    const values = row(i)
    const judgement = stream.score(i * MINUTE, values)
    alarms.push(judgement.alarm ?? judgement.score)
    stream.learn(i * MINUTE, values)
  }
  return alarms
}

const fitOf = (detector: Detector, state: State, model?: Model): Fit => finish(detector.fit!(state, model))!
/** Weights or trees in a snapshot. */
function ownModel(state: State): number {
  const { weights, metrics } = state as { weights?: Float32Array; metrics?: readonly { trees?: object }[] }
  return weights?.length ?? metrics!.filter(({ trees }) => trees).length
}

/** Of the only column of a model. */
function unitOf(state: State): number {
  const { unit, metrics } = state as { unit?: Float64Array; metrics?: readonly { unit: number }[] }
  return unit?.[0] ?? metrics![0].unit
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

describe.each(CASES)('%s with models given', (type, options) => {
  const { config, create } = detectors[type]
  const detector = create(config.parse(options))
  const columns = circle(1)
  const teacher = detector.open!(undefined, NO_MODEL)
  const cold = go(teacher, 0, 800, columns)
  const taught = teacher.snapshot()
  const fit = fitOf(detector, taught)
  const models: Models = { model: { version: 1, state: fit.state }, tried: fit.range.end }

  it('judges by a plain detector until there is a model, and leaves weights out of its snapshot', () => {
    expect(cold.slice(60).every(Number.isFinite)).toBe(true)
    expect(mean(cold.slice(100))).toBeGreaterThan(0.3)
    expect(mean(cold.slice(100))).toBeLessThan(1.5)
    const silent = create(config.parse({ ...options, coldStart: false })).open!(undefined, NO_MODEL)
    expect(go(silent, 0, 400, columns).every(Number.isNaN)).toBe(true)
    const stream = detector.open!(taught, models)
    go(stream, 800, 900, columns)
    expect(Object.keys(stream.snapshot())).not.toContain('cold')
    expect(serialize(stream.snapshot()).length).toBeLessThan(serialize(taught).length)
  })

  it('says what the fit saw, learned and is worth', () => {
    expect(fit.range).toEqual({ start: 0, end: 799 * MINUTE + 1 })
    expect(fit.rows).toBe(680)
    expect(fit.validation).toBeGreaterThan(0)
    expect(fit.validation).toBeLessThan(1)
    expect(fit.current).toBeUndefined()
    expect(fitOf(detector, taught, models.model).current).toBeCloseTo(fit.validation, 1)
  })

  it('lets a new pod judge at once with the model of its workload, and by its own scale when it has one', () => {
    const pod = detector.open!(undefined, models)
    const alarms = go(pod, 0, 300, circle(2))
    expect(alarms.findIndex(Number.isFinite)).toBeLessThan(8)
    expect(mean(alarms.slice(20))).toBeLessThan(2)
    expect(pod.wants!()).toBeUndefined()
    // Twice the traffic: more than usual to the model, and usual to the pod after its warm-up.
    const large = detector.open!(undefined, models)
    const alarmed = go(large, 0, 255, circle(3, { size: 2 }))
    expect(Math.max(...alarmed.filter(Number.isFinite))).toBeGreaterThan(type === 'boosted-trees' ? 2 : 5)
    const { centre } = large.snapshot() as { centre?: Float64Array }
    if (centre) expect(centre[0]).toBeLessThan(1100)
    const settled = mean(go(large, 255, 300, circle(3, { size: 2 })).slice(2))
    expect(settled).toBeLessThan(1.5)
    expect(settled).toBeGreaterThan(0.6)
    const own = large.snapshot() as { centre?: Float64Array }
    if (own.centre) expect(own.centre[0]).toBeGreaterThan(1900)
    expect(mean(go(large, 300, 500, circle(3, { size: 2 })))).toBeLessThan(1.5)
  })

  it('scales by the rows that a stream has when it adopts a model', () => {
    const stream = detector.open!(undefined, NO_MODEL)
    go(stream, 0, 300, circle(3, { size: 2 }))
    const adopted = detector.open!(stream.snapshot(), models)
    const alarms = go(adopted, 300, 500, circle(3, { size: 2 }))
    // Trees have no scale; the usual size of their errors is soon that of the stream.
    expect(mean(type === 'boosted-trees' ? alarms.slice(100) : alarms.slice(0, 10))).toBeLessThan(2)
    const { centre } = adopted.snapshot() as { centre?: Float64Array }
    if (centre) expect(centre[0]).toBeGreaterThan(1900)
  })

  it('judges a model in force in a fit as its stream did', () => {
    const row = (i: number) => [columns(i)[0] * (i < 600 ? 1 : 2)]
    const single = detector.open!(undefined, NO_MODEL)
    go(single, 0, 500, row)
    const first = fitOf(detector, single.snapshot())
    const model = { version: 1, state: first.state }
    const stream = detector.open!(single.snapshot(), { model, tried: first.range.end })
    const distances: number[] = []
    for (let i = 500; i < 900; i++) {
      const values = row(i)
      const { value, expected } = stream.score(i * MINUTE, values)
      distances.push(Math.abs(value - expected))
      stream.learn(i * MINUTE, values)
    }
    const second = fitOf(detector, stream.snapshot(), model)
    const unit = unitOf(second.state)
    const held = distances.slice(second.rows - 900)
    expect(second.rows).toBeLessThan(900)
    expect(second.current).toBeCloseTo(mean(held.map(distance => Math.min(10, distance / unit))), 5)
    if (type !== 'boosted-trees') expect(second.state.weights).not.toEqual(fitOf(detector, stream.snapshot()).state.weights)
  })

  it('judges by a plain detector at once when its model is taken away', () => {
    const stream = detector.open!(taught, models)
    go(stream, 800, 850, columns)
    const alarms = go(detector.open!(stream.snapshot(), { tried: models.tried }), 850, 900, columns)
    expect(alarms.every(Number.isFinite)).toBe(true)
    expect(mean(alarms)).toBeLessThan(1.5)
  })

  it('adopts another version, an earlier one too, and does not judge with a model of other columns', () => {
    const stream = detector.open!(taught, models)
    go(stream, 800, 1024, columns)
    const snapshot = stream.snapshot()
    const later = fitOf(detector, snapshot, models.model)
    const judge = (given: Models) => go(detector.open!(snapshot, given), 1024, 1060, columns)
    const second: Models = { model: { version: 2, state: later.state }, tried: later.range.end }
    expect(judge(second)).not.toEqual(judge(models))
    const adopted = detector.open!(snapshot, second)
    go(adopted, 1024, 1060, columns)
    const back = detector.open!(adopted.snapshot(), { ...models, tried: second.tried })
    const alarms = go(back, 1060, 1100, columns)
    expect(mean(alarms)).toBeLessThan(2)
    const narrow = detector.open!(undefined, models)
    expect(
      go(narrow, 0, 200, i => [columns(i)[0]])
        .slice(60)
        .every(Number.isFinite),
    ).toBe(true)
    expect(Object.keys(narrow.snapshot())).toContain('cold')
  })

  it('notices that columns go together in another way, or are louder, and that nothing has changed', () => {
    const reason = (change: { phase?: number; loud?: number }) => {
      const stream = detector.open!(taught, models)
      for (let i = 800; i < 1300; i++) {
        stream.learn(i * MINUTE, columns(i, change))
        if (stream.wants!()) return [stream.wants!(), i] as const
      }
      return ['nothing', 1300] as const
    }
    expect(reason({})).toEqual(['nothing', 1300])
    const [said, at] = reason({ loud: 3 })
    expect(said).toBe('drift')
    expect(at).toBeLessThan(1100)
    if (type === 'lstm-autoencoder') expect(reason({ phase: Math.PI })[0]).toBe('drift')
  })

  it('leaves nothing behind when a fit is interrupted, and fits beside another one', () => {
    const first = detector.fit!(taught)
    const second = detector.fit!(taught)
    first.next()
    second.next()
    first.next()
    second.return(undefined)
    expect(finish(first)).toEqual(fit)
    expect(fitOf(detector, taught)).toEqual(fit)
  })

  it('learns by itself again when it is opened without models', () => {
    const alone = detector.open!(taught)
    expect(alone.wants!()).toBeUndefined()
    const alarms = go(alone, 800, 830, columns)
    expect(alarms.every(Number.isFinite)).toBe(true)
    expect(Object.keys(alone.snapshot())).not.toContain('life')
    const given = detector.open!(alone.snapshot(), NO_MODEL)
    expect(given.wants!()).toBe('first')
    expect(ownModel(alone.snapshot())).toBeGreaterThan(0)
    expect(ownModel(given.snapshot())).toBe(0)
  })
})
