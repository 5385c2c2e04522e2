import { HOUR, MINUTE, SECOND } from '../duration.ts'
import { calmWorld, type FakeWorld, fakeAnomaly, fakeFlow } from './fake-server-parts.ts'

const LONG = 'kubernetes-pods/monitoring/coredns-autoscaler-7d9f8b6c54-x2k4q.eu-central-1.compute.internal:9153'.repeat(3)

/** A world whose watch is impaired: a flow without data, warnings of a run, a withdrawn anomaly, a problem that is over, long labels. */
export function troubledWorld(): FakeWorld {
  const world = calmWorld()
  const at = world.now
  const [latency, errors, up] = world.flows
  const empty = { ...up!.lastRun!, series: 0 }
  const late = {
    level: 'warning' as const,
    message:
      'the newest rows are empty in most runs and are filled later: samples are 20s later than expected; delay must be at least 50s, got 30s',
  }
  world.flows = [
    { ...latency!, lastRun: { ...latency!.lastRun!, diagnostics: [...latency!.lastRun!.diagnostics, late] } },
    errors!,
    { ...up!, lastRun: empty },
  ]
  world.configuration = {
    ...world.configuration,
    flows: [...world.configuration.flows, fakeFlow('a-flow-whose-name-is-as-long-as-people-make-them-in-large-companies', 'up')],
  }
  world.anomalies = [
    fakeAnomaly('w-1', {
      flow: 'kubernetes-restarts',
      status: 'withdrawn',
      withdrawnBecause: 'flow kubernetes-restarts is not configured any more',
      labels: { pod: LONG, namespace: 'kube-system' },
      start: at - 2 * HOUR,
      end: at - HOUR,
      sentence: `Restarts of ${LONG} are 4, above the expected 0, since 12:30.`,
    }),
    fakeAnomaly('w-2', { status: 'withdrawn', start: at - 3 * HOUR, sentence: 'Nobody heard of this one.' }),
    fakeAnomaly('t-1', {
      flow: 'tidewatch',
      detector: 'watch',
      labels: { component: 'channel', name: 'chat' },
      start: at - 4 * HOUR,
      end: at - 3 * HOUR,
      shape: undefined as never,
      sentence: 'Channel chat did not deliver for 1h',
    }),
  ]
  world.notifications = [
    { anomaly: 'w-1', channel: 'oncall', kind: 'opened', state: 'accepted', at: at - 2 * HOUR },
    { anomaly: 'w-1', channel: 'oncall', kind: 'withdrawn', state: 'accepted', at: at - HOUR },
    {
      anomaly: 'w-1',
      channel: 'chat',
      kind: 'withdrawn',
      state: 'pending',
      error: 'chat must answer 2xx, got 502',
      at: at - HOUR,
    },
  ]
  world.health = {
    ...world.health,
    ready: false,
    reasons: ['store: cannot be written: disk I/O error'],
    problems: [
      {
        component: 'store',
        name: 'store',
        reason: 'cannot be written: disk I/O error',
        since: at - 2 * MINUTE,
        seenAt: at - SECOND,
      },
      {
        component: 'channel',
        name: 'chat',
        reason: `does not deliver: chat must answer 2xx, got 502 from https://${LONG}`,
        since: at - 8 * MINUTE,
        seenAt: at - 5 * SECOND,
      },
    ],
  }
  return world
}
