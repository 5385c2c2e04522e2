import assert from 'node:assert/strict'
import type { Anomaly, Labels } from '../anomaly.ts'
import type { Scores } from '../detectors/detector.ts'
import { DAY } from '../duration.ts'
import type { Message, ModelKey, NewModel, Run, RunLog, Store } from '../stores/store.ts'

/** What the laws of stores run over. */
export interface StoreSubject {
  /** A fresh, empty store. */
  make(): Promise<Store> | Store
  /** Closes the store and opens what it left behind; stores that forget everything have none. */
  readonly reopen?: (store: Store) => Promise<Store> | Store
}

export interface StoreLaw {
  readonly name: string
  /** Throws when the law is broken. */
  check(subject: StoreSubject): Promise<void>
}

const LABELS: Labels = { __name__: 'coredns_dns_requests_total', instance: 'a:9153' }

/** An anomaly for tests. */
export function sampleAnomaly(more: Partial<Anomaly> = {}): Anomaly {
  return {
    labels: LABELS,
    detector: 'seasonal',
    start: 40,
    end: 50,
    peak: 45,
    score: 7.5,
    strength: 2.5,
    direction: 'up',
    current: 480,
    expected: 12,
    lower: NaN,
    upper: Infinity,
    ongoing: true,
    shape: 'level-shift',
    numbers: { before: 12, after: NaN },
    columns: [
      { name: 'a', share: 0.75, value: 480, expected: 12 },
      { name: 'b', share: 0.25, value: NaN },
    ],
    sentence: 'Requests rose from 12 to 480.',
    ...more,
  }
}

/** Scores of one series for tests: a row for each time, its value the time. */
export function sampleScores(times: readonly number[], labels: Labels = LABELS): Scores {
  const column = (add: number) => Float64Array.from(times, time => time + add)
  const columns = {
    score: column(0.5).fill(NaN, 0, 1),
    value: column(0),
    expected: column(1),
    lower: column(-1),
    upper: column(2),
  }
  return { labels, times: Float64Array.from(times), columns }
}

/** A run over [0, 50) at time 1000 that found nothing, for tests. */
export function sampleRun(more: Partial<Run> = {}): Run {
  return {
    flow: 'f',
    range: { start: 0, end: 50 },
    startedAt: 999,
    finishedAt: 1000,
    anomalies: [],
    mergeGap: 5,
    watermark: NaN,
    snapshots: [],
    forgotten: [],
    points: [],
    keepPoints: 1e6,
    diagnostics: [],
    channels: ['log', 'hook'],
    annotations: { owner: 'dns' },
    series: 1,
    ...more,
  }
}

/** A fit of rows [0, 50) at time 1000, for tests. */
export function sampleModel(more: Partial<NewModel> = {}): NewModel {
  return {
    ...WORKLOAD,
    reason: 'schedule',
    createdAt: 1000,
    range: { start: 0, end: 50 },
    rows: 40,
    configuration: '0123456789abcdef',
    validation: 0.5,
    current: 0.75,
    seconds: 2.5,
    state: new Uint8Array([0, 7, 255]),
    ...more,
  }
}

const WORKLOAD: ModelKey = { flow: 'f', detector: 'lstm', workload: { job: 'dns', zone: 'a' } }

const failure: RunLog = {
  flow: 'f',
  startedAt: 1000,
  finishedAt: 1001,
  range: { start: 0, end: 50 },
  status: 'failed',
  error: 'no answer',
  series: 0,
  anomalies: 0,
  changes: 0,
  diagnostics: [{ level: 'error', message: 'no answer', request: 'curl x' }],
}

const kinds = (messages: readonly Message[]) => messages.map(({ kind }) => kind)
const said = (messages: readonly Message[]) => messages.map(({ kind, anomaly }) => `${kind} ${anomaly.start}-${anomaly.end}`)

/** Everything that can be read, for comparing. */
export async function readAll(
  store: Store,
  flows: readonly string[],
  channels: readonly string[],
  series: readonly Labels[],
  now: number,
) {
  const range = { start: -Infinity, end: Infinity }
  const each = <Key, Value>(keys: readonly Key[], read: (key: Key) => Promise<Value>) => Promise.all(keys.map(read))
  return {
    anomalies: await store.anomalies({ limit: 1e6, includeIgnored: true }),
    withdrawn: await store.anomalies({ limit: 1e6, includeIgnored: true, status: 'withdrawn' }),
    flows: await store.flows(),
    runs: await each(flows, flow => store.runs(flow, 1000)),
    snapshots: await each(flows, flow => store.snapshots(flow)),
    points: await each(flows, flow => each(series, labels => store.points(flow, labels, 'seasonal', range))),
    outbox: await each(channels, channel => store.outbox(channel, now, 1e6)),
    channels: await store.channels(),
    notifications: await store.notifications((await store.anomalies({ limit: 1e6, includeIgnored: true })).map(({ id }) => id)),
    models: await store.models(),
    inForce: await each(flows, flow => store.modelsInForce(flow)),
  }
}

const law = (name: string, check: (store: Store, subject: StoreSubject) => Promise<void>): StoreLaw => ({
  name,
  async check(subject) {
    const store = await subject.make()
    try {
      await check(store, subject)
    } finally {
      await store.close()
    }
  },
})

/** What every store promises. */
export const storeLaws: readonly StoreLaw[] = [
  law('gives an anomaly back as it was committed', async store => {
    const [{ anomaly }] = await store.commit(sampleRun({ anomalies: [sampleAnomaly()] }))
    const { id, version, flow, status, openedAt, updatedAt, annotations, ...facts } = (await store.anomaly(anomaly.id))!
    assert.deepEqual(facts, sampleAnomaly())
    assert.deepEqual(
      { version, flow, status, openedAt, updatedAt, annotations, id },
      {
        version: 1,
        flow: 'f',
        status: 'open',
        openedAt: 1000,
        updatedAt: 1000,
        annotations: { owner: 'dns' },
        id: anomaly.id,
      },
    )
    assert.equal(await store.anomaly('unknown'), undefined)
  }),
  law('a run said twice changes nothing but the log', async store => {
    const run = sampleRun({
      anomalies: [sampleAnomaly(), sampleAnomaly({ start: 10, end: 20, peak: 12, ongoing: false })],
      points: [{ detector: 'seasonal', scores: sampleScores([10, 20, 30]) }],
      snapshots: [{ labels: LABELS, detector: 'seasonal', time: 50, state: new Uint8Array([1, 2]) }],
    })
    const read = async () => {
      const { runs: _, flows: __, ...rest } = await readAll(store, ['f'], ['log', 'hook'], [LABELS], 1e6)
      return rest
    }
    assert.equal((await store.commit(run)).length, 3)
    const before = await read()
    assert.deepEqual(await store.commit({ ...run, finishedAt: 2000 }), [])
    assert.deepEqual(await read(), before)
    assert.equal((await store.runs('f')).length, 2)
  }),
  law('a commit replaces what was said of its range, and only of its flow', async store => {
    await store.commit(sampleRun({ anomalies: [sampleAnomaly()] }))
    await store.commit(sampleRun({ flow: 'g', anomalies: [sampleAnomaly()] }))
    const [change] = await store.commit(sampleRun({ range: { start: 20, end: 60 }, finishedAt: 1100 }))
    assert.equal(change.kind, 'withdrawn')
    assert.equal((await store.anomaly(change.anomaly.id))!.status, 'withdrawn')
    assert.deepEqual(
      (await store.anomalies()).map(({ flow }) => flow),
      ['g'],
    )
  }),
  law('an open anomaly ends when a later run is far beyond it', async store => {
    await store.commit(sampleRun({ anomalies: [sampleAnomaly()] }))
    const changes = await store.commit(sampleRun({ range: { start: 500, end: 600 } }))
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      ['resolved'],
    )
  }),
  law('an id stays through updates and comes back after a withdrawal', async store => {
    const [{ anomaly }] = await store.commit(sampleRun({ anomalies: [sampleAnomaly()] }))
    await store.commit(sampleRun({ range: { start: 50, end: 60 }, anomalies: [sampleAnomaly({ start: 50, end: 60, peak: 55 })] }))
    assert.deepEqual((await store.anomaly(anomaly.id))!.end, 60)
    await store.commit(sampleRun({ range: { start: 0, end: 70 } }))
    const [again] = await store.commit(sampleRun({ range: { start: 0, end: 70 }, anomalies: [sampleAnomaly({ end: 70 })] }))
    assert.deepEqual([again.kind, again.anomaly.id, again.anomaly.version], ['opened', anomaly.id, 4])
  }),
  law('a second look at the past neither opens nor cuts what a later look saw', async store => {
    await store.commit(sampleRun({ range: { start: 0, end: 90 }, anomalies: [sampleAnomaly({ end: 80, ongoing: false })] }))
    const past = sampleRun({ range: { start: 0, end: 60 }, anomalies: [sampleAnomaly({ end: 60 })] })
    assert.deepEqual(await store.commit(past), [])
  }),
  law('keeps what was said of rows that a run does not know, and how far any run knew', async store => {
    const unknown = (from: number) => ({ from, except: [], stretches: [] })
    const knownUntil = async () => (await store.flow('f'))?.horizon
    await store.commit(sampleRun({ anomalies: [sampleAnomaly()] }))
    assert.equal(await knownUntil(), 50)
    assert.deepEqual(await store.commit(sampleRun({ range: { start: 20, end: 90 }, unknown: unknown(20) })), [])
    assert.equal(await knownUntil(), 50)
    const [change] = await store.commit(sampleRun({ range: { start: 20, end: 90 }, unknown: unknown(60) }))
    assert.equal(change.kind, 'withdrawn')
    assert.equal(await knownUntil(), 60)
  }),
  law('lists anomalies by flow, status, range and limit, newest first, ignored ones on request', async store => {
    const over = { ongoing: false }
    const found = [
      sampleAnomaly({ start: 10, end: 15, peak: 10, ...over }),
      sampleAnomaly({ start: 22, end: 28, peak: 22, ...over, ignored: 'too short' }),
      sampleAnomaly(),
    ]
    await store.commit(sampleRun({ anomalies: found }))
    await store.commit(sampleRun({ flow: 'g', anomalies: [sampleAnomaly({ start: 12, end: 20, peak: 12, ...over })] }))
    const starts = async (filter?: Parameters<Store['anomalies']>[0]) => (await store.anomalies(filter)).map(({ start }) => start)
    assert.deepEqual(await starts(), [40, 12, 10])
    assert.deepEqual(await starts({ includeIgnored: true }), [40, 22, 12, 10])
    assert.deepEqual(await starts({ flow: 'f' }), [40, 10])
    assert.deepEqual(await starts({ status: 'open' }), [40])
    assert.deepEqual(await starts({ range: { start: 15, end: 40 } }), [12])
    assert.deepEqual(await starts({ limit: 2 }), [40, 12])
  }),

  law('gives snapshots back, replaced by stream, without those forgotten', async store => {
    const other = { ...LABELS, instance: 'b:9153' }
    const snapshot = (labels: Labels, time: number, byte: number) => ({
      labels,
      detector: 'ewma',
      time,
      state: new Uint8Array([byte, 0, 255]),
    })
    await store.commit(sampleRun({ snapshots: [snapshot(LABELS, 50, 1), snapshot(other, 50, 2)] }))
    await store.commit(sampleRun({ snapshots: [snapshot(LABELS, 60, 3)], forgotten: [{ labels: other, detector: 'ewma' }] }))
    const plain = (await store.snapshots('f')).map(one => ({ ...one, state: [...one.state] }))
    assert.deepEqual(plain, [{ labels: LABELS, detector: 'ewma', time: 60, state: [3, 0, 255] }])
    assert.deepEqual(await store.snapshots('unknown'), [])
  }),
  law('a snapshot that nobody could read is taken away, and the others stay', async store => {
    const snapshot = (detector: string) => ({ labels: LABELS, detector, time: 50, state: new Uint8Array([1]) })
    await store.commit(sampleRun({ snapshots: [snapshot('a'), snapshot('b')] }))
    await store.commit(sampleRun({ damaged: [{ labels: LABELS, detector: 'a', reason: 'a wrong checksum' }] }))
    assert.deepEqual(
      (await store.snapshots('f')).map(({ detector }) => detector),
      ['b'],
    )
  }),
  law('gives the snapshot of one stream', async store => {
    const other = { ...LABELS, instance: 'b:9153' }
    const one = { labels: other, detector: 'ewma', time: 50, state: new Uint8Array([2]) }
    await store.commit(sampleRun({ snapshots: [{ ...one, labels: LABELS, state: new Uint8Array([1]) }, one] }))
    const found = await store.snapshot('f', other, 'ewma')
    assert.deepEqual(found && { ...found, state: [...found.state] }, { ...one, state: [2] })
    assert.equal(await store.snapshot('f', other, 'seasonal'), undefined)
    assert.equal(await store.snapshot('g', other, 'ewma'), undefined)
  }),
  law('keeps what it was given when the caller goes on writing into it', async store => {
    const state = new Uint8Array([1])
    const scores = sampleScores([10, 20])
    await store.commit(
      sampleRun({ snapshots: [{ labels: LABELS, detector: 'a', time: 1, state }], points: [{ detector: 'a', scores }] }),
    )
    state[0] = 9
    scores.columns.value[0] = 9
    assert.deepEqual([...(await store.snapshots('f'))[0].state], [1])
    assert.equal((await store.points('f', LABELS, 'a', { start: 0, end: 99 }))!.columns.value[0], 10)
  }),
  law('points of the range are replaced, others stay', async store => {
    const commit = (start: number, end: number, times: number[]) =>
      store.commit(sampleRun({ range: { start, end }, points: [{ detector: 'seasonal', scores: sampleScores(times) }] }))
    const times = async (start = -Infinity, end = Infinity) => [
      ...((await store.points('f', LABELS, 'seasonal', { start, end }))?.times ?? []),
    ]
    const long = Array.from({ length: 100 }, (_, i) => i)
    await commit(0, 100, long)
    assert.deepEqual(await times(), long)
    assert.deepEqual(await store.points('f', LABELS, 'seasonal', { start: 0, end: 100 }), sampleScores(long))
    assert.deepEqual(await times(40, 43), [40, 41, 42])
    await commit(20, 70, [30.5])
    assert.deepEqual(await times(15, 75), [15, 16, 17, 18, 19, 30.5, 70, 71, 72, 73, 74])
    await commit(100, 200, [150])
    await commit(0, 20, [])
    assert.deepEqual(await times(), [30.5, ...long.slice(70), 150])
    assert.equal(await store.points('f', LABELS, 'other', { start: 0, end: 100 }), undefined)
    assert.equal(await store.points('f', LABELS, 'seasonal', { start: 0, end: 10 }), undefined)
  }),
  law('points older than keepPoints are gone, also those of series that stay away', async store => {
    const away = { ...LABELS, instance: 'away' }
    const points = (labels: Labels, times: number[]) => [{ detector: 'a', scores: sampleScores(times, labels) }]
    await store.commit(sampleRun({ points: [...points(LABELS, [0, 25, 49]), ...points(away, [0, 25, 49])] }))
    await store.commit(sampleRun({ range: { start: 50, end: 100 }, keepPoints: 60, points: points(LABELS, [60]) }))
    const read = async (labels: Labels) => [...(await store.points('f', labels, 'a', { start: 0, end: 100 }))!.times]
    assert.deepEqual([await read(LABELS), await read(away)], [[49, 60], [49]])
  }),

  law('forgets anomalies a year after their end, but none that is open or that a channel must still hear of', async store => {
    const over = (start: number) => sampleAnomaly({ start, end: start + 5, peak: start, ongoing: false })
    await store.commit(sampleRun({ silent: true, anomalies: [over(10)] }))
    await store.commit(sampleRun({ range: { start: 20, end: 50 }, anomalies: [over(25), sampleAnomaly()] }))
    const starts = async () => (await store.anomalies()).map(({ start }) => start)
    await store.commit(sampleRun({ flow: 'g', finishedAt: 300 * DAY }))
    assert.deepEqual(await starts(), [40, 25, 10])
    await store.commit(sampleRun({ flow: 'g', finishedAt: 366 * DAY }))
    assert.deepEqual(await starts(), [40, 25])
  }),
  law('keeps the newest thousand ignored anomalies of a flow, and those that matter', async store => {
    const reported = (pod: number, more: Partial<Anomaly> = {}) =>
      sampleAnomaly({ labels: { pod: `${pod}` }, start: pod, end: pod + 5, peak: pod, ongoing: false, ...more })
    const ofPod = (pod: number, more: Partial<Anomaly> = {}) => reported(pod, { ignored: 'a deploy', ...more })
    const range = { start: 0, end: 2000 }
    const all = (flow: string) => store.anomalies({ flow, includeIgnored: true, limit: Infinity })
    // Of the oldest, somebody was notified of the first before it was ignored, the second is open, the third is not ignored.
    await store.commit(sampleRun({ range, anomalies: [reported(0, { ongoing: true })] }))
    const oldest = [ofPod(0), ofPod(1, { ongoing: true }), reported(2), ofPod(3)]
    const others = Array.from({ length: 1000 }, (_, i) => ofPod(4 + i))
    await store.commit(sampleRun({ range, anomalies: [...oldest, ...others] }))
    await store.commit(sampleRun({ flow: 'g', range, anomalies: [ofPod(0)] }))
    assert.equal((await all('f')).length, 1004, 'the next run may see all of them again')
    await store.commit(sampleRun({ range: { start: 2000, end: 2500 }, anomalies: [ofPod(1, { end: 2500, ongoing: true })] }))
    const pods = (await all('f')).map(({ labels }) => Number(labels.pod)).toSorted((a, b) => a - b)
    assert.deepEqual(pods, [0, 1, 2, ...others.map((_, i) => 4 + i)])
    assert.equal((await all('g')).length, 1, 'each flow has its own')
  }),
  law('forgets a flow 30 days after it was taken out, unless it comes back', async store => {
    const snapshots = [{ labels: LABELS, detector: 'a', time: 50, state: new Uint8Array([1]) }]
    const all = ['f', 'g', 'h'].map(flow => ({ flow, at: 0 }))
    await store.schedule(all)
    for (const flow of ['f', 'g']) await store.commit(sampleRun({ flow, snapshots }))
    await store.schedule([{ flow: 'h', at: 0 }])
    await store.commit(sampleRun({ flow: 'h', finishedAt: DAY }))
    await store.schedule(all.slice(1))
    await store.commit(sampleRun({ flow: 'h', finishedAt: 30 * DAY }))
    assert.equal((await store.snapshots('f')).length, 1)
    await store.commit(sampleRun({ flow: 'h', finishedAt: 32 * DAY }))
    assert.equal((await store.snapshots('f')).length, 0)
    assert.equal(await store.flow('f'), undefined)
    assert.equal((await store.snapshots('g')).length, 1)
  }),

  law('knows of each flow what happened last', async store => {
    assert.equal(await store.flow('f'), undefined)
    await store.commit(sampleRun({ watermark: 50 }))
    await store.commit(sampleRun({ watermark: NaN, finishedAt: 1100, anomalies: [sampleAnomaly()] }))
    await store.fail({ ...failure, startedAt: 1200, finishedAt: 1300 })
    const state = (await store.flow('f'))!
    assert.deepEqual([state.watermark, state.lastSuccessAt, state.failures, state.nextRunAt], [50, 1100, 1, NaN])
    assert.deepEqual(state.lastRun, { ...failure, startedAt: 1200, finishedAt: 1300 })
    const [, second, first] = await store.runs('f')
    assert.deepEqual([second.status, second.anomalies, second.changes, first.anomalies], ['ok', 1, 1, 0])
    await store.commit(sampleRun())
    assert.equal((await store.flow('f'))!.failures, 0)
  }),
  law('keeps the last 200 runs, newest first', async store => {
    for (let i = 0; i < 203; i++) await store.fail({ ...failure, startedAt: i })
    const runs = await store.runs('f', 1000)
    assert.deepEqual([runs.length, runs[0].startedAt, runs[199].startedAt], [200, 202, 3])
    assert.equal((await store.runs('f')).length, 20)
  }),
  law('schedules, claims in order of time, leases, and releases', async store => {
    await store.schedule([
      { flow: 'a', at: 20 },
      { flow: 'b', at: 10 },
      { flow: 'c', at: 99 },
    ])
    assert.deepEqual(await store.claim(50, 100, 1), ['b'])
    assert.deepEqual(await store.claim(50, 100), ['a'])
    assert.deepEqual(await store.claim(99, 100, 0), [])
    assert.deepEqual(await store.claim(99, 100), ['c'])
    assert.deepEqual(await store.claim(149, 100), [])
    assert.deepEqual(await store.claim(150, 100), ['b', 'a'], 'leases that ran out')
    await store.release('a', 160)
    assert.deepEqual(await store.claim(159, 100), [])
    assert.deepEqual(await store.claim(160, 100), ['a'])
    assert.equal((await store.flow('a'))!.nextRunAt, 160)
  }),
  law('scheduling again keeps the time of a known flow and retires those not listed', async store => {
    await store.commit(sampleRun({ flow: 'ran' }))
    await store.schedule([
      { flow: 'a', at: 20 },
      { flow: 'b', at: 10 },
    ])
    await store.release('a', 500)
    await store.schedule([
      { flow: 'a', at: 30 },
      { flow: 'ran', at: 40 },
    ])
    assert.deepEqual(await store.claim(400, 10), ['ran'])
    assert.deepEqual(await store.claim(500, 10), ['ran', 'a'])
    assert.deepEqual(
      (await store.flows()).map(({ flow }) => flow),
      ['a', 'ran'],
    )
  }),
  law('times from before the clock was set back keep no flow from running', async store => {
    await store.schedule([{ flow: 'a', at: 5000 }])
    assert.deepEqual(await store.claim(5000, 100), ['a'])
    await store.schedule([{ flow: 'a', at: 1000, latest: 1060 }])
    assert.deepEqual(await store.claim(1000, 100), ['a'], 'its lease ends too late to be one')
    await store.release('a', 1060)
    await store.schedule([{ flow: 'a', at: 1000, latest: 1060 }])
    assert.equal((await store.flow('a'))!.nextRunAt, 1060)
    await store.commit(sampleRun({ finishedAt: 5000, anomalies: [sampleAnomaly({ start: 4040, end: 4050, peak: 4045 })] }))
    const changes = await store.commit(sampleRun({ finishedAt: 1000 }))
    assert.deepEqual(
      changes.map(({ kind, anomaly }) => [kind, anomaly.withdrawnBecause]),
      [['withdrawn', 'the clock was set back to before it began']],
    )
  }),
  law('a message waits no longer than it is told to', async store => {
    await store.commit(sampleRun({ anomalies: [sampleAnomaly(), sampleAnomaly({ labels: { n: 'b' } })] }))
    const [first, second] = await store.outbox('log', 1000)
    await store.delivered(first.id, 1001, 9000)
    await store.retry(second.id, 1001, 8000, 'busy')
    assert.deepEqual(await store.outbox('log', 2000), [])
    await store.hasten('hook', 1500)
    await store.hasten('log', 2001)
    assert.deepEqual(await store.outbox('log', 2000), [])
    const due = (await store.outbox('log', 2001)).map(({ id }) => id)
    assert.deepEqual(due, [second.id, first.id])
    await store.hasten('log', 5000)
    assert.equal((await store.outbox('log', 2001)).length, 2)
  }),

  law('every channel hears the beginning and the end, in order, under different keys', async store => {
    await store.commit(sampleRun({ anomalies: [sampleAnomaly()] }))
    await store.commit(sampleRun({ anomalies: [sampleAnomaly({ end: 55 })] }))
    await store.commit(
      sampleRun({ range: { start: 0, end: 60 }, anomalies: [sampleAnomaly({ end: 55, ongoing: false })], finishedAt: 1200 }),
    )
    for (const channel of ['log', 'hook']) {
      const [first, ...none] = await store.outbox(channel, 2000)
      assert.deepEqual(
        [first.kind, first.anomaly.status, first.channel, first.attempts, none],
        ['opened', 'open', channel, 0, []],
      )
      await store.delivered(first.id, 2000)
      const [second] = await store.outbox(channel, 2000)
      assert.deepEqual(
        [second.kind, second.anomaly.status, second.anomaly.end, second.createdAt],
        ['resolved', 'resolved', 55, 1200],
      )
      assert.notEqual(second.key, first.key)
      await store.delivered(second.id, 2000)
      assert.deepEqual(await store.outbox(channel, 1e9), [])
    }
  }),
  law('an anomaly that is over when it is found is told as opened, then as resolved', async store => {
    await store.commit(sampleRun({ anomalies: [sampleAnomaly({ ongoing: false })] }))
    const [opened] = await store.outbox('log', 2000)
    await store.delivered(opened.id, 2000)
    const [resolved] = await store.outbox('log', 2000)
    assert.deepEqual(
      [opened.kind, opened.anomaly.status, resolved.kind, resolved.anomaly.status],
      ['opened', 'open', 'resolved', 'resolved'],
    )
  }),
  law('nobody is told of ignored anomalies, or in a silent run', async store => {
    await store.commit(sampleRun({ anomalies: [sampleAnomaly({ ignored: 'at night' })] }))
    await store.commit(
      sampleRun({
        flow: 'g',
        silent: true,
        anomalies: [sampleAnomaly({ ongoing: false }), sampleAnomaly({ start: 5, end: 9, peak: 5 })],
      }),
    )
    await store.commit(
      sampleRun({ flow: 'g', range: { start: 0, end: 60 }, anomalies: [sampleAnomaly({ ongoing: false, end: 49 })] }),
    )
    assert.deepEqual(await store.outbox('log', 1e9), [])
    assert.deepEqual(await store.channels(), [])
  }),
  law('what goes on after a silent run is told when it moves', async store => {
    await store.commit(sampleRun({ silent: true, anomalies: [sampleAnomaly()] }))
    await store.commit(sampleRun({ range: { start: 50, end: 60 }, anomalies: [sampleAnomaly({ start: 50, end: 60, peak: 55 })] }))
    assert.deepEqual(said(await store.outbox('log', 2000)), ['opened 40-60'])
  }),
  law('an anomaly that becomes ignored is taken back, one that is not ignored any more is told', async store => {
    await store.commit(sampleRun({ anomalies: [sampleAnomaly()] }))
    await store.commit(sampleRun({ anomalies: [sampleAnomaly({ ignored: 'at night' })] }))
    await store.commit(sampleRun({ anomalies: [sampleAnomaly()] }))
    const heard: string[] = []
    for (let i = 0; i < 3; i++) {
      const [message] = await store.outbox('log', 2000)
      if (!message) break
      heard.push(`${message.kind} ${message.anomaly.status}`)
      await store.delivered(message.id, 2000)
    }
    assert.deepEqual(heard, ['opened open', 'withdrawn withdrawn', 'opened open'])
    assert.deepEqual(await store.outbox('log', 2000), [])
  }),
  law('an end is told only where the beginning was told, also when the channel has left the flow', async store => {
    await store.commit(sampleRun({ channels: ['log'], anomalies: [sampleAnomaly()] }))
    await store.commit(sampleRun({ channels: ['hook'], range: { start: 0, end: 60 } }))
    assert.deepEqual(await store.outbox('hook', 2000), [])
    const [opened] = await store.outbox('log', 2000)
    await store.delivered(opened.id, 2000)
    assert.deepEqual(kinds(await store.outbox('log', 2000)), ['withdrawn'])
  }),
  law('a message waits for the one before it about the same anomaly, and for no other', async store => {
    const other = sampleAnomaly({ detector: 'ewma' })
    await store.commit(sampleRun({ anomalies: [sampleAnomaly({ ongoing: false }), other] }))
    const due = await store.outbox('log', 2000)
    assert.deepEqual(due.map(({ kind, anomaly }) => `${kind} ${anomaly.detector}`).sort(), ['opened ewma', 'opened seasonal'])
    assert.deepEqual(
      [...due].toSorted((a, b) => a.id - b.id),
      due,
      'oldest first',
    )
    assert.equal((await store.outbox('log', 2000, 1)).length, 1)
    const blocked = due.find(({ anomaly }) => anomaly.detector === 'seasonal')!
    await store.retry(blocked.id, 2500, 3000, 'busy')
    assert.deepEqual(
      (await store.outbox('log', 2999)).map(({ anomaly }) => anomaly.detector),
      ['ewma'],
    )
    assert.equal((await store.outbox('log', 3000)).find(({ id }) => id === blocked.id)!.attempts, 1)
    assert.equal((await store.outbox('hook', 2000)).length, 2, 'another channel is not held back')
    await store.abandon(blocked.id, 3000, 'gone')
    assert.deepEqual(kinds((await store.outbox('log', 3000)).filter(({ anomaly }) => anomaly.detector === 'seasonal')), [
      'resolved',
    ])
  }),
  law('a delivered message is due again with the latest numbers, until a newer one takes its place', async store => {
    await store.commit(sampleRun({ anomalies: [sampleAnomaly()] }))
    const [first] = await store.outbox('log', 2000)
    await store.delivered(first.id, 2000, 2600)
    assert.deepEqual(await store.outbox('log', 2599), [])
    await store.commit(sampleRun({ anomalies: [sampleAnomaly({ current: 999 })] }))
    const [again] = await store.outbox('log', 2600)
    assert.deepEqual([again.id, again.key, again.kind, again.anomaly.current], [first.id, first.key, 'opened', 999])
    assert.deepEqual([first.accepted, again.accepted], [undefined, { kind: 'opened', at: 2000 }])
    await store.delivered(again.id, 2600, 3200)
    await store.commit(sampleRun({ range: { start: 0, end: 60 }, anomalies: [sampleAnomaly({ ongoing: false })] }))
    assert.deepEqual(kinds(await store.outbox('log', 9000)), ['resolved'])
    await store.delivered(first.id, 3300, 3900)
    assert.deepEqual(kinds(await store.outbox('log', 9000)), ['resolved'], 'a late answer does not bring it back')
  }),
  law('nothing is repeated for a flow that is not scheduled any more', async store => {
    await store.schedule([{ flow: 'f', at: 0 }])
    await store.commit(sampleRun({ anomalies: [sampleAnomaly()] }))
    const [first] = await store.outbox('log', 2000)
    await store.delivered(first.id, 2000, 2600)
    assert.equal((await store.outbox('log', 2600)).length, 1)
    await store.schedule([])
    assert.deepEqual(await store.outbox('log', 2600), [])
  }),
  law('withdraws what is open of one flow, with the reason, and tells whoever was told of it', async store => {
    const over = sampleAnomaly({ start: 10, end: 20, peak: 10, ongoing: false })
    await store.commit(sampleRun({ anomalies: [over, sampleAnomaly()] }))
    await store.commit(sampleRun({ flow: 'g', anomalies: [sampleAnomaly()] }))
    for (let n = 0; n < 2; n++) for (const { id } of await store.outbox('log', 1e6)) await store.delivered(id, 1001, 1060)
    const changes = await store.withdraw('f', 'flow f is gone', 2000)
    assert.deepEqual(
      changes.map(({ kind, anomaly }) => [kind, anomaly.start, anomaly.status, anomaly.ongoing, anomaly.version]),
      [['withdrawn', 40, 'withdrawn', false, 2]],
    )
    const stored = (await store.anomaly(changes[0].anomaly.id))!
    assert.deepEqual([stored.status, stored.withdrawnBecause, stored.updatedAt], ['withdrawn', 'flow f is gone', 2000])
    assert.deepEqual(
      (await store.anomalies({ status: 'open' })).map(({ flow }) => flow),
      ['g'],
    )
    const told = (await store.outbox('log', 2000)).filter(({ anomaly }) => anomaly.flow === 'f' && anomaly.start === 40)
    assert.deepEqual(
      told.map(({ kind, anomaly }) => [kind, anomaly.status, anomaly.withdrawnBecause]),
      [['withdrawn', 'withdrawn', 'flow f is gone']],
    )
    assert.deepEqual(await store.withdraw('f', 'again', 3000), [])
    assert.deepEqual(await store.withdraw('unknown', 'never was', 3000), [])
  }),
  law('an open anomaly of a detector that is gone passes to the one that found it, or is withdrawn', async store => {
    await store.commit(
      sampleRun({ anomalies: [sampleAnomaly(), sampleAnomaly({ labels: { n: 'b' } })], detectors: ['seasonal'] }),
    )
    const [{ id }] = (await store.anomalies({ status: 'open' })).filter(({ labels }) => labels.n === undefined)
    const found = sampleAnomaly({ detector: 'ewma', start: 50, end: 60, peak: 55 })
    await store.commit(sampleRun({ range: { start: 50, end: 60 }, anomalies: [found], detectors: ['ewma'] }))
    const passed = (await store.anomaly(id))!
    assert.deepEqual([passed.detector, passed.status, passed.start, passed.end], ['ewma', 'open', 40, 60])
    const [gone] = await store.anomalies({ status: 'withdrawn' })
    assert.deepEqual([gone.labels.n, gone.withdrawnBecause], ['b', 'detector seasonal is not configured any more'])
  }),
  law('a channel that goes hears the end of what is open, and nothing is changed for the others', async store => {
    const over = sampleAnomaly({ start: 10, end: 20, peak: 10, ongoing: false })
    await store.commit(sampleRun({ anomalies: [over, sampleAnomaly()] }))
    await store.commit(sampleRun({ flow: 'g', channels: ['hook'], anomalies: [sampleAnomaly()] }))
    for (const channel of ['log', 'hook'])
      for (let n = 0; n < 2; n++) for (const { id } of await store.outbox(channel, 1e6)) await store.delivered(id, 1001)
    assert.equal(await store.endChannel('log', 'channel log is gone', 2000), 1)
    assert.deepEqual(
      (await store.outbox('log', 2000)).map(({ kind, anomaly }) => [kind, anomaly.start, anomaly.withdrawnBecause]),
      [['withdrawn', 40, 'channel log is gone']],
    )
    assert.deepEqual(await store.outbox('hook', 2000), [])
    assert.equal((await store.anomalies({ status: 'open' })).length, 2)
    assert.equal(await store.endChannel('log', 'channel log is gone', 2001), 0)
    assert.equal(await store.endChannel('unknown', 'never was', 2001), 0)
  }),
  law('what waits for a channel that is gone is abandoned and counted, and nothing is repeated to it', async store => {
    await store.commit(sampleRun({ anomalies: [sampleAnomaly(), sampleAnomaly({ labels: { n: 'b' } })] }))
    const [first] = await store.outbox('log', 1000)
    await store.delivered(first.id, 1001, 1060)
    assert.equal(await store.dropChannel('log', 'channel log is gone', 2000), 1)
    assert.deepEqual(await store.outbox('log', 1e6), [])
    assert.equal((await store.outbox('hook', 1e6)).length, 2)
    const [, log] = await store.channels()
    assert.deepEqual([log.pending, log.delivered, log.abandoned, log.lastError], [0, 1, 1, 'channel log is gone'])
    assert.equal(await store.dropChannel('log', 'channel log is gone', 2001), 0)
    assert.equal(await store.dropChannel('unknown', 'never was', 2001), 0)
  }),
  law('a channel that joins a flow hears of what is still open, and of what comes', async store => {
    await store.commit(sampleRun({ channels: ['log'], anomalies: [sampleAnomaly()] }))
    const next = { range: { start: 50, end: 60 }, anomalies: [sampleAnomaly({ start: 50, end: 60, peak: 55 })] }
    await store.commit(sampleRun({ channels: ['log', 'hook'], ...next }))
    assert.deepEqual(said(await store.outbox('hook', 2000)), ['opened 40-60'])
    assert.deepEqual(kinds(await store.outbox('log', 2000)), ['opened'])
  }),
  law('counts what became of messages, by channel', async store => {
    await store.commit(sampleRun({ anomalies: [sampleAnomaly({ ongoing: false }), sampleAnomaly({ detector: 'ewma' })] }))
    const [a, b] = await store.outbox('log', 2000)
    await store.delivered(a.id, 2000, 2100)
    await store.delivered(a.id, 2100)
    await store.retry(b.id, 3000, 5000, 'busy')
    const [hook, log] = await store.channels()
    assert.deepEqual(hook, {
      channel: 'hook',
      pending: 3,
      oldestPendingAt: 1000,
      setAside: 0,
      delivered: 0,
      abandoned: 0,
      lastDeliveredAt: NaN,
      lastError: undefined,
      failingSince: NaN,
    })
    assert.deepEqual(log, {
      channel: 'log',
      pending: 2,
      oldestPendingAt: 1000,
      setAside: 0,
      delivered: 1,
      abandoned: 0,
      lastDeliveredAt: 2100,
      lastError: 'busy',
      failingSince: 3000,
    })
    await store.abandon(b.id, 5000, 'gone')
    const { pending, abandoned, lastError } = (await store.channels())[1]
    assert.deepEqual({ pending, abandoned, lastError }, { pending: 1, abandoned: 1, lastError: 'gone' })
    await assert.rejects(() => store.delivered(12345, 1), { code: 'store' })
  }),
  law('a channel fails from its first failed attempt, of a repetition too, until it accepts something', async store => {
    await store.commit(sampleRun({ channels: ['log'], anomalies: [sampleAnomaly()] }))
    const [first] = await store.outbox('log', 2000)
    await store.delivered(first.id, 2000, 2600)
    const failing = async () => {
      const [{ failingSince, lastError, pending }] = await store.channels()
      return { failingSince, lastError, pending }
    }
    assert.deepEqual(await failing(), { failingSince: NaN, lastError: undefined, pending: 0 })
    await store.retry(first.id, 2600, 2700, 'got 401')
    await store.retry(first.id, 2700, 2800, 'got 403')
    assert.deepEqual(await failing(), { failingSince: 2600, lastError: 'got 403', pending: 0 })
    await store.delivered(first.id, 2800, 3400)
    assert.deepEqual(await failing(), { failingSince: NaN, lastError: undefined, pending: 0 })
  }),
  law('what is set aside holds nothing back and is due again at its time, or when its anomaly changes', async store => {
    const others = ['a', 'b'].map(detector => sampleAnomaly({ detector }))
    await store.commit(sampleRun({ channels: ['log'], anomalies: [sampleAnomaly(), ...others] }))
    const [one, two, three] = await store.outbox('log', 2000)
    const state = async () => {
      const [{ setAside, pending, failingSince, lastError }] = await store.channels()
      return { setAside, pending, failingSince, lastError }
    }
    await store.setAside(one.id, 2000, 2600, 'got 400')
    assert.deepEqual(await state(), { setAside: 1, pending: 2, failingSince: NaN, lastError: 'got 400' })
    const seen = async (now: number) => (await store.outbox('log', now)).map(({ id, isSetAside }) => [id, isSetAside ?? false])
    assert.deepEqual(await seen(2599), [
      [two.id, false],
      [three.id, false],
    ])
    assert.deepEqual((await seen(2600)).at(-1), [one.id, true])
    await store.setAside(one.id, 2600, undefined, 'got 400')
    assert.equal((await seen(1e9)).length, 2)
    const moved = [sampleAnomaly({ current: 999 }), ...others].map(anomaly => ({
      ...anomaly,
      current: anomaly.detector === one.anomaly.detector ? 999 : anomaly.current,
    }))
    await store.commit(sampleRun({ channels: ['log'], anomalies: moved, finishedAt: 2700 }))
    const again = (await store.outbox('log', 2700)).at(-1)!
    assert.deepEqual([again.id, again.key, again.anomaly.current], [one.id, one.key, 999])
    await store.delivered(one.id, 2700)
    assert.deepEqual(await state(), { setAside: 0, pending: 2, failingSince: NaN, lastError: undefined })
    await store.setAside(two.id, 2800, undefined, 'got 422')
    await store.commit(sampleRun({ channels: ['log'], range: { start: 0, end: 60 }, finishedAt: 2900 }))
    assert.equal((await state()).setAside, 0, 'its end takes its place')
    assert.deepEqual(
      (await store.outbox('log', 2900)).filter(({ anomaly }) => anomaly.id === two.anomaly.id).map(({ kind }) => kind),
      ['withdrawn'],
    )
  }),
  law('refused contents are a failure of the channel from the third in a row on', async store => {
    const detectors = ['a', 'b', 'c', 'd']
    await store.commit(sampleRun({ channels: ['log'], anomalies: detectors.map(detector => sampleAnomaly({ detector })) }))
    const [a, b, c, d] = await store.outbox('log', 2000)
    const failingSince = async () => (await store.channels())[0].failingSince
    await store.setAside(a.id, 2001, undefined, 'got 400')
    await store.setAside(b.id, 2002, undefined, 'got 400')
    await store.delivered(c.id, 2003)
    await store.setAside(a.id, 2004, undefined, 'got 400')
    await store.setAside(b.id, 2005, undefined, 'got 400')
    assert.equal(await failingSince(), NaN)
    await store.setAside(a.id, 2006, undefined, 'got 400')
    await store.setAside(b.id, 2007, undefined, 'got 400')
    assert.equal(await failingSince(), 2006)
    await store.delivered(d.id, 2008)
    assert.equal(await failingSince(), NaN)
  }),
  law('when a channel works again after a while, all that failed is due at once', async store => {
    await store.commit(sampleRun({ channels: ['log'], anomalies: ['a', 'b'].map(detector => sampleAnomaly({ detector })) }))
    const [a, b] = await store.outbox('log', 2000)
    await store.delivered(a.id, 2000, 2600)
    await store.retry(b.id, 2000, 400_000, 'got 503')
    await store.delivered(a.id, 2600, 3200)
    assert.deepEqual(await store.outbox('log', 2600), [], 'not after a short failure')
    await store.retry(b.id, 3000, 400_000, 'got 503')
    await store.delivered(a.id, 60_000, 60_600)
    assert.deepEqual(
      (await store.outbox('log', 60_000)).map(({ id }) => id),
      [b.id],
    )
  }),
  law('a message knows whether a newer one of its anomaly waits behind it', async store => {
    await store.commit(sampleRun({ channels: ['log'], anomalies: [sampleAnomaly()] }))
    const [opened] = await store.outbox('log', 2000)
    assert.equal(opened.overtakenAt, undefined)
    const over = sampleRun({ channels: ['log'], range: { start: 0, end: 60 }, anomalies: [sampleAnomaly({ ongoing: false })] })
    await store.commit({ ...over, finishedAt: 1500 })
    const [behind] = await store.outbox('log', 2000)
    assert.deepEqual([behind.id, behind.overtakenAt], [opened.id, 1500])
    await store.skip(opened.id, 2000)
    const [resolved] = await store.outbox('log', 2000)
    assert.deepEqual([resolved.kind, resolved.overtakenAt, resolved.accepted], ['resolved', undefined, undefined])
    const [{ delivered, abandoned }] = await store.channels()
    assert.deepEqual({ delivered, abandoned }, { delivered: 0, abandoned: 0 })
  }),
  law('an end knows the other open anomalies of its flow and series that the channel was told of', async store => {
    const other: Labels = { ...LABELS, instance: 'b:9153' }
    const found = [
      sampleAnomaly(),
      sampleAnomaly({ detector: 'ewma' }),
      sampleAnomaly({ detector: 'quiet', ignored: 'at night' }),
      sampleAnomaly({ labels: other }),
    ]
    await store.commit(sampleRun({ flow: 'g', channels: ['log'], anomalies: found }))
    await store.commit(sampleRun({ channels: ['log'], anomalies: found }))
    for (const { id } of await store.outbox('log', 2000)) await store.delivered(id, 2000)
    await store.commit(
      sampleRun({ channels: ['log'], range: { start: 0, end: 60 }, anomalies: found.slice(1), finishedAt: 2100 }),
    )
    const [end] = await store.outbox('log', 2100)
    assert.equal(end.kind, 'withdrawn')
    assert.deepEqual(
      end.stillOpen?.map(({ flow, detector, labels }) => [flow, detector, labels]),
      [['f', 'ewma', LABELS]],
    )
    await store.delivered(end.id, 2100, 2200)
    await store.commit(sampleRun({ channels: ['log'], range: { start: 0, end: 60 }, anomalies: [], finishedAt: 2200 }))
    for (const { stillOpen } of await store.outbox('log', 2200)) assert.equal(stillOpen, undefined)
  }),
  law('remembers what each channel accepted, when, and under which identity', async store => {
    await store.commit(sampleRun({ anomalies: [sampleAnomaly()] }))
    const [opened] = await store.outbox('log', 2000)
    const id = opened.anomaly.id
    const [hook] = await store.outbox('hook', 2000)
    await store.retry(hook.id, 2000, 2100, 'busy')
    await store.delivered(opened.id, 2000, 2600, 'one')
    await store.delivered(opened.id, 2600, 3200, 'two')
    const pending = { anomaly: id, channel: 'hook', kind: 'opened', state: 'pending', at: 1000, error: 'busy' }
    const told = { anomaly: id, channel: 'log', kind: 'opened', state: 'accepted', at: 2000 }
    assert.deepEqual(await store.notifications([id, 'unknown']), [pending, told])
    const over = sampleRun({ range: { start: 0, end: 60 }, anomalies: [sampleAnomaly({ ongoing: false })] })
    await store.commit({ ...over, finishedAt: 3000 })
    const [end] = await store.outbox('log', 3000)
    assert.deepEqual(end.accepted, { kind: 'opened', at: 2000, identity: 'two' })
    await store.setAside(end.id, 3000, undefined, 'got 400')
    assert.deepEqual(
      (await store.notifications([id])).slice(1),
      [
        told,
        { ...pending, kind: 'resolved', at: 3000, error: undefined },
        { ...told, kind: 'resolved', state: 'set aside', at: 3000, error: 'got 400' },
      ].map(one => JSON.parse(JSON.stringify(one))),
    )
    await store.commit(sampleRun({ range: { start: 0, end: 70 }, anomalies: [sampleAnomaly({ end: 70 })], finishedAt: 4000 }))
    const [anew] = await store.outbox('log', 4000)
    await store.delivered(anew.id, 4000)
    assert.deepEqual((await store.notifications([id])).at(-1), { ...told, at: 4000 }, 'told anew')
  }),
  law('what was written, accepted or tried in the future is due now: the clock was wrong', async store => {
    const three = ['a', 'b', 'c'].map(detector => sampleAnomaly({ detector }))
    await store.commit(sampleRun({ channels: ['log'], anomalies: three }))
    assert.equal((await store.outbox('log', 500)).length, 3, 'written')
    const [a, b] = await store.outbox('log', 1000)
    await store.delivered(a.id, 90_000, 90_600)
    await store.retry(b.id, 90_000, 95_000, 'busy')
    const due = async (now: number) => (await store.outbox('log', now)).map(({ id }) => id)
    assert.deepEqual((await due(2000)).includes(a.id), true, 'accepted')
    assert.deepEqual((await due(2000)).includes(b.id), true, 'tried')
    await store.delivered(a.id, 2000, 2600)
    await store.retry(b.id, 2000, 3000, 'busy')
    assert.deepEqual([(await due(2500)).includes(a.id), (await due(2500)).includes(b.id)], [false, false])
    assert.equal((await store.channels())[0].failingSince, 2000)
  }),
  law('what was written in the future waits as all else once it was accepted or tried', async store => {
    const three = ['a', 'b', 'c'].map(detector => sampleAnomaly({ detector }))
    await store.commit(sampleRun({ channels: ['log'], anomalies: three }))
    const [a, b, c] = await store.outbox('log', 500)
    await store.delivered(a.id, 500, 700)
    await store.retry(b.id, 500, 700, 'busy')
    await store.setAside(c.id, 500, 700, 'no such label')
    assert.deepEqual(await store.outbox('log', 600), [])
    assert.equal((await store.outbox('log', 700)).length, 3)
  }),
  law('gives no message of the flows that are held', async store => {
    await store.commit(sampleRun({ anomalies: [sampleAnomaly()] }))
    await store.commit(sampleRun({ flow: 'g', anomalies: [sampleAnomaly()] }))
    const flows = async (held?: readonly string[]) =>
      (await store.outbox('log', 2000, 100, held)).map(({ anomaly }) => anomaly.flow)
    assert.deepEqual(await flows(), ['f', 'g'])
    assert.deepEqual(await flows(['f']), ['g'])
    const [, second] = await store.outbox('log', 2000)
    await store.delivered(second.id, 2000, 2600)
    assert.deepEqual(
      (await store.outbox('log', 2600, 100, ['g'])).map(({ anomaly }) => anomaly.flow),
      ['f'],
      'repetitions neither',
    )
  }),
  law('old messages go, but not those of an open anomaly, which is not opened twice', async store => {
    const month = 31 * 86_400_000
    await store.commit(
      sampleRun({ anomalies: [sampleAnomaly(), sampleAnomaly({ start: 10, end: 20, peak: 10, ongoing: false })] }),
    )
    for (let i = 0; i < 3; i++)
      for (const { id } of (await store.outbox('log', 2000)).slice(0, 1)) await store.delivered(id, 2000)
    const { messages } = await store.stats()
    await store.commit(sampleRun({ finishedAt: month, range: { start: 25, end: 60 }, anomalies: [sampleAnomaly({ end: 60 })] }))
    assert.equal((await store.stats()).messages, messages - 2)
    assert.deepEqual(await store.outbox('log', month), [])
  }),

  law('counts the fits of a workload; the one taken last is in force, with its state', async store => {
    const first = await store.addModel(sampleModel({ reason: 'first', state: new Uint8Array([1]) }), true)
    const { state: _, current: __, ...facts } = sampleModel({ reason: 'first' })
    assert.deepEqual(first, { ...facts, current: 0.75, version: 1, status: 'in force', inForceSince: 1000 })
    const other = await store.addModel(sampleModel({ workload: { job: 'other' }, createdAt: 1001 }), true)
    assert.equal(other.version, 1)
    const second = await store.addModel(
      sampleModel({ createdAt: 1100, range: { start: 10, end: 90 }, state: new Uint8Array([2]) }),
      true,
    )
    const third = await store.addModel(
      sampleModel({ createdAt: 1200, range: { start: 20, end: 95 }, reason: 'drift', state: new Uint8Array([3]) }),
      false,
    )
    assert.deepEqual(
      [second.version, second.status, third.version, third.status, third.inForceSince],
      [2, 'in force', 3, 'refused', NaN],
    )
    const [inForce, beside, ...none] = await store.modelsInForce('f')
    assert.deepEqual({ ...inForce, state: [...inForce.state] }, { ...second, state: [2], tried: 95 })
    assert.deepEqual([beside.workload, beside.tried, none], [{ job: 'other' }, 50, []])
    assert.deepEqual(
      (await store.modelsInForce('f', WORKLOAD)).map(({ workload, version }) => ({ workload, version })),
      [{ workload: WORKLOAD.workload, version: 2 }],
    )
    assert.deepEqual(await store.modelsInForce('f', { ...WORKLOAD, detector: 'gru' }), [])
    assert.deepEqual(await store.modelsInForce('g'), [])
    assert.deepEqual(
      (await store.models('f')).map(({ version, status, createdAt }) => [version, status, createdAt]),
      [
        [3, 'refused', 1200],
        [2, 'in force', 1100],
        [1, 'in force', 1001],
        [1, 'retired', 1000],
      ],
    )
    assert.equal((await store.models('g')).length, 0)
    assert.equal((await store.models()).length, 4)
  }),
  law('a model keeps what it was given, numbers that are none too', async store => {
    const state = new Uint8Array([1])
    await store.addModel(sampleModel({ validation: NaN, current: Infinity, state }), true)
    state[0] = 9
    const [{ validation, current, state: kept }] = await store.modelsInForce('f')
    assert.deepEqual([validation, current, [...kept]], [NaN, Infinity, [1]])
  }),
  law('puts an earlier model in force again, also a refused one, and says no when there is none', async store => {
    await store.addModel(sampleModel({ state: new Uint8Array([1]) }), true)
    await store.addModel(sampleModel({ createdAt: 1100, state: new Uint8Array([2]) }), true)
    await store.addModel(sampleModel({ createdAt: 1200, state: new Uint8Array([3]) }), false)
    const statuses = async () => (await store.models('f')).map(({ version, status }) => `${version} ${status}`)
    assert.equal((await store.restoreModel(WORKLOAD, 1, 2000, 70))!.status, 'in force')
    assert.deepEqual(await statuses(), ['3 refused', '2 retired', '1 in force'])
    const [back] = await store.modelsInForce('f')
    assert.deepEqual([back.version, [...back.state], back.inForceSince, back.createdAt, back.tried], [1, [1], 2000, 1000, 70])
    await store.restoreModel(WORKLOAD, 3, 2100, 60)
    assert.deepEqual(await statuses(), ['3 in force', '2 retired', '1 retired'])
    assert.equal((await store.modelsInForce('f'))[0].tried, 70)
    const before = await store.models()
    assert.equal((await store.restoreModel(WORKLOAD, 3, 9000, 99))!.inForceSince, 2100)
    assert.equal(await store.restoreModel(WORKLOAD, 4, 9000, 99), undefined)
    assert.equal(await store.restoreModel({ ...WORKLOAD, flow: 'g' }, 1, 9000, 99), undefined)
    assert.deepEqual(await store.models(), before)
  }),
  law('keeps the newest five models of a workload, the one in force and the one before it', async store => {
    const versions = async () => (await store.models('f')).map(({ version }) => version)
    for (let i = 1; i <= 7; i++) await store.addModel(sampleModel({ createdAt: 1000 + i }), true)
    assert.deepEqual(await versions(), [7, 6, 5, 4, 3])
    await store.restoreModel(WORKLOAD, 4, 3000, 0)
    await store.restoreModel(WORKLOAD, 3, 3001, 0)
    for (let i = 8; i <= 14; i++) await store.addModel(sampleModel({ createdAt: 4000 + i }), false)
    assert.deepEqual(await versions(), [14, 13, 12, 11, 10, 4, 3])
    assert.equal((await store.modelsInForce('f'))[0].version, 3)
    const { models } = await store.stats()
    assert.equal(models, 7)
  }),
  law('models that no run has used for 30 days are gone, those that one uses stay', async store => {
    const month = 30 * 86_400_000
    await store.schedule([
      { flow: 'f', at: 0 },
      { flow: 'g', at: 0 },
      { flow: 'gone', at: 0 },
    ])
    const other = { job: 'away' }
    for (const flow of ['f', 'g', 'gone']) await store.addModel(sampleModel({ flow }), true)
    await store.addModel(sampleModel({ workload: other }), true)
    const used = [{ detector: WORKLOAD.detector, workload: WORKLOAD.workload }]
    const left = async () => (await store.models()).map(({ flow, workload }) => `${flow} ${workload.job}`).toSorted()
    await store.commit(sampleRun({ finishedAt: 1000 + month / 2, workloads: used }))
    assert.deepEqual(await left(), ['f away', 'f dns', 'g dns', 'gone dns'])
    await store.schedule([
      { flow: 'f', at: 0 },
      { flow: 'g', at: 0 },
    ])
    await store.commit(sampleRun({ finishedAt: 2000 + month, workloads: used }))
    assert.deepEqual(await left(), ['f dns', 'g dns'], 'g has not run yet and may come back to its own')
    await store.commit(sampleRun({ finishedAt: 2000 + 3 * month, workloads: used }))
    assert.deepEqual(await left(), ['f dns', 'g dns'])
  }),

  law('a commit that fails has changed nothing', async store => {
    await store.commit(sampleRun({ anomalies: [sampleAnomaly()], watermark: 50 }))
    const before = await readAll(store, ['f', 'g'], ['log', 'hook'], [LABELS], 1e6)
    const broken = { detector: 'seasonal', scores: undefined as unknown as Scores }
    const points = [{ detector: 'seasonal', scores: sampleScores([51]) }, broken]
    await assert.rejects(() => store.commit(sampleRun({ range: { start: 0, end: 60 }, watermark: 60, points })))
    await assert.rejects(() => store.commit(sampleRun({ flow: 'g', points })))
    assert.deepEqual(await readAll(store, ['f', 'g'], ['log', 'hook'], [LABELS], 1e6), before)
    await store.commit(sampleRun({ flow: 'g', points: points.slice(0, 1), range: { start: 0, end: 60 } }))
    assert.deepEqual([...(await store.points('g', LABELS, 'seasonal', { start: 0, end: 99 }))!.times], [51])
  }),
  law('a closed store answers with a StoreError', async store => {
    await store.close()
    await store.close()
    await assert.rejects(() => store.flows(), { code: 'store' })
    await assert.rejects(() => store.commit(sampleRun()), { code: 'store' })
  }),
  law('counts open anomalies by flow and severity, without the ignored', async store => {
    const at = (start: number, more: Partial<Anomaly> = {}) => sampleAnomaly({ start, end: start + 2, peak: start, ...more })
    const over = at(5, { ongoing: false })
    const ignored = at(10, { ignored: 'too short', labels: { instance: 'b' } })
    const other = { instance: 'c' }
    const critical = { severity: 'critical' }
    await store.commit(
      sampleRun({ flow: 'g', anomalies: [at(45), at(45, { labels: other }), over, ignored], annotations: critical }),
    )
    await store.commit(sampleRun({ flow: 'f', anomalies: [at(45)], annotations: { severity: 'warning' } }))
    await store.commit(sampleRun({ flow: 'e', anomalies: [at(45)], annotations: {} }))
    assert.deepEqual(await store.openCounts(), [
      { flow: 'e', severity: '', count: 1 },
      { flow: 'f', severity: 'warning', count: 1 },
      { flow: 'g', severity: 'critical', count: 2 },
    ])
  }),
  law('a trial write succeeds, and changes nothing that is read', async store => {
    await store.commit(sampleRun({ anomalies: [sampleAnomaly()] }))
    const all = async () => ({ flows: await store.flows(), channels: await store.channels(), anomalies: await store.anomalies() })
    const before = await all()
    await store.probe()
    assert.deepEqual(await all(), before)
    await store.close()
    await assert.rejects(store.probe())
  }),
  law('says its size', async store => {
    await store.commit(sampleRun({ anomalies: [sampleAnomaly()] }))
    await store.addModel(sampleModel(), true)
    const { bytes, ...rows } = await store.stats()
    assert.ok(bytes >= 0)
    assert.deepEqual(rows, { anomalies: 1, snapshots: 0, messages: 2, models: 1, damaged: 0, evicted: 0 })
  }),
]

/** What stores that survive the process promise besides; the subject must have `reopen`. */
export const durableStoreLaws: readonly StoreLaw[] = [
  {
    name: 'everything is there again after it is opened again, and no lease holds',
    async check({ make, reopen }) {
      let store = await make()
      try {
        assert.ok(reopen, 'subject must have reopen')
        await store.schedule([{ flow: 'f', at: 10 }])
        await store.commit(
          sampleRun({
            anomalies: [sampleAnomaly()],
            watermark: 50,
            points: [{ detector: 'seasonal', scores: sampleScores([1, 2, 3]) }],
            snapshots: [{ labels: LABELS, detector: 'seasonal', time: 50, state: new Uint8Array([7]) }],
          }),
        )
        await store.addModel(sampleModel(), true)
        await store.addModel(sampleModel({ createdAt: 1100 }), false)
        await store.restoreModel(WORKLOAD, 2, 1200, 60)
        await store.claim(20, 1e9)
        const read = async () => await readAll(store, ['f'], ['log', 'hook'], [LABELS], 1e6)
        const before = await read()
        store = await reopen(store)
        const after = await read()
        const plain = (all: typeof before) => ({
          ...all,
          snapshots: all.snapshots.map(list => list.map(one => ({ ...one, state: [...one.state] }))),
          inForce: all.inForce.map(list => list.map(one => ({ ...one, state: [...one.state] }))),
        })
        assert.deepEqual(plain(after), plain(before))
        assert.deepEqual(await store.claim(20, 1e9), ['f'])
        assert.deepEqual(await store.commit(sampleRun({ anomalies: [sampleAnomaly()], watermark: 50 })), [])
      } finally {
        await store.close()
      }
    },
  },
]
