import { describe, expect, it } from 'vitest'
import type { Anomaly } from '../anomaly.ts'
import { fromMemory } from '../stores/memory.ts'
import type { Message, NewModel, Run, Store, StoredAnomaly } from '../stores/store.ts'
import { durableStoreLaws, type StoreSubject, sampleRun, storeLaws } from './store-laws.ts'

/** A memory store with a fault. */
type Breaker = (honest: Store) => Partial<Store>
const commitWith =
  (change: (run: Run) => Run): Breaker =>
  store => ({ commit: run => store.commit(change(run)) })
const outboxWith =
  (change: (messages: readonly Message[]) => Message[]): Breaker =>
  store => ({ outbox: async (channel, now, limit) => change(await store.outbox(channel, now, limit)) })
/** Keeps the first message it gave of each id: numbers that do not move. */
const staleMessages = (): Breaker => {
  const seen = new Map<number, Message>()
  return outboxWith(messages => messages.map(one => seen.get(one.id) ?? (seen.set(one.id, one), one)))
}

const breakers: Readonly<Record<string, () => Breaker>> = {
  'gives an anomaly back as it was committed': () => store => ({
    anomaly: async id => {
      const found = await store.anomaly(id)
      return found && (JSON.parse(JSON.stringify(found)) as StoredAnomaly)
    },
  }),
  'a run said twice changes nothing but the log': () => {
    let runs = 0
    return commitWith(run => ({ ...run, anomalies: run.anomalies.map(one => ({ ...one, score: runs++ })) }))
  },
  'a commit replaces what was said of its range, and only of its flow': () => commitWith(run => ({ ...run, flow: 'all' })),
  'an open anomaly ends when a later run is far beyond it': () => store => ({
    commit: async run => (run.anomalies.length > 0 ? store.commit(run) : []),
  }),
  'an id stays through updates and comes back after a withdrawal': () => store => ({
    commit: async run => {
      const changes = await store.commit(run)
      return changes.map(change => ({ ...change, anomaly: { ...change.anomaly, id: `${change.anomaly.id}${run.range.end}` } }))
    },
    anomaly: id => store.anomaly(id.slice(0, 16)),
  }),
  'a second look at the past neither opens nor cuts what a later look saw': () => {
    let looks = 0
    return commitWith(run => ({ ...run, finishedAt: looks++ > 0 ? 1 : 1000 }))
  },
  'keeps what was said of rows that a run does not know, and how far any run knew': () =>
    commitWith(run => ({ ...run, unknown: { from: Infinity, except: [], stretches: [] } })),
  'lists anomalies by flow, status, range and limit, newest first, ignored ones on request': () => store => ({
    anomalies: async filter => (await store.anomalies(filter)).toReversed(),
  }),
  'gives snapshots back, replaced by stream, without those forgotten': () => commitWith(run => ({ ...run, forgotten: [] })),
  'gives the snapshot of one stream': () => store => ({
    snapshot: async (flow, _labels, detector) => (await store.snapshots(flow)).find(one => one.detector === detector),
  }),
  'forgets anomalies a year after their end, but none that is open or that a channel must still hear of': () =>
    commitWith(run => ({ ...run, finishedAt: Math.min(run.finishedAt, 1000) })),
  'keeps the newest thousand ignored anomalies of a flow, and those that matter': () =>
    commitWith(run => ({ ...run, anomalies: run.anomalies.map(reportAll) })),
  'forgets a flow 30 days after it was taken out, unless it comes back': () => store => ({
    schedule: list => store.schedule([...list, { flow: 'f', at: 0 }]),
  }),
  'a snapshot that nobody could read is taken away, and the others stay': () => commitWith(run => ({ ...run, damaged: [] })),
  'keeps what it was given when the caller goes on writing into it': () => store => {
    let last: Run
    return {
      commit: run => store.commit((last = run)),
      snapshots: async () => last.snapshots,
    }
  },
  'points of the range are replaced, others stay': () => commitWith(run => ({ ...run, range: { ...run.range, start: -1e9 } })),
  'points older than keepPoints are gone, also those of series that stay away': () =>
    commitWith(run => ({ ...run, keepPoints: 1e9 })),
  'knows of each flow what happened last': () => store => ({ fail: run => store.fail({ ...run, diagnostics: [] }) }),
  'keeps the last 200 runs, newest first': () => store => ({
    runs: async (flow, limit) => (await store.runs(flow, limit)).toReversed(),
  }),
  'schedules, claims in order of time, leases, and releases': () => store => ({
    claim: (at, _lease, limit) => store.claim(at, 0, limit),
  }),
  'scheduling again keeps the time of a known flow and retires those not listed': () => store => ({
    schedule: async list => {
      await store.schedule(list)
      for (const { flow, at } of list) await store.release(flow, at)
    },
  }),
  'times from before the clock was set back keep no flow from running': () => store => ({
    schedule: list => store.schedule(list.map(({ flow, at }) => ({ flow, at }))),
  }),
  'a message waits no longer than it is told to': () => store => ({
    hasten: channel => store.hasten(channel, 1e9),
  }),
  'every channel hears the beginning and the end, in order, under different keys': () =>
    outboxWith(messages => messages.map(one => ({ ...one, key: one.anomaly.id }))),
  'an anomaly that is over when it is found is told as opened, then as resolved': () =>
    outboxWith(messages => messages.map(one => ({ ...one, anomaly: { ...one.anomaly, status: 'resolved' } }))),
  'nobody is told of ignored anomalies, or in a silent run': () => commitWith(run => ({ ...run, silent: false })),
  'what goes on after a silent run is told when it moves': () => {
    let silent = false
    return commitWith(run => ({ ...run, silent: (silent ||= run.silent ?? false) }))
  },
  'an anomaly that becomes ignored is taken back, one that is not ignored any more is told': () =>
    commitWith(run => ({ ...run, silent: run.anomalies.some(one => one.ignored !== undefined) })),
  'an end is told only where the beginning was told, also when the channel has left the flow': () => {
    let first: readonly string[] | undefined
    return store => ({
      commit: run => store.commit({ ...run, channels: (first ??= run.channels) }),
      outbox: (_channel, now, limit) => store.outbox('log', now, limit),
    })
  },
  'a message waits for the one before it about the same anomaly, and for no other': () => store => ({
    retry: async (id, at, again, error) => {
      const others = await store.outbox('log', at)
      for (const other of others) await store.retry(other.id, at, again, error)
      if (!others.some(other => other.id === id)) await store.retry(id, at, again, error)
    },
  }),
  'a delivered message is due again with the latest numbers, until a newer one takes its place': staleMessages,
  'nothing is repeated for a flow that is not scheduled any more': () => store => ({
    schedule: list => store.schedule([...list, { flow: 'f', at: 0 }]),
  }),
  'withdraws what is open of one flow, with the reason, and tells whoever was told of it': () => store => ({
    withdraw: (flow, _because, at) => store.withdraw(flow, '', at),
  }),
  'an open anomaly of a detector that is gone passes to the one that found it, or is withdrawn': () =>
    commitWith(run => ({ ...run, detectors: [...(run.detectors ?? []), 'seasonal'] })),
  'a channel that goes hears the end of what is open, and nothing is changed for the others': () => store => ({
    endChannel: async (channel, because, at) => {
      for (const { flow } of await store.anomalies({ status: 'open' })) await store.withdraw(flow, because, at)
      return store.endChannel(channel, because, at)
    },
  }),
  'what waits for a channel that is gone is abandoned and counted, and nothing is repeated to it': () => store => ({
    dropChannel: async (channel, _because, at) => {
      const waiting = await store.outbox(channel, 1e6)
      for (const { id } of waiting) await store.delivered(id, at)
      return waiting.length
    },
  }),
  'a channel that joins a flow hears of what is still open, and of what comes': () => {
    let first: readonly string[] | undefined
    return commitWith(run => ({ ...run, channels: (first ??= run.channels) }))
  },
  'counts what became of messages, by channel': () => store => ({ abandon: (id, at) => store.delivered(id, at) }),
  'a channel fails from its first failed attempt, of a repetition too, until it accepts something': () => store => ({
    channels: async () =>
      (await store.channels()).map(one => (one.pending > 0 ? one : { ...one, failingSince: NaN, lastError: undefined })),
  }),
  'what is set aside holds nothing back and is due again at its time, or when its anomaly changes': () => store => ({
    setAside: (id, at, _again, error) => store.abandon(id, at, error),
  }),
  'refused contents are a failure of the channel from the third in a row on': () => store => ({
    channels: async () => (await store.channels()).map(one => ({ ...one, failingSince: NaN })),
  }),
  'when a channel works again after a while, all that failed is due at once': () => store => ({
    retry: (id, _at, again, error) => store.retry(id, again, again, error),
  }),
  'a message knows whether a newer one of its anomaly waits behind it': () => store => ({
    skip: (id, at) => store.delivered(id, at),
  }),
  'an end knows the other open anomalies of its flow and series that the channel was told of': () => store => ({
    outbox: async (channel, now, limit) => {
      const messages = await store.outbox(channel, now, limit)
      const open = await store.anomalies({ status: 'open' })
      return messages.map(one => ({ ...one, stillOpen: open }))
    },
  }),
  'remembers what each channel accepted, when, and under which identity': () => store => ({
    delivered: (id, at, again) => store.delivered(id, at, again),
  }),
  'what was written, accepted or tried in the future is due now: the clock was wrong': () =>
    outboxWith(messages => messages.filter(({ createdAt }) => createdAt > 1000)),
  'what was written in the future waits as all else once it was accepted or tried': () => store => ({
    delivered: (id, at) => store.delivered(id, at, at),
  }),
  'gives no message of the flows that are held': () => store => ({
    outbox: (channel, now, limit) => store.outbox(channel, now, limit),
  }),
  'old messages go, but not those of an open anomaly, which is not opened twice': () =>
    commitWith(run => ({ ...run, finishedAt: Math.min(run.finishedAt, 1000) })),
  'counts the fits of a workload; the one taken last is in force, with its state': () => store => ({
    addModel: fit => store.addModel(fit, true),
  }),
  'a model keeps what it was given, numbers that are none too': () => {
    const given: NewModel[] = []
    return store => ({
      addModel: (fit, taken) => store.addModel(given[given.push(fit) - 1], taken),
      modelsInForce: async flow => (await store.modelsInForce(flow)).map((one, i) => ({ ...one, state: given[i].state })),
    })
  },
  'puts an earlier model in force again, also a refused one, and says no when there is none': () => store => ({
    restoreModel: async (key, version, at, tried) => {
      const known = (await store.models()).find(one => one.version === version)
      return known?.status === 'refused' ? known : store.restoreModel(key, version, at, tried)
    },
  }),
  'keeps the newest five models of a workload, the one in force and the one before it': () => store => ({
    models: async flow => (await store.models(flow)).slice(0, 5),
  }),
  'models that no run has used for 30 days are gone, those that one uses stay': () =>
    commitWith(run => ({ ...run, workloads: [] })),
  'a commit that fails has changed nothing': () => store => ({
    commit: async run => {
      await store.commit({ ...run, points: [] })
      return store.commit(run)
    },
  }),
  'a closed store answers with a StoreError': () => () => ({ close: async () => {} }),
  'counts open anomalies by flow and severity, without the ignored': () => store => ({
    openCounts: async () => (await store.openCounts()).slice(0, 2),
  }),
  'a trial write succeeds, and changes nothing that is read': () => () => ({ probe: async () => {} }),
  'says its size': () => store => ({ stats: async () => ({ ...(await store.stats()), bytes: NaN }) }),
  'everything is there again after it is opened again, and no lease holds': () => () => ({}),
}

function reportAll(anomaly: Anomaly): Anomaly {
  const { ignored: _, ...reported } = anomaly
  return reported
}

const broken = (breaker: Breaker): StoreSubject => ({
  make: () => {
    const honest = fromMemory()
    return { ...honest, ...breaker(honest) }
  },
  reopen: async store => {
    await store.close()
    return fromMemory()
  },
})

describe('the laws of stores', () => {
  for (const law of [...storeLaws, ...durableStoreLaws])
    it(`catch who breaks: ${law.name}`, async () => {
      const breaker = breakers[law.name]
      if (!breaker) expect.fail('the law has no lawbreaker')
      await expect(law.check(broken(breaker()))).rejects.toMatchObject({ code: 'ERR_ASSERTION' })
    })

  it('pass an honest store in the same harness', async () => {
    for (const law of storeLaws) await law.check(broken(() => ({})))
    expect(Object.keys(breakers)).toHaveLength(storeLaws.length + durableStoreLaws.length)
  })

  it('durable ones catch a store that keeps leases', async () => {
    const store = fromMemory()
    const keeps: StoreSubject = { make: () => store, reopen: () => store }
    await expect(durableStoreLaws[0].check(keeps)).rejects.toMatchObject({ code: 'ERR_ASSERTION' })
    await expect(store.commit(sampleRun())).rejects.toMatchObject({ code: 'store' })
  })
})
