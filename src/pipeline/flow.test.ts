import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE } from '../duration.ts'
import { type Frame, fromValues, type TimeRange } from '../frame/frame.ts'
import type { Snapshot, StoredModel } from '../stores/store.ts'
import { toyFlow } from '../testing/toy-watch.ts'
import { computeFlow, type FlowInput } from './compute-flow.ts'
import type { FlowConfig } from './configuration.ts'
import { flowPipeline } from './flow.ts'
import { REASONS } from './missing-data.ts'
import type { Findings, Query, Reader } from './pipeline.ts'

const START = Date.UTC(2026, 0, 5)
const LOOKBACK = 3 * HOUR
const at = (minute: number) => START + minute * MINUTE
const minuteOf = (time: number) => (time - START) / MINUTE
const flow = toyFlow({}, { detect: [{ type: 'ewma', name: 'ewma' }], rule: { type: 'threshold', limit: 8 } })

interface World {
  /** The minutes in which each pod lives. */
  readonly pods: Readonly<Record<string, readonly [from: number, to: number]>>
  readonly config?: FlowConfig
  readonly lookback?: number
  readonly models?: readonly StoredModel[]
  readonly remembered?: readonly Snapshot[]
}

/** A flow over pods, whose snapshots are handed from one run to the next; `inputs` is what it computed on, `found` what came of it. */
function watch({ pods, config = flow, lookback = LOOKBACK, models, remembered = [] }: World) {
  const queries: Query[] = []
  const inputs: FlowInput[] = []
  const warnings: string[] = []
  const found: Findings[] = []
  let snapshots = remembered
  let watermark = NaN
  const frameOf = (
    pod: string,
    [from, to]: readonly [number, number],
    { start, end }: TimeRange,
    step: number,
  ): Frame<'value'> => {
    const times = Float64Array.from({ length: Math.ceil((end - start) / step) }, (_, i) => start + i * step)
    const values = times.map(time => (minuteOf(time) < from || minuteOf(time) >= to ? NaN : 100 + ((minuteOf(time) * 7919) % 13)))
    return fromValues(times, values, { pod })
  }
  const reader = {
    async read(query: Query) {
      queries.push(query)
      if (query.kind === 'snapshots') return snapshots
      if (query.kind === 'models') return models
      if (query.kind !== 'series') return []
      const frames = Object.entries(pods).map(([pod, life]) => frameOf(pod, life, query.range, query.step))
      return {
        frames: frames.filter(({ columns }) => columns.value.some(value => !Number.isNaN(value))),
        diagnostics: [{ level: 'info', message: `${minuteOf(query.range.start)}-${minuteOf(query.range.end)}` }],
      }
    },
  } as unknown as Reader
  const pipeline = flowPipeline(
    config,
    lookback,
    async (given, input) => {
      inputs.push(input)
      return computeFlow(given, input)
    },
    { models: models !== undefined },
  )
  return {
    queries,
    inputs,
    warnings,
    found,
    change: (next: (snapshot: Snapshot) => Snapshot) => void (snapshots = snapshots.map(next)),
    /** The minutes that a run asks series for, one stretch for each question. */
    async run(minute: number, start = watermark): Promise<string[]> {
      const before = queries.length
      const end = at(minute)
      const findings = await pipeline.run({
        range: { start: Number.isFinite(start) ? start : end - 5 * MINUTE, end },
        reader,
        signal: new AbortController().signal,
        now: () => end - 1,
      })
      found.push(findings)
      snapshots = findings.snapshots
      watermark = findings.watermark
      for (const { level, message } of findings.diagnostics) if (level === 'warning') warnings.push(message)
      expect(findings.diagnostics.filter(({ level }) => level === 'info')).toHaveLength(
        queries.slice(before).filter(({ kind, ...rest }) => kind === 'series' && (rest as { step: number }).step === MINUTE)
          .length,
      )
      return queries
        .slice(before)
        .flatMap(query =>
          query.kind === 'series'
            ? [
                `${minuteOf(query.range.start)}-${minuteOf(query.range.end)}${query.step === MINUTE ? '' : ` every ${query.step / MINUTE}`}`,
              ]
            : [],
        )
    },
  }
}

describe('what a run asks its source for', () => {
  it('is the history at first, and then what came since the snapshots', async () => {
    const { run, queries } = watch({ pods: { a: [0, 999] } })
    expect(await run(300)).toEqual(['120-300'])
    expect(queries[1]).toEqual({
      kind: 'series',
      source: 's',
      expr: 'rps',
      step: MINUTE,
      range: { start: at(120), end: at(300) },
    })
    expect(await run(301)).toEqual(['295-301'])
    expect(await run(310)).toEqual(['296-310'])
  })

  it('is all that is not examined yet, when that is more than the history', async () => {
    const { run } = watch({ pods: { a: [0, 999] } })
    expect(await run(500, at(100))).toEqual(['100-500'])
  })

  it('begins on the grid', async () => {
    const { run } = watch({ pods: { a: [0, 999] }, lookback: LOOKBACK + 1 })
    expect(await run(300)).toEqual(['119-300'])
  })

  it('is asked in two steps where the history is long', async () => {
    const { run, inputs } = watch({ pods: { a: [39_000, 99_999] }, lookback: 30_000 * MINUTE })
    const [overview, rows] = await run(40_000)
    expect(overview).toBe('9999-40000 every 3')
    expect(rows).toMatch(/^3899\d-40000$/)
    expect(inputs[0]!.frames[0]!.times.length).toBeLessThan(1010)
  })
})

describe('a series that comes while the flow runs', () => {
  it('with data from before gets its history, the others do not', async () => {
    const pods: Record<string, [number, number]> = { a: [0, 999], b: [600, 999] }
    const { run, inputs } = watch({ pods })
    await run(300)
    // It came, with data from before, in the rows that are looked at again.
    pods.old = [0, 999]
    expect(await run(301)).toEqual(['295-301', '121-301'])
    expect(inputs.at(-1)!.frames.map(({ labels, times }) => [labels.pod, minuteOf(times[0]!)])).toEqual([
      ['a', 295],
      ['old', 121],
    ])
    expect(await run(302)).toEqual(['296-302'])
  })

  it('that was born just now is asked for at most once in an hour, whoever else is born', async () => {
    const pods: Record<string, [number, number]> = { a: [0, 999] }
    const { run } = watch({ pods })
    await run(300)
    pods.b = [300, 999]
    expect(await run(301)).toEqual(['295-301', '121-301'])
    pods.c = [310, 999]
    expect(await run(311)).toEqual(['296-311'])
    pods.d = [355, 999]
    expect(await run(360)).toEqual(['306-360'])
    pods.e = [358, 999]
    expect(await run(361)).toEqual(['355-361', '181-361'])
  })

  it('with data from before is asked for even so', async () => {
    const pods: Record<string, [number, number]> = { a: [0, 999] }
    const { run } = watch({ pods })
    await run(300)
    pods.b = [300, 999]
    await run(301)
    pods.old = [0, 999]
    pods.c = [301, 999]
    expect(await run(302)).toEqual(['296-302', '122-302'])
    // That was no birth: one that is born an hour after the first is asked for.
    pods.d = [360, 999]
    expect(await run(361)).toEqual(['297-361', '181-361'])
  })

  it('is not asked for again when the run looked at all of the history anyway', async () => {
    const pods: Record<string, [number, number]> = { a: [0, 9999] }
    const { run } = watch({ pods, lookback: 10 * MINUTE })
    await run(300)
    pods.old = [0, 9999]
    expect(await run(305)).toEqual(['295-305'])
    expect(await run(311)).toEqual(['300-311'])
  })
})

describe('what a run computes on', () => {
  it('is reported from the snapshots on, but after a change of the flow from the range on', async () => {
    const { run, inputs, change } = watch({ pods: { a: [0, 999] } })
    const reported = () => {
      const { start, end } = inputs.at(-1)!.range
      return [minuteOf(start), minuteOf(end)]
    }
    await run(300)
    expect(reported()).toEqual([120, 300])
    await run(301)
    expect(reported()).toEqual([295, 301])
    change(snapshot => ({ ...snapshot, detector: 'other' }))
    expect(await run(302)).toEqual(['122-302'])
    expect(reported()).toEqual([296, 302])
  })

  it('is not what was remembered in the future', async () => {
    const { run, inputs, change } = watch({ pods: { a: [0, 999] } })
    await run(300)
    change(snapshot => ({ ...snapshot, time: at(302) - 1 }))
    await run(301)
    expect(inputs.at(-1)!.snapshots).toHaveLength(1)
    change(snapshot => ({ ...snapshot, time: at(303) }))
    await run(302)
    expect(inputs.at(-1)!.snapshots).toHaveLength(0)
  })

  it.each([
    [200, true],
    [201, false],
  ])('with %d series keeps the scores of all: %s', async (count, keepAll) => {
    const pods = Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, [295, 999] as const]))
    const { run, inputs } = watch({ pods, lookback: 10 * MINUTE })
    await run(300)
    expect(inputs[0]!.keepAll).toBe(keepAll)
  })

  it.each([
    [198, true],
    [201, false],
  ])('beside %d other series keeps the scores of one that was replaced: %s', async (count, isKept) => {
    const others = Array.from({ length: count }, (_, i) => [`p${i}`, [200, 999]] as const)
    const absence = toyFlow({}, { detect: [{ type: 'absence', name: 'absence', rule: { type: 'threshold', limit: 1 } }] })
    const { run, found } = watch({
      pods: { gone: [200, 300], next: [300, 999], ...Object.fromEntries(others) },
      lookback: HOUR,
      config: absence,
    })
    await run(290)
    await run(307)
    const { anomalies, points } = found.at(-1)!
    expect(anomalies.map(({ labels, ignored }) => [labels.pod, ignored])).toEqual([['gone', REASONS.replaced]])
    expect(points.some(({ scores }) => scores.labels.pod === 'gone')).toBe(isKept)
  })

  it('has models only where there may be some', async () => {
    const without = watch({ pods: { a: [0, 999] } })
    await without.run(300)
    expect(without.inputs[0]).not.toHaveProperty('models')
    expect(without.queries.map(({ kind }) => kind)).toEqual(['snapshots', 'series'])
    const models: StoredModel[] = []
    const learned = watch({ pods: { a: [0, 999] }, models })
    await learned.run(300)
    expect(learned.inputs[0]!.models).toBe(models)
    expect(learned.queries[1]).toEqual({ kind: 'models', flow: 'f' })
  })

  it('comes with a warning when samples are usually later than expected', async () => {
    const pods: Record<string, [number, number]> = { a: [0, 300] }
    const { run, warnings } = watch({ pods })
    for (let minute = 302; minute < 308; minute++) {
      pods.a = [0, minute - 2]
      expect(warnings).toEqual([])
      await run(minute)
    }
    expect(warnings).toEqual([expect.stringContaining('samples are 2m later than expected')])
  })

  it('ends where samples usually end, but is at least one row', async () => {
    const { run, inputs } = watch({ pods: { a: [0, 298] } })
    await run(300)
    expect(minuteOf(inputs[0]!.range.end)).toBe(298)
    const ofOther = { labels: { pod: 'a' }, detector: 'other', time: at(295), state: new Uint8Array() }
    const changed = watch({ pods: { a: [0, 290] }, remembered: [ofOther] })
    await changed.run(300, at(295))
    expect(changed.inputs[0]!.range).toEqual({ start: at(295), end: at(296) })
  })
})
