import { describe, expect, it } from 'vitest'
import type { Anomaly, Labels } from '../anomaly.ts'
import { MINUTE } from '../duration.ts'
import { SourceError } from '../errors.ts'
import type { Target } from '../sources/source.ts'
import type { StoredAnomaly } from '../stores/store.ts'
import { sampleAnomaly } from '../testing/store-laws.ts'
import { toyFlow } from '../testing/toy-watch.ts'
import { explainer } from './explaining.ts'
import { REASONS } from './missing-data.ts'
import type { Findings, Query, Reader } from './pipeline.ts'
import type { Presence } from './presence.ts'

/** The newest row is at 100. Times are minutes. */
const at = (minute: number) => Date.UTC(2026, 0, 5) + minute * MINUTE
const END = at(101)
const config = toyFlow({}, { detect: [{ type: 'absence', name: 'gone' }] })
const host = (name: string): Labels => ({ job: 'node', instance: name })
const presence = (labels: Labels, last: number): Presence => ({
  labels,
  detector: 'gone',
  first: at(0),
  last: at(last),
  tolerance: 4 * MINUTE,
})
const missing = (labels: Labels, more: Partial<Anomaly> = {}): Anomaly =>
  sampleAnomaly({ labels, detector: 'gone', start: at(93), end: END, current: NaN, ongoing: true, ...more })
const stored = (anomaly: Anomaly, ignored: string): StoredAnomaly => ({
  ...anomaly,
  ignored,
  id: '1',
  version: 1,
  flow: 'f',
  status: 'open',
  openedAt: 0,
  updatedAt: 0,
  annotations: {},
})

interface Scene {
  readonly anomalies: readonly Anomaly[]
  readonly live?: readonly Labels[]
  readonly before?: readonly StoredAnomaly[]
  readonly targets?: () => Promise<readonly Target[]>
}

/** Explains the findings of a run, and says what was asked for that. */
async function explain({ anomalies, live = [host('x')], before = [], targets = async () => [] }: Scene) {
  const asked: Query[] = []
  const reader = {
    async read(query: Query) {
      asked.push(query)
      return query.kind === 'targets' ? targets() : before
    },
  } as unknown as Reader
  const findings: Findings = {
    anomalies,
    presences: [
      ...anomalies.filter(({ detector }) => detector === 'gone').map(({ labels }) => presence(labels, 90)),
      ...live.map(labels => presence(labels, 100)),
    ],
    snapshots: [],
    points: [],
    forgotten: [],
    watermark: at(95),
    diagnostics: [{ level: 'info', message: 'query' }],
    range: { start: at(50), end: END },
    series: 1,
    wanted: [],
    workloads: [],
  }
  const explained = await explainer(config)(findings, reader, new AbortController().signal)
  return { asked, findings, explained, reasons: explained.anomalies.map(({ ignored }) => ignored) }
}

describe('what is asked to explain missing series', () => {
  it('is nothing where none is missing', async () => {
    const { asked, findings, explained } = await explain({ anomalies: [sampleAnomaly({ detector: 'toy' })] })
    expect(asked).toEqual([])
    expect(explained).toBe(findings)
  })

  it('is what was said of the time since the first began, ignored ones too', async () => {
    const filterOf = async (start: number) => (await explain({ anomalies: [missing(host('a'), { start })] })).asked[0]
    const filter = { flow: 'f', range: { start: at(50), end: END }, includeIgnored: true, limit: 10_000 }
    expect(await filterOf(at(93))).toEqual({ kind: 'anomalies', filter })
    expect(await filterOf(at(40))).toEqual({ kind: 'anomalies', filter: { ...filter, range: { start: at(40), end: END } } })
  })

  it('are the targets of those that are missing now, and of five that have data', async () => {
    const live = ['x', 'y', 'z', 'v', 'w', 'u'].map(host)
    const { asked } = await explain({ anomalies: [missing(host('a')), missing(host('b'), { ongoing: false })], live })
    expect(asked.slice(1)).toEqual([{ kind: 'targets', source: 's', series: [host('a'), ...live.slice(0, 5)], time: at(100) }])
  })

  it('are no targets of series that are over, are explained already or do not say of which target they are', async () => {
    const kinds = async (scene: Scene) => (await explain(scene)).asked.map(({ kind }) => kind)
    expect(await kinds({ anomalies: [missing(host('a'), { ongoing: false })] })).toEqual(['anomalies'])
    const known = missing(host('a'))
    expect(await kinds({ anomalies: [known], before: [stored(known, REASONS.replaced)] })).toEqual(['anomalies'])
    expect(await kinds({ anomalies: [missing({ job: 'node' })] })).toEqual(['anomalies'])
    expect(await kinds({ anomalies: [missing({ job: 'node' }), known] })).toEqual(['anomalies', 'targets'])
  })
})

describe('missing series', () => {
  it('are explained by their targets', async () => {
    const target = { labels: host('x'), up: true }
    expect((await explain({ anomalies: [missing(host('a'))], targets: async () => [target] })).reasons).toEqual([
      REASONS.undiscovered,
    ])
    expect((await explain({ anomalies: [missing(host('a'))] })).reasons).toEqual([undefined])
  })

  it('are reported as they are when the source cannot say what targets do, with a warning', async () => {
    const refuse = async () => Promise.reject(new SourceError('must answer, got 503', { retryable: true }))
    const { explained, reasons } = await explain({ anomalies: [missing(host('a'))], targets: refuse })
    expect(reasons).toEqual([undefined])
    expect(explained.diagnostics).toEqual([
      { level: 'info', message: 'query' },
      { level: 'warning', message: 'the targets of missing series are not known: must answer, got 503' },
    ])
  })

  it('fail the run when something else breaks', async () => {
    const fail = async () => Promise.reject(new TypeError('x is not a function'))
    await expect(explain({ anomalies: [missing(host('a'))], targets: fail })).rejects.toThrow('x is not a function')
  })
})
