import { describe, expect, it } from 'vitest'
import type { Detector, Fit, Judgement, Model, Models, State, Stream } from '../detectors/detector.ts'
import { fromStream, runStream } from '../detectors/from-stream.ts'
import { HOUR } from '../duration.ts'
import { detectorLaws } from './detector-laws.ts'

/** Distance from the mean of all rows, in mean distances: small, honest, and the stock from which lawbreakers are cut. */
function openHonest(snapshot?: State): Stream & { readonly memory: Memory } {
  const memory: Memory = snapshot ? { ...(snapshot as unknown as Memory) } : { version: 1, count: 0, mean: 0, distance: 0 }
  return {
    memory,
    score(_time, row) {
      const decided = memory.count >= 10
      const scale = Math.max(memory.distance, 0.01 * Math.abs(memory.mean), 0.01)
      const known = Math.abs(row[0]) < 1e100
      return {
        score: decided && known ? Math.abs(row[0] - memory.mean) / scale : NaN,
        value: row[0],
        expected: decided ? memory.mean : NaN,
        lower: decided ? memory.mean - 4 * scale : NaN,
        upper: decided ? memory.mean + 4 * scale : NaN,
      }
    },
    learn(_time, row) {
      if (!(Math.abs(row[0]) < 1e100)) return
      memory.count++
      const error = Math.max(-100, Math.min(100, row[0] - memory.mean))
      memory.mean += (memory.count < 10 ? row[0] - memory.mean : error) / Math.min(memory.count, 100)
      memory.distance += (Math.abs(error) - memory.distance) / Math.min(memory.count, 100)
    },
    snapshot: () => ({ ...memory }),
  }
}
interface Memory extends Record<string, unknown> {
  version: 1
  count: number
  mean: number
  distance: number
}

const honest = fromStream({ lookback: HOUR, open: openHonest })

/** The honest stream, with some verbs replaced. */
function twist(change: (stream: ReturnType<typeof openHonest>, snapshot?: State) => Partial<Stream>): Detector {
  return fromStream({
    lookback: HOUR,
    open: snapshot => {
      const stream = openHonest(snapshot)
      return { ...stream, ...change(stream, snapshot) }
    },
  })
}
const rescore = (change: (judgement: Judgement, time: number, row: ArrayLike<number>) => Partial<Judgement>) =>
  twist(stream => ({
    score: (time, row) => {
      const judgement = stream.score(time, row)
      return { ...judgement, ...change(judgement, time, row) }
    },
  }))

interface Learned extends State {
  readonly start: number
  readonly last: number
  readonly rows: number
  readonly tried: number
  readonly model: Model | undefined
  readonly inner: State
}

/** The honest stream, whose model is its mean at the time of the fit: a learner as small as can be. */
function openLearner(snapshot?: State, models?: Models): Stream {
  const before = snapshot as Learned | undefined
  const stream = openHonest(before?.inner)
  let { start = NaN, last = NaN, rows = 0 } = before ?? {}
  const fitted = models?.model?.state as (State & Memory) | undefined
  return {
    score(time, row) {
      const judgement = stream.score(time, row)
      if (!fitted) return judgement
      return { ...judgement, expected: fitted.mean, score: Math.abs(row[0] - fitted.mean) / Math.max(fitted.distance, 0.01) }
    },
    learn(time, row) {
      if (rows === 0) start = time
      last = time
      rows++
      stream.learn(time, row)
    },
    snapshot: () => ({ version: 1, start, last, rows, inner: stream.snapshot() }),
    wants: () => (models && !fitted && rows >= 100 ? 'first' : undefined),
  }
}

function* fitLearner(snapshot: State, model?: Model): Generator<number, Fit | undefined> {
  const { rows, start, last, inner } = snapshot as Learned
  if (rows < 100) return undefined
  for (const done of [0.25, 0.5, 0.75]) yield done
  const state = structuredClone(inner) as State & Memory
  const current = model && { current: (model.state as State & Memory).distance }
  return { state, rows, range: { start, end: last + 1 }, validation: state.distance, ...current }
}

const learner = fromStream({ lookback: HOUR, open: openLearner, fit: fitLearner })
let leftovers = 0

/** Breaks of the laws of models. */
const badLearners: Readonly<Record<string, Detector>> = {
  'asks for fits when it is given models, and does none': fromStream({
    lookback: HOUR,
    fit: fitLearner,
    open(snapshot, models) {
      const stream = openLearner(snapshot, models)
      return { ...stream, wants: () => ((stream.snapshot() as Learned).rows > 200 ? undefined : stream.wants!()) }
    },
  }),
  'fits the same from the same snapshot, whatever was left half way': fromStream({
    lookback: HOUR,
    open: openLearner,
    *fit(snapshot, model) {
      const fitting = fitLearner(snapshot, model)
      for (;;) {
        const { done, value } = fitting.next()
        if (done) return value && { ...value, state: { ...value.state, leftovers } }
        leftovers++
        yield value
        if (value === 0.75) leftovers -= 3
      }
    },
  }),
  'goes on from its snapshot with the model that it was given': fromStream({
    lookback: HOUR,
    fit: fitLearner,
    open(snapshot, models) {
      const stream = openLearner(snapshot, models)
      let rows = 0
      return {
        ...stream,
        learn(time, row) {
          rows++
          stream.learn(time, row)
        },
        score(time, row) {
          const judgement = stream.score(time, row)
          return models?.model ? { ...judgement, score: judgement.score / (1 + rows) } : judgement
        },
      }
    },
  }),
  'keeps nothing of a model that is taken away': fromStream({
    lookback: HOUR,
    fit: fitLearner,
    open(snapshot, models) {
      const model = models?.model ?? (snapshot as Learned | undefined)?.model
      const stream = openLearner(snapshot, models && { ...models, ...(model ? { model } : {}) })
      return { ...stream, snapshot: () => ({ ...stream.snapshot(), model }) }
    },
  }),
}

let calls = 0

const lawbreakers: Readonly<Record<string, Detector>> = {
  'scores every row of the range and no other': {
    ...honest,
    detect: (input, range) => runStream(openHonest(), input, { ...range, start: range.start + 1 }),
  },
  'is deterministic': rescore(judgement => ({ score: judgement.score + (calls++ % 1000) })),
  'does not write into its input': {
    ...honest,
    detect: (input, range) => {
      Object.values<Float64Array>(input.columns)[0][3] = 0
      return honest.detect(input, range)
    },
  },
  'never says Infinity and never scores below zero': rescore(({ score, expected }) => ({
    score: score / (expected === 0 ? 0 : 1),
  })),
  'is undecided on little data': rescore(({ score }) => ({ score: Number.isNaN(score) ? 0 : score })),
  'says NaN of a row without a value': rescore(({ score }, _, row) => ({ score: Number.isNaN(row[0]) ? 0 : score })),
  'recovers after a gap': twist(stream => ({
    learn: (time, row) => {
      if (Number.isNaN(row[0])) stream.memory.mean = NaN
      stream.learn(time, row)
    },
  })),
  'does not look ahead': {
    ...honest,
    detect: (input, range) => {
      const scores = honest.detect(input, range)
      const last = Object.values<Float64Array>(input.columns)[0].at(-1)!
      return { ...scores, columns: { ...scores.columns, score: scores.columns.score.map(score => score + Math.abs(last)) } }
    },
  },
  'needs no more than its lookback': { ...honest, lookback: 1 },
  'gives a point one score whichever range is asked': {
    ...honest,
    detect: (input, range) => {
      const scores = honest.detect(input, range)
      const most = scores.columns.score.reduce((a, b) => (b > a ? b : a), 0.001)
      return { ...scores, columns: { ...scores.columns, score: scores.columns.score.map(score => score / most) } }
    },
  },
  'scores as a stream what it scores as a batch': {
    ...honest,
    open: snapshot => {
      const stream = openHonest(snapshot)
      return { ...stream, score: (time, row) => ({ ...stream.score(time, row), upper: NaN }) }
    },
  },
  'continues from its snapshot': twist(stream => ({
    snapshot: () => ({ ...stream.memory, mean: Math.round(stream.memory.mean) }),
  })),
  'is not taught by scoring': twist(stream => ({
    score: (time, row) => {
      stream.memory.count++
      return stream.score(time, row)
    },
  })),
  'does not grow without end': fromStream({
    lookback: HOUR,
    open: snapshot => {
      const rows: number[] = [...((snapshot?.rows as number[]) ?? [])]
      const stream = openHonest()
      for (const x of rows) stream.learn(0, [x])
      return {
        ...stream,
        learn: (time, row) => {
          rows.push(row[0])
          stream.learn(time, row)
        },
        snapshot: () => ({ version: 1, rows: [...rows] }),
      }
    },
  }),
  'ranks a spike first': rescore(({ score }) => ({ score: Math.min(score, 3) })),
  'notices a flat line that moves': rescore(({ score, expected, lower }) => ({
    score: expected - lower < 0.5 ? 0 : score,
  })),
  'gives the same scores for times shifted by whole weeks': rescore(({ score }, time) => ({ score: score * (time / 1e12) })),
}

describe('the laws of detectors', () => {
  for (const law of detectorLaws) {
    it(`an honest detector passes: ${law.name}`, () => law.check(honest))
    it(`an honest learner passes: ${law.name}`, () => law.check(learner))
    it(`catches one that breaks: ${law.name}`, () => {
      const breaker = lawbreakers[law.name] ?? badLearners[law.name]
      expect(breaker, 'every law must have a lawbreaker').toBeDefined()
      expect(() => law.check(breaker)).toThrow(/must|same|equal/)
    })
  }
  it('a lawbreaker breaks no more than it should, mostly: each passes at least half of the laws', () => {
    for (const [name, breaker] of Object.entries({ ...lawbreakers, ...badLearners })) {
      const passed = detectorLaws.filter(law => {
        try {
          law.check(breaker)
          return true
        } catch {
          return false
        }
      })
      expect(passed.length, name).toBeGreaterThan(detectorLaws.length / 2)
    }
  })
})
