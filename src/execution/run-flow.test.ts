import { describe, expect, it } from 'vitest'
import { MINUTE, SECOND } from '../duration.ts'
import { SourceError } from '../errors.ts'
import type { Findings, Pipeline, Task } from '../pipeline/pipeline.ts'
import { fromMemory } from '../stores/memory.ts'
import type { Run, RunLog } from '../stores/store.ts'
import { sampleAnomaly } from '../testing/store-laws.ts'
import { toyFlow } from '../testing/toy-watch.ts'
import { flowRange, type RunFlowParts, runFlow } from './run-flow.ts'

const NOON = Date.UTC(2026, 0, 5, 12)
const range = { start: NOON - 10 * MINUTE, end: NOON }
const never = new AbortController().signal
const findings: Findings = {
  anomalies: [sampleAnomaly()],
  points: [],
  snapshots: [{ labels: { pod: 'a' }, detector: 'toy', time: NOON - MINUTE, state: Uint8Array.of(1) }],
  forgotten: [{ labels: { pod: 'b' }, detector: 'toy' }],
  watermark: NOON - MINUTE,
  diagnostics: [{ level: 'info', message: 'query' }],
  range: { start: NOON - 20 * MINUTE, end: NOON },
  series: 2,
  presences: [],
  wanted: [{ labels: { pod: 'a' }, workload: {}, detector: 'toy', reason: 'first', rows: 9, tried: NaN }],
  workloads: [{ detector: 'toy', workload: { job: 'dns' } }],
}

/** What is written while a pipeline runs whose answer is given. */
function setUp(answer: (task: Task) => Promise<Findings> = async () => findings, more: Partial<RunFlowParts> = {}) {
  let time = NOON
  const commits: Run[] = []
  const fails: RunLog[] = []
  const events: string[] = []
  const store = fromMemory()
  const parts: RunFlowParts = {
    config: toyFlow({}, { notify: ['hook'] }),
    pipeline: { run: answer } as Pipeline,
    reader: { read: () => Promise.reject(new Error('must not be asked')) },
    store: {
      ...store,
      async commit(run) {
        commits.push(run)
        events.push('commit')
        return store.commit(run)
      },
      async fail(log) {
        fails.push(log)
        return store.fail(log)
      },
    },
    now: () => (time += SECOND),
    onWanted: wanted => events.push(`wanted ${wanted.map(({ reason }) => reason)}`),
    ...more,
  }
  return { store, commits, fails, events, run: (signal = never) => runFlow(parts, range, signal) }
}

describe('the rows that a run looks at', () => {
  const flow = (more: object) => toyFlow({}, { reexamine: 5 * MINUTE, ...more })
  const from = NOON - 7 * MINUTE

  it('go from the watermark to the newest row at or before now', () => {
    expect(flowRange(flow({}), from, NOON)).toEqual({ start: from, end: NOON + MINUTE })
    expect(flowRange(flow({}), from, NOON + MINUTE - 1)).toEqual({ start: from, end: NOON + MINUTE })
    expect(flowRange(flow({}), from, NOON - 1)).toEqual({ start: from, end: NOON })
  })

  it('end earlier by the delay', () => {
    expect(flowRange(flow({ delay: 2 * MINUTE }), from, NOON).end).toBe(NOON - MINUTE)
    expect(flowRange(flow({ delay: 90 * SECOND }), from, NOON).end).toBe(NOON - MINUTE)
    expect(flowRange(flow({ delay: 30 * SECOND }), from, NOON).end).toBe(NOON)
  })

  it('begin `reexamine` before the end without a watermark', () => {
    expect(flowRange(flow({}), NaN, NOON)).toEqual({ start: NOON - 4 * MINUTE, end: NOON + MINUTE })
  })

  it('are no more than 11,000, however far behind the watermark is', () => {
    const end = NOON + MINUTE
    expect(flowRange(flow({}), NOON - 365 * 24 * 60 * MINUTE, NOON)).toEqual({ start: end - 11_000 * MINUTE, end })
    expect(flowRange(flow({}), 0, NOON)).toEqual({ start: end - 11_000 * MINUTE, end })
  })

  it('do so too when the watermark is further in the future than a row, and never begin after the end', () => {
    expect(flowRange(flow({}), NOON + MINUTE, NOON)).toEqual({ start: NOON + MINUTE, end: NOON + MINUTE })
    expect(flowRange(flow({}), NOON + MINUTE + 1, NOON)).toEqual({ start: NOON - 4 * MINUTE, end: NOON + MINUTE })
    const end = NOON - 2 * MINUTE
    expect(flowRange(flow({ delay: 3 * MINUTE }), NOON, NOON)).toEqual({ start: end, end })
  })
})

describe('a run of a flow', () => {
  it('asks the pipeline for the range, and commits all that it found', async () => {
    const asked: Task[] = []
    const { run, commits } = setUp(async task => {
      asked.push(task)
      return findings
    })
    const changes = await run()
    expect(asked).toMatchObject([{ range, signal: never }])
    expect(commits).toEqual([
      {
        flow: 'f',
        range: findings.range,
        startedAt: NOON + SECOND,
        finishedAt: NOON + 2 * SECOND,
        anomalies: findings.anomalies,
        mergeGap: 2 * MINUTE,
        watermark: findings.watermark,
        snapshots: findings.snapshots,
        forgotten: findings.forgotten,
        points: [],
        keepPoints: 24 * 60 * MINUTE,
        diagnostics: findings.diagnostics,
        detectors: ['toy'],
        channels: ['hook'],
        annotations: { severity: 'warning' },
        series: 2,
        workloads: findings.workloads,
      },
    ])
    // Nothing that the flow does not say, not even as unknown.
    expect(Object.keys(commits[0]!.annotations)).toEqual(['severity'])
    expect(changes.map(({ kind }) => kind)).toEqual(['opened'])
  })

  it('gives messages what the flow says of itself', async () => {
    const about = { owner: 'dns', runbook: 'http://wiki', summary: 'Queries', labels: { team: 'net', owner: 'x' } }
    const { run, commits } = setUp(undefined, { config: toyFlow({}, { ...about, severity: 'critical' }) })
    await run()
    expect(commits[0]!.annotations).toEqual({
      severity: 'critical',
      owner: 'dns',
      runbook: 'http://wiki',
      summary: 'Queries',
      'label:team': 'net',
      'label:owner': 'x',
    })
  })

  it('passes on which snapshots could not be read', async () => {
    const damaged = [{ labels: { pod: 'c' }, detector: 'toy', reason: 'torn' }]
    const { run, commits } = setUp(async () => ({ ...findings, damaged }))
    await run()
    expect(commits[0]!.damaged).toEqual(damaged)
  })

  it('writes messages unless it is silent', async () => {
    const told = async (silent: boolean) => {
      const { run, store } = setUp(undefined, { silent })
      await run()
      expect(await store.anomalies()).toHaveLength(1)
      return (await store.outbox('hook', Infinity)).map(({ kind }) => kind)
    }
    expect(await told(true)).toEqual([])
    expect(await told(false)).toEqual(['opened'])
  })

  it('says which fits it wants once its snapshots are stored', async () => {
    const { run, events } = setUp()
    await run()
    expect(events).toEqual(['commit', 'wanted first'])
  })
})

describe('a run that fails', () => {
  const requests = ["curl 'http://prometheus/api/v1/query_range'"]

  it('is logged with its error and its requests, thrown, and changes nothing else', async () => {
    const { run, store, fails, events } = setUp(() =>
      Promise.reject(new SourceError('must answer, got 503', { retryable: true, requests })),
    )
    await expect(run()).rejects.toThrow('must answer, got 503')
    expect(fails).toEqual([
      {
        flow: 'f',
        startedAt: NOON + SECOND,
        finishedAt: NOON + 2 * SECOND,
        range,
        status: 'failed',
        error: 'must answer, got 503',
        series: 0,
        anomalies: 0,
        changes: 0,
        diagnostics: [{ level: 'error', message: 'query that failed', request: requests[0] }],
      },
    ])
    expect(events).toEqual([])
    expect(await store.flow('f')).toMatchObject({ watermark: NaN, failures: 1 })
    expect(await store.anomalies()).toEqual([])
  })

  it.each<[string, unknown, string]>([
    ['an error', new TypeError('x is not a function'), 'x is not a function'],
    ['anything else', 'no', 'no'],
  ])('by %s says so', async (_, thrown, error) => {
    const { run, fails } = setUp(() => Promise.reject(thrown))
    await expect(run()).rejects.toBe(thrown)
    expect(fails).toMatchObject([{ error, diagnostics: [] }])
  })

  it('because it was aborted gives the reason for that', async () => {
    const abort = new AbortController()
    const { run, fails } = setUp(async () => {
      abort.abort(new Error('deadline of 10 s'))
      throw new Error('socket hang up')
    })
    await expect(run(abort.signal)).rejects.toThrow('socket hang up')
    expect(fails[0]!.error).toBe('deadline of 10 s')
  })

  it('gives its own error when the reason for the abort is none', async () => {
    const abort = new AbortController()
    const { run, fails } = setUp(async () => {
      abort.abort('enough')
      throw new Error('socket hang up')
    })
    await expect(run(abort.signal)).rejects.toThrow('socket hang up')
    expect(fails[0]!.error).toBe('socket hang up')
  })

  it('commits nothing when it was aborted while it computed', async () => {
    const abort = new AbortController()
    const { run, commits, fails } = setUp(async () => {
      abort.abort(new Error('too late'))
      return findings
    })
    await expect(run(abort.signal)).rejects.toThrow('too late')
    expect(commits).toEqual([])
    expect(fails).toHaveLength(1)
  })
})

describe('a clock that is set back', () => {
  const open = {
    ...findings,
    anomalies: [sampleAnomaly({ start: NOON - 5 * MINUTE, end: NOON, peak: NOON - MINUTE, ongoing: true })],
  }

  it.each([
    ['while the run goes on', (looks: number) => (looks > 1 ? NOON - 24 * 60 * MINUTE : NOON)],
    ['between the choice of its rows and its start', () => NOON - 24 * 60 * MINUTE],
  ])('%s is none to the run: it takes nothing back', async (_, timeAt) => {
    let looks = 0
    const seen: number[] = []
    const { commits, store, run } = setUp(
      async ({ now }) => {
        seen.push(now())
        return open
      },
      { now: () => timeAt(++looks) },
    )
    await run()
    await run()
    for (const { startedAt, finishedAt } of commits) {
      expect(startedAt).toBeGreaterThanOrEqual(range.end - MINUTE)
      expect(finishedAt).toBeGreaterThanOrEqual(startedAt)
    }
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(range.end - MINUTE)
    expect((await store.anomalies({ flow: commits[0].flow })).map(({ status }) => status)).toEqual(['open'])
  })
})
