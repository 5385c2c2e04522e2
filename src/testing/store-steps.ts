import assert from 'node:assert/strict'
import type { NewModel, Run, Store } from '../stores/store.ts'
import { sampleAnomaly, sampleModel, sampleRun, sampleScores } from './store-laws.ts'

const labels = { __name__: 'up', job: 'dns' }

/** The i-th commit (from 1) of a crash test: every part of it says `i`, so that half a commit shows. About 60 KB. */
export function crashStep(i: number): Run {
  const start = i * 100
  const times = Array.from({ length: 11 }, (_, k) => start + k)
  return sampleRun({
    range: { start, end: start + 50 },
    watermark: i,
    anomalies: [sampleAnomaly({ labels, start, end: start + 10, peak: start, ongoing: false })],
    snapshots: ['a', 'b', 'c'].map(detector => ({ labels, detector, time: i, state: new Uint8Array(20_000).fill(i) })),
    points: [{ detector: 'a', scores: sampleScores(times, labels) }],
    channels: ['log'],
    keepPoints: 1e12,
  })
}

/** The fit after the i-th commit, which is taken: every part of it says `i`. */
export function crashModel(i: number): NewModel {
  return sampleModel({ rows: i, range: { start: 0, end: i }, state: new Uint8Array(20_000).fill(i) })
}

/** Throws unless every step up to the watermark is there with all its parts, and nothing of a later one, and one whole model is in force;
 * gives the last step. */
export async function checkSteps(store: Store): Promise<number> {
  const last = (await store.flow('f'))?.watermark ?? 0
  const snapshots = await store.snapshots('f')
  assert.deepEqual(
    snapshots.map(({ time, state }) => [time, state[0], state.at(-1)]),
    snapshots.map(() => [last, last % 256, last % 256]),
  )
  const starts = Array.from({ length: last }, (_, i) => (i + 1) * 100)
  const points = await store.points('f', labels, 'a', { start: 0, end: Infinity })
  assert.deepEqual(
    [...(points?.times ?? [])],
    starts.flatMap(start => Array.from({ length: 11 }, (_, k) => start + k)),
  )
  const anomalies = await store.anomalies({ limit: Infinity })
  assert.deepEqual(
    anomalies.map(({ start }) => start),
    starts.toReversed(),
  )
  assert.deepEqual(
    (await store.outbox('log', Infinity, Infinity)).map(({ anomaly }) => anomaly.start),
    starts,
  )
  assert.equal((await store.runs('f', 1))[0]?.range.start ?? 0, last * 100)
  const [inForce] = await store.modelsInForce('f')
  const taken = inForce?.version ?? 0
  assert.ok(taken === last || taken === last - 1, `the model of step ${last} or the one before it must be in force, got ${taken}`)
  assert.deepEqual(
    inForce && [inForce.rows, inForce.state[0], inForce.state.at(-1)],
    inForce && [taken, taken % 256, taken % 256],
  )
  assert.deepEqual(
    (await store.models()).map(({ version, status }) => `${version} ${status}`),
    Array.from({ length: Math.min(taken, 5) }, (_, k) => `${taken - k} ${k === 0 ? 'in force' : 'retired'}`),
  )
  return last
}
