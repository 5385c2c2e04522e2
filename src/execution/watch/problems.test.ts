import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE } from '../../duration.ts'
import type { Configuration } from '../../pipeline/configuration.ts'
import type { ChannelState, FlowState } from '../../stores/store.ts'
import { calmWorld, fakeFlow } from '../../testing/fake-server-parts.ts'
import { type Observed, problemsNow, unknownParts } from './problems.ts'

const NOW = 100 * HOUR
const flows = (...names: string[]) => names.map(name => fakeFlow(name, 'up'))
const configured = (...names: string[]): Configuration => ({ ...calmWorld().configuration, flows: flows(...names) })
const flow = (name: string, some: Partial<FlowState> = {}): FlowState => ({
  flow: name,
  watermark: NOW,
  horizon: NOW,
  nextRunAt: NOW + MINUTE,
  lastRun: calmWorld().runs[0],
  lastSuccessAt: NOW - MINUTE,
  failures: 0,
  ...some,
})
const failing = (name: string, error = 'must answer, got 422') =>
  flow(name, { failures: 2, lastRun: { ...calmWorld().runs[0]!, status: 'failed', error } })
const channel = (name: string, some: Partial<ChannelState> = {}): ChannelState => ({
  channel: name,
  pending: 0,
  oldestPendingAt: NaN,
  setAside: 0,
  delivered: 1,
  abandoned: 0,
  lastDeliveredAt: NOW,
  lastError: undefined,
  failingSince: NaN,
  ...some,
})
const observed = (some: Partial<Observed>): Observed => ({
  at: NOW,
  startedAt: NOW - 10 * HOUR,
  flows: [],
  channels: [],
  sources: [{ name: 'prometheus', ok: true }],
  ...some,
})
const down = [{ name: 'prometheus', ok: false, error: 'got ECONNREFUSED' }]

describe('problems of the watch', () => {
  it('are none where all works', () => {
    const all = observed({
      flows: [flow('a'), flow('b')],
      channels: [channel('oncall'), channel('gone', { failingSince: NOW, lastError: 'no' })],
    })
    expect(problemsNow(configured('a', 'b'), all)).toEqual([])
  })

  it('name the source that is down, and not its flows', () => {
    const all = observed({ flows: [failing('a'), failing('b')], sources: down })
    expect(problemsNow(configured('a', 'b'), all)).toEqual([
      { component: 'source', name: 'prometheus', reason: 'does not answer: got ECONNREFUSED' },
    ])
  })

  it('name each of a few failing flows, and the source when all of its many flows fail', () => {
    expect(problemsNow(configured('a', 'b'), observed({ flows: [failing('a'), flow('b')] }))).toEqual([
      { component: 'flow', name: 'a', reason: 'fails: must answer, got 422' },
    ])
    for (const few of [
      ['a', 'b', 'c'],
      ['a', 'b', 'c', 'd'],
    ]) {
      const found = problemsNow(configured(...few), observed({ flows: few.map(name => failing(name)) }))
      expect(found.map(({ component }) => component)).toEqual(few.length === 3 ? ['flow', 'flow', 'flow'] : ['source'])
    }
    const names = ['a', 'b', 'c', 'd', 'e']
    expect(problemsNow(configured(...names), observed({ flows: names.map(name => failing(name)) }))).toEqual([
      { component: 'source', name: 'prometheus', reason: 'fails all 5 of its flows: must answer, got 422' },
    ])
    const some = names.map(name => (name === 'e' ? flow(name) : failing(name)))
    expect(problemsNow(configured(...names), observed({ flows: some })).map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('are none of flows that failed while their source was down, and have not run since', () => {
    const { finishedAt } = calmWorld().runs[0]!
    const since = (upSince: number) => observed({ flows: [failing('a')], sources: [{ name: 'prometheus', ok: true, upSince }] })
    expect(problemsNow(configured('a'), since(finishedAt))).toEqual([])
    expect(problemsNow(configured('a'), since(finishedAt - 1)).map(({ name }) => name)).toEqual(['a'])
    const unasked = observed({ flows: [failing('a')], sources: [] })
    expect(problemsNow(configured('a'), unasked)).toEqual([])
    expect([...unknownParts(configured('a'), unasked)]).toEqual(['source prometheus', 'flow a'])
    expect([...unknownParts(configured('a'), since(finishedAt))]).toEqual(['flow a'])
    expect([...unknownParts(configured('a'), since(finishedAt - 1))]).toEqual([])
  })

  it('name a late flow, and the scheduler when many are late', () => {
    const late = (name: string) => flow(name, { nextRunAt: NOW - 3 * MINUTE - 1 })
    expect(problemsNow(configured('a', 'b'), observed({ flows: [late('a'), flow('b')] }))).toEqual([
      { component: 'flow', name: 'a', reason: 'is late: it must run every 1m', isLate: true },
    ])
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    expect(problemsNow(configured(...names, 'g'), observed({ flows: [...names.map(late), flow('g')] }))).toEqual([
      { component: 'scheduler', name: 'scheduler', reason: 'runs 6 of 7 flows late: a, b, c, d, e and others', isLate: true },
    ])
  })

  it('do not count the time in which the process did not run', () => {
    const old = flow('a', { nextRunAt: NOW - 5 * HOUR })
    expect(problemsNow(configured('a'), observed({ flows: [old], startedAt: NOW - MINUTE }))).toEqual([])
  })

  it('name a failing channel and a store that cannot be written', () => {
    const all = observed({
      channels: [channel('oncall', { failingSince: NOW, lastError: 'must answer 2xx, got 401' })],
      storeError: 'got a full disk',
    })
    expect(problemsNow(configured('a'), all)).toEqual([
      { component: 'store', name: 'store', reason: 'cannot be written: got a full disk' },
      { component: 'channel', name: 'oncall', reason: 'does not deliver: must answer 2xx, got 401' },
    ])
  })
})
