import { Registry } from 'prom-client'
import type { Labels, Shape } from '../anomaly.ts'
import type { Scores } from '../detectors/detector.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../duration.ts'
import type { TimeRange } from '../frame/frame.ts'
import { slice } from '../frame/frame.ts'
import type { Configuration, FlowConfig } from '../pipeline/configuration.ts'
import { configurationHash } from '../pipeline/configuration-hash.ts'
import type { Health, ServerParts } from '../server/parts.ts'
import { workloadId } from '../stores/models.ts'
import type { ChannelState, FlowState, ModelRecord, Notification, RunLog, Store, StoredAnomaly } from '../stores/store.ts'

/** What a fake server knows; change the fields and the answers change. */
export interface FakeWorld {
  now: number
  anomalies: StoredAnomaly[]
  flows: FlowState[]
  runs: RunLog[]
  channels: ChannelState[]
  notifications: Notification[]
  health: Health
  configuration: Configuration
  models: ModelRecord[]
  points: (anomaly: { flow: string; labels: Labels; detector: string }, range: TimeRange) => Scores | undefined
  reload: () => Promise<void>
}

export const FAKE_NOW = Date.UTC(2026, 2, 12, 14, 30)
const STEP = 15 * SECOND

/** A world in which nothing has happened yet, as a starting point for tests of the server and its page. */
export function calmWorld(): FakeWorld {
  const flows = [
    fakeFlow(
      'coredns-latency',
      'histogram_quantile(0.99, sum by (le, server) (rate(coredns_dns_request_duration_seconds_bucket[1m])))',
    ),
    fakeFlow('coredns-errors', 'sum by (rcode) (rate(coredns_dns_responses_total{rcode!="NOERROR"}[1m]))'),
    fakeFlow('coredns-up', 'up{job="coredns"}'),
  ]
  return {
    now: FAKE_NOW,
    anomalies: [],
    flows: flows.map(({ name }) => fakeFlowState(name)),
    runs: flows.map(({ name }) => fakeRun(name)),
    channels: [],
    notifications: [],
    health: {
      ready: true,
      reasons: [],
      startedAt: FAKE_NOW - 3 * DAY,
      sources: [{ name: 'prometheus', type: 'prometheus', ok: true, checkedAt: FAKE_NOW - 20 * SECOND }],
      problems: [],
      workers: { size: 2, busy: 0, queued: 0 },
      training: { waiting: 0, running: [], failed: [] },
    },
    configuration: {
      file: 'tidewatch.yml',
      sources: { prometheus: { type: 'prometheus', config: {} } },
      notifiers: { oncall: { type: 'alertmanager', config: {} }, chat: { type: 'webhook', config: {} } },
      store: { type: 'memory', config: {} },
      server: { host: '127.0.0.1', port: 9797, externalUrl: 'http://tidewatch.example:9797' },
      workers: 2,
      training: { threads: 1, deadline: 10 * MINUTE },
      flows,
    },
    models: [],
    points: fakePoints,
    reload: async () => {},
  }
}

/** A world with open, ended and ignored anomalies, a failing flow, a failing source and a failing channel. */
export function oddWorld(): FakeWorld {
  const world = calmWorld()
  const at = world.now
  const annotations = { owner: 'platform-dns', severity: 'critical', runbook: 'https://runbooks.example/coredns-latency' }
  world.anomalies = [
    fakeAnomaly('a-1', {
      start: at - 14 * MINUTE,
      end: at,
      ongoing: true,
      status: 'open',
      shape: 'level-shift',
      current: 1.92,
      expected: 0.021,
      lower: 0.012,
      upper: 0.034,
      strength: 8.4,
      annotations,
      sentence: 'p99 latency of 10.0.0.2 is 1.92 s, 91 times the expected 21 ms, since 14:16.',
    }),
    fakeAnomaly('a-2', {
      flow: 'coredns-errors',
      labels: { rcode: 'SERVFAIL' },
      detector: 'holt-winters',
      start: at - 12 * MINUTE,
      end: at,
      ongoing: true,
      status: 'open',
      shape: 'spike',
      columns: [
        { name: 'zone=a', share: 0.75, value: 212, expected: 0.4 },
        { name: 'zone=b', share: 0.25, value: NaN },
      ],
      current: 212,
      expected: 0.4,
      lower: 0,
      upper: 2.1,
      strength: 3.1,
      sentence: 'SERVFAIL answers reached 212 a second where 0.4 was expected, since 14:18.',
    }),
    fakeAnomaly('a-3', {
      start: at - 5 * HOUR,
      end: at - 4.7 * HOUR,
      shape: 'dip',
      direction: 'down',
      current: 0.002,
      strength: 1.6,
      sentence: 'p99 latency of 10.0.0.2 fell to 2 ms, a tenth of the expected 21 ms, for 18 minutes.',
    }),
    fakeAnomaly('a-4', {
      flow: 'coredns-up',
      labels: { __name__: 'up', job: 'coredns', instance: '10.0.0.3:9153' },
      detector: 'absence',
      start: at - 26 * HOUR,
      end: at - 25.5 * HOUR,
      shape: 'silence',
      // Reported after three minutes of patience.
      numbers: { since: at - 26 * HOUR - 3 * MINUTE },
      direction: 'none',
      current: NaN,
      expected: 1,
      lower: NaN,
      upper: NaN,
      strength: 2,
      sentence: 'up of 10.0.0.3:9153 had no data for 33 minutes, from 12:27.',
    }),
    fakeAnomaly('a-5', {
      start: at - 27 * HOUR,
      end: at - 26.9 * HOUR,
      shape: 'spike',
      current: 0.08,
      strength: 1.1,
      ignored: 'shorter than 10m',
      sentence: 'p99 latency of 10.0.0.2 touched 80 ms for 6 minutes.',
    }),
  ]
  const request = "curl -sG 'http://127.0.0.1:9090/api/v1/query_range' --data-urlencode 'query=up{job=\"coredns\"}'"
  const failed: RunLog = {
    ...fakeRun('coredns-errors'),
    startedAt: at - MINUTE,
    finishedAt: at - 50 * SECOND,
    status: 'failed',
    error: 'prometheus must answer within 10s, got no answer from http://127.0.0.1:9090',
    diagnostics: [],
  }
  const before: RunLog = { ...fakeRun('coredns-errors'), diagnostics: [{ level: 'info', message: 'asked', request }] }
  world.runs = [failed, before, ...world.runs.filter(({ flow }) => flow !== 'coredns-errors')]
  world.flows = world.flows.map(state => (state.flow === 'coredns-errors' ? { ...state, lastRun: failed, failures: 3 } : state))
  const pending = { channel: 'chat', kind: 'opened', state: 'pending', error: 'chat must answer 2xx, got 502' } as const
  world.notifications = [
    { anomaly: 'a-3', channel: 'oncall', kind: 'opened', state: 'accepted', at: at - 4.9 * HOUR },
    { anomaly: 'a-3', channel: 'oncall', kind: 'resolved', state: 'accepted', at: at - 4.7 * HOUR },
    { ...pending, anomaly: 'a-1', at: at - 14 * MINUTE },
    { anomaly: 'a-1', channel: 'oncall', kind: 'opened', state: 'accepted', at: at - 13 * MINUTE },
    { ...pending, anomaly: 'a-2', at: at - 12 * MINUTE },
    {
      anomaly: 'a-2',
      channel: 'oncall',
      kind: 'opened',
      state: 'set aside',
      error: 'oncall must answer 2xx, got 400',
      at: at - 12 * MINUTE,
    },
  ]
  world.channels = [
    {
      channel: 'oncall',
      pending: 0,
      oldestPendingAt: NaN,
      setAside: 1,
      delivered: 4,
      abandoned: 0,
      lastDeliveredAt: at - 13 * MINUTE,
      lastError: undefined,
      failingSince: NaN,
    },
    {
      channel: 'chat',
      pending: 2,
      oldestPendingAt: at - 14 * MINUTE,
      setAside: 0,
      delivered: 1,
      abandoned: 1,
      lastDeliveredAt: at - 5 * HOUR,
      lastError: 'chat must answer 2xx, got 502',
      failingSince: at - 14 * MINUTE,
    },
  ]
  world.health = {
    ...world.health,
    problems: [
      {
        component: 'source',
        name: 'edge',
        reason: 'does not answer: edge must answer, got ECONNREFUSED',
        since: at - 8 * MINUTE,
        seenAt: at - 5 * SECOND,
      },
    ],
    sources: [
      ...world.health.sources,
      { name: 'edge', type: 'prometheus', ok: false, error: 'edge must answer, got ECONNREFUSED', checkedAt: at - 5 * SECOND },
    ],
  }
  return world
}

/** Parts of a server over a world. Only what a server reads is there; the rest of the store throws. */
export function fakeServerParts(world: FakeWorld): ServerParts {
  const store = {
    anomalies: async ({ flow, status, range, limit = 100, includeIgnored = false } = {}) =>
      world.anomalies
        .filter(
          anomaly =>
            (flow === undefined || anomaly.flow === flow) &&
            (status === undefined || anomaly.status === status) &&
            (range === undefined || (anomaly.start < range.end && anomaly.end > range.start)) &&
            (includeIgnored || anomaly.ignored === undefined),
        )
        .sort((a, b) => b.start - a.start)
        .slice(0, limit),
    openCounts: async () =>
      world.anomalies
        .filter(({ status, ignored }) => status === 'open' && ignored === undefined)
        .map(({ flow, annotations }) => ({ flow, severity: annotations.severity ?? '', count: 1 })),
    anomaly: async id => world.anomalies.find(anomaly => anomaly.id === id),
    points: async (flow, labels, detector, range) => world.points({ flow, labels, detector }, range),
    flow: async flow => world.flows.find(state => state.flow === flow),
    flows: async () => world.flows,
    runs: async (flow, limit = 20) => world.runs.filter(run => run.flow === flow).slice(0, limit),
    channels: async () => world.channels,
    notifications: async ids => world.notifications.filter(({ anomaly }) => ids.includes(anomaly)),
    models: async flow => world.models.filter(model => flow === undefined || model.flow === flow),
    async restoreModel(key, version, at) {
      const isSame = (model: ModelRecord) => workloadId(model) === workloadId(key)
      const found = world.models.find(model => isSame(model) && model.version === version)
      if (!found) return undefined
      const back: ModelRecord = { ...found, status: 'in force', inForceSince: at }
      world.models = world.models.map(model =>
        model === found ? back : isSame(model) && model.status === 'in force' ? { ...model, status: 'retired' } : model,
      )
      return back
    },
  } satisfies Partial<Store>
  return {
    store: store as Partial<Store> as Store,
    configuration: () => world.configuration,
    health: () => world.health,
    reload: () => world.reload(),
    metrics: new Registry(),
    now: () => world.now,
    version: '0.1.0',
  }
}

export function fakeAnomaly(id: string, some: Partial<StoredAnomaly> = {}): StoredAnomaly {
  const start = some.start ?? FAKE_NOW - HOUR
  return {
    id,
    version: 1,
    flow: 'coredns-latency',
    status: 'resolved',
    labels: { server: '10.0.0.2' },
    detector: 'seasonal',
    start,
    end: start + 10 * MINUTE,
    peak: start + 5 * MINUTE,
    score: 12,
    strength: 2,
    direction: 'up',
    current: 0.5,
    expected: 0.021,
    lower: 0.012,
    upper: 0.034,
    ongoing: false,
    shape: 'spike' as Shape,
    openedAt: start + MINUTE,
    updatedAt: start + 5 * MINUTE,
    annotations: {},
    ...some,
  }
}

/** A model of the flow `coredns-latency` in a learned world, of an hour ago. */
export function fakeModel(version: number, some: Partial<ModelRecord> = {}): ModelRecord {
  const createdAt = some.createdAt ?? FAKE_NOW - HOUR
  return {
    flow: 'coredns-latency',
    detector: 'lstm',
    workload: { job: 'coredns', server: 'dns://:53' },
    version,
    status: 'retired',
    reason: 'schedule',
    createdAt,
    inForceSince: createdAt,
    range: { start: createdAt - 17 * HOUR, end: createdAt - 5 * MINUTE },
    rows: 3482,
    configuration: configurationHash(learnedFlow, learnedFlow.detect[1]!),
    validation: 0.412,
    current: 0.455,
    seconds: 4.2,
    ...some,
  }
}

/** A world with a learned detector, its models, and fits under way. */
export function learnedWorld(): FakeWorld {
  const world = calmWorld()
  const at = world.now
  const other = { job: 'coredns', server: 'dns://:5353' }
  const { current: _, ...first } = fakeModel(1, { workload: other, createdAt: at - 20 * HOUR })
  world.configuration = {
    ...world.configuration,
    flows: world.configuration.flows.map(flow => (flow.name === learnedFlow.name ? learnedFlow : flow)),
  }
  world.models = [
    fakeModel(5, { status: 'refused', reason: 'drift', validation: 0.52, current: 0.44, inForceSince: NaN }),
    fakeModel(4, { status: 'in force', createdAt: at - 9 * HOUR, rows: 3100 }),
    {
      ...first,
      status: 'in force',
      reason: 'first',
      rows: 435,
      validation: 0.71,
    },
    fakeModel(3, { createdAt: at - 30 * HOUR, validation: 0.455, current: 0.52, rows: 1741 }),
    fakeModel(2, { createdAt: at - 2 * DAY, configuration: '0000000000000000', validation: 0.6, rows: 870 }),
  ]
  world.health = {
    ...world.health,
    training: {
      waiting: 2,
      failed: [
        {
          flow: learnedFlow.name,
          detector: 'lstm',
          workload: { job: 'coredns', server: 'dns://:8053' },
          error: 'a fit must end within its deadline of 10m, got no result',
          failures: 3,
          until: at + 2 * MINUTE,
        },
      ],
      running: [
        {
          flow: learnedFlow.name,
          detector: 'lstm',
          workload: other,
          reason: 'schedule',
          startedAt: at - 20 * SECOND,
          done: 0.64,
        },
      ],
    },
  }
  return world
}

export function fakeFlow(name: string, expr: string): FlowConfig {
  return {
    name,
    every: MINUTE,
    query: { source: 'prometheus', expr, step: STEP },
    detect: [{ type: 'seasonal', name: 'seasonal' }],
    rule: { type: 'budget' },
    refine: [],
    notify: ['oncall', 'chat'],
    labels: {},
    severity: 'warning',
    delay: 0,
    reexamine: 5 * MINUTE,
    keep: 7 * DAY,
    deadline: MINUTE,
    forget: DAY,
  }
}

function fakeRun(flow: string): RunLog {
  return {
    flow,
    startedAt: FAKE_NOW - 40 * SECOND,
    finishedAt: FAKE_NOW - 39 * SECOND,
    range: { start: FAKE_NOW - 5 * MINUTE, end: FAKE_NOW - 30 * SECOND },
    status: 'ok',
    series: 4,
    anomalies: 0,
    changes: 0,
    diagnostics: [
      {
        level: 'info',
        message: 'asked',
        request: `curl -sG 'http://127.0.0.1:9090/api/v1/query_range' --data-urlencode 'query=${flow}'`,
      },
    ],
  }
}

function fakeFlowState(flow: string): FlowState {
  return {
    flow,
    watermark: FAKE_NOW - 30 * SECOND,
    horizon: FAKE_NOW,
    nextRunAt: FAKE_NOW + 20 * SECOND,
    lastRun: fakeRun(flow),
    lastSuccessAt: FAKE_NOW - 39 * SECOND,
    failures: 0,
  }
}

/** A tide with a band around it, and for each known anomaly of the series its departure; silent where the detector is `absence`. */
function fakePoints(of: { flow: string; labels: Labels; detector: string }, range: TimeRange): Scores {
  const first = Math.ceil(range.start / STEP) * STEP
  const times = Float64Array.from(
    { length: Math.max(0, Math.floor((Math.min(range.end, FAKE_NOW) - first) / STEP)) },
    (_, i) => first + i * STEP,
  )
  const like = oddWorldSeries.find(({ flow }) => flow === of.flow) ?? oddWorldSeries[0]!
  const { usual, spread, departures } = like
  const tide = (time: number) => usual * (1 + 0.25 * Math.sin((time / HOUR) * 2.2))
  const noise = (time: number) => spread * 0.5 * (Math.sin(time / 7777) + Math.sin(time / 33_331) * 0.6)
  const departure = (time: number) => departures.find(({ from, to }) => time >= FAKE_NOW - from && time < FAKE_NOW - to)
  const value = times.map(time => {
    const odd = departure(time)
    return odd ? odd.value + noise(time) * (odd.value / usual) * 0.4 : Math.max(0, tide(time) + noise(time))
  })
  const expected = times.map(tide)
  const score = times.map((time, i) => (departure(time) ? 12 : Math.abs(value[i]! - expected[i]!) / spread))
  const scores: Scores = {
    labels: of.labels,
    times,
    columns: {
      value,
      expected,
      lower: times.map(time => Math.max(0, tide(time) - spread)),
      upper: times.map(time => tide(time) + spread),
      score,
    },
  }
  return slice(scores, range)
}

const learnedFlow: FlowConfig = {
  ...fakeFlow(
    'coredns-latency',
    'histogram_quantile(0.99, sum by (le, server) (rate(coredns_dns_request_duration_seconds_bucket[1m])))',
  ),
  detect: [
    { type: 'seasonal', name: 'seasonal' },
    { type: 'lstm', name: 'lstm' },
  ],
}

const oddWorldSeries = [
  {
    flow: 'coredns-latency',
    usual: 0.021,
    spread: 0.009,
    departures: [
      { from: 14 * MINUTE, to: 0, value: 1.8 },
      { from: 5 * HOUR, to: 4.7 * HOUR, value: 0.002 },
      { from: 27 * HOUR, to: 26.9 * HOUR, value: 0.08 },
    ],
  },
  { flow: 'coredns-errors', usual: 0.5, spread: 0.6, departures: [{ from: 12 * MINUTE, to: 0, value: 180 }] },
  { flow: 'coredns-up', usual: 1, spread: 0.05, departures: [{ from: 26 * HOUR, to: 25.5 * HOUR, value: NaN }] },
]
