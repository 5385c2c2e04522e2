import { describe, expect, it } from 'vitest'
import { MINUTE } from '../duration.ts'
import { type Frame, fromValues } from '../frame/frame.ts'
import { toyDetectors } from '../testing/toy-learner.ts'
import { at, POD, toyFlow } from '../testing/toy-watch.ts'
import { computeFlow, type FlowInput, joinFindings } from './compute-flow.ts'
import type { FlowConfig } from './configuration.ts'

/** Rows of a series from one to before another, around 100, with the given values in other rows. */
const rows = (from: number, to: number, others: Readonly<Record<number, number>> = {}): Frame<'value'> =>
  fromValues(
    Float64Array.from({ length: to - from }, (_, i) => at(from + i)),
    Float64Array.from({ length: to - from }, (_, i) => others[from + i] ?? 100 + ((i * 7919) % 13)),
    POD,
  )
const fill = (from: number, to: number, value: number) =>
  Object.fromEntries(Array.from({ length: to - from }, (_, i) => [from + i, value]))
const compute = (config: FlowConfig, frame: Frame<'value'>, to: number, more: Partial<FlowInput> = {}) =>
  computeFlow(
    config,
    { frames: [frame], snapshots: [], range: { start: at(0), end: at(to) }, keepAll: true, ...more },
    toyDetectors,
  )

describe('events of a flow', () => {
  const time = (row: number) => new Date(at(row)).toISOString()
  const once = (name: string, start: number, end: number) => ({ type: 'once', name, start: time(start), end: time(end) })
  const flow = (...calendar: ReturnType<typeof once>[]) =>
    toyFlow({}, { detect: [{ type: 'ewma', name: 'ewma' }], rule: { type: 'threshold', limit: 8 }, calendar })
  /** Rows that teach nothing: the band does not move in the next row. */
  const untaught = (...calendar: ReturnType<typeof once>[]) => {
    const { columns } = compute(flow(...calendar), rows(0, 300, fill(200, 260, 900)), 300).points[0]!.scores
    const moved = [...columns.expected.keys()].filter(row => columns.expected[row + 1] !== columns.expected[row])
    return Array.from({ length: 60 }, (_, i) => 200 + i).filter(row => !moved.includes(row))
  }
  const between = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

  it('teach nothing from their start to before their end', () => {
    expect(untaught(once('a', 210, 220))).toEqual(between(210, 220))
    expect(untaught()).toEqual([])
  })

  it.each<[string, [number, number][], number[]]>([
    [
      'one after the other',
      [
        [210, 220],
        [230, 240],
      ],
      [...between(210, 220), ...between(230, 240)],
    ],
    [
      'the later one first',
      [
        [230, 240],
        [210, 220],
      ],
      [...between(210, 220), ...between(230, 240)],
    ],
    [
      'that touch',
      [
        [210, 220],
        [220, 230],
      ],
      between(210, 230),
    ],
    [
      'that overlap',
      [
        [215, 230],
        [210, 220],
      ],
      between(210, 230),
    ],
    [
      'one inside another',
      [
        [210, 240],
        [215, 220],
      ],
      between(210, 240),
    ],
    [
      'that start together',
      [
        [210, 240],
        [210, 220],
      ],
      between(210, 240),
    ],
  ])('are one stretch where they overlap: %s', (_, events, expected) => {
    expect(untaught(...events.map(([start, end], i) => once(`e${i}`, start, end)))).toEqual(expected)
  })

  it('are named in order of their start, and of their end when they start together', () => {
    const said = (...calendar: ReturnType<typeof once>[]) =>
      compute(flow(...calendar), rows(0, 300, fill(215, 220, 900)), 300).anomalies.map(({ wording }) => wording?.during)
    expect(said(once('late', 212, 230), once('early', 210, 230))).toEqual(['early and late'])
    expect(said(once('long', 210, 230), once('short', 210, 225))).toEqual(['short and long'])
  })

  it('that were before the rows of this run are known to what is learned again', () => {
    const frame = rows(100, 300, fill(150, 160, 900))
    const config = flow(once('a', 145, 165))
    const from = (start: number) => compute(config, frame, 300, { range: { start: at(start), end: at(300) } }).points[0]!.scores
    expect(from(250).columns.expected.at(-1)).toBe(from(0).columns.expected.at(-1))
  })
})

describe('rows that are NaN because the source sent NaN', () => {
  const flow = toyFlow(
    {},
    { detect: [{ type: 'absence', name: 'gone', patience: '5m' }], rule: { type: 'threshold', limit: 1 }, refine: [] },
  )
  const silent = rows(0, 100, fill(60, 100, NaN))
  const notANumber = (from: number) => Uint8Array.from({ length: 100 }, (_, i) => (i >= from ? 1 : 0))

  it('are said to be so', () => {
    const [plain] = compute(flow, silent, 100).anomalies
    expect(plain!.current).toBeNaN()
    expect(plain!.wording?.notANumber).toBeUndefined()
    const [marked] = compute(flow, { ...silent, notANumber: notANumber(60) }, 100).anomalies
    expect(marked).toEqual({ ...plain, wording: { ...plain!.wording, notANumber: true } })
    expect(compute(flow, { ...silent, notANumber: notANumber(100) }, 100).anomalies).toEqual([plain])
  })

  it('are not those with a value', () => {
    const high = toyFlow({}, { detect: [{ type: 'ewma', name: 'ewma' }], rule: { type: 'threshold', limit: 8 } })
    const [anomaly] = compute(high, { ...rows(0, 100, { 80: 900 }), notANumber: notANumber(0) }, 100).anomalies
    expect(anomaly!.current).toBe(900)
    expect(anomaly!.wording?.notANumber).toBeUndefined()
  })
})

it('a series that is away may wait also where its detector has no models from outside', () => {
  const flow = toyFlow()
  const first = compute(flow, rows(0, 60), 60)
  const silent = fromValues(
    Float64Array.from({ length: 10 }, (_, i) => at(55 + i)),
    new Float64Array(10).fill(NaN),
    POD,
  )
  const more = { snapshots: first.snapshots, range: { start: at(55), end: at(65) }, knownUntil: at(65) }
  expect(compute(flow, silent, 65, { ...more, keepAll: false }).snapshots).toEqual([])
  expect(compute(flow, silent, 65, more).snapshots).toHaveLength(1)
})

it('findings that name no damaged snapshots are joined with those that do', () => {
  const part = compute(toyFlow(), rows(0, 60), 60)
  const { damaged: _, ...without } = part
  const one = { labels: POD, detector: 'toy', reason: 'torn' }
  expect(joinFindings([without, { ...part, damaged: [one] }]).damaged).toEqual([one])
  expect(part.range.end - part.watermark).toBe(5 * MINUTE)
})
