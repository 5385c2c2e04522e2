import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import type { Query } from '../pipeline/pipeline.ts'
import type { SeriesAnswer, Source } from '../sources/source.ts'
import { fromMemory } from '../stores/memory.ts'
import { sampleAnomaly, sampleModel, sampleRun } from '../testing/store-laws.ts'
import { openReader } from './store-reader.ts'

const query: Query = { kind: 'series', source: 's', expr: 'up', range: { start: 0, end: 10 }, step: 10 }
const answer: SeriesAnswer = { frames: [fromValues([0], [1], { job: 'dns' })], warnings: [], requests: [] }

/** A source that answers when it is told to. */
function openSource() {
  const requests: { readonly signal: AbortSignal; readonly give: (answer: SeriesAnswer) => void }[] = []
  const source = {
    read: (_query: unknown, signal: AbortSignal) =>
      new Promise<SeriesAnswer>((give, fail) => {
        requests.push({ signal, give })
        signal.addEventListener('abort', () => fail(signal.reason))
      }),
  } as Partial<Source> as Source
  return { requests, reader: openReader({ s: source }, fromMemory()) }
}

describe('two flows that ask the same question at once', () => {
  it('share one request', async () => {
    const { requests, reader } = openSource()
    const { signal } = new AbortController()
    const both = Promise.all([reader.read(query, signal), reader.read(query, signal)])
    expect(requests).toHaveLength(1)
    requests[0].give(answer)
    for (const { frames } of await both) expect(frames).toEqual(answer.frames)
    // What has answered is not ended.
    expect(requests[0].signal.aborted).toBe(false)
  })

  it('have a deadline each: when the first gives up, the second still gets its answer', async () => {
    const { requests, reader } = openSource()
    const first = new AbortController()
    const early = reader.read(query, first.signal)
    const late = reader.read(query, new AbortController().signal)
    first.abort(new Error('deadline of the first'))
    await expect(early).rejects.toThrow('deadline of the first')
    expect(requests[0].signal.aborted).toBe(false)
    requests[0].give(answer)
    expect((await late).frames).toEqual(answer.frames)
  })

  it('end the request when both gave up, and the next one asks anew', async () => {
    const { requests, reader } = openSource()
    const clients = [new AbortController(), new AbortController()]
    const reads = clients.map(({ signal }) => reader.read(query, signal))
    for (const client of clients) client.abort(new Error('enough'))
    for (const read of reads) await expect(read).rejects.toThrow('enough')
    expect(requests[0].signal.aborted).toBe(true)
    const again = reader.read(query, new AbortController().signal)
    expect(requests).toHaveLength(2)
    requests[1].give(answer)
    expect((await again).frames).toEqual(answer.frames)
  })

  it('ask anew even when the source goes on with what nobody waits for', async () => {
    let asked = 0
    const source = { read: () => (++asked === 1 ? new Promise(() => {}) : Promise.resolve(answer)) } as Partial<Source> as Source
    const reader = openReader({ s: source }, fromMemory())
    const client = new AbortController()
    const read = reader.read(query, client.signal)
    client.abort(new Error('enough'))
    await expect(read).rejects.toThrow('enough')
    expect((await reader.read(query, new AbortController().signal)).frames).toEqual(answer.frames)
  })

  it('leave nothing behind at a signal that lives on', async () => {
    const { requests, reader } = openSource()
    const { signal } = new AbortController()
    const read = reader.read(query, signal)
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    requests[0].give(answer)
    await read
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('ask nothing when they were cancelled before', async () => {
    const { requests, reader } = openSource()
    await expect(reader.read(query, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late')
    expect(requests).toHaveLength(0)
  })
})

describe('what is asked of a source', () => {
  const reading = (given: Partial<SeriesAnswer>, more: Partial<Source> = {}) => {
    const source = { read: async () => ({ ...answer, ...given }), ...more } as Partial<Source> as Source
    return openReader({ s: source, t: source }, fromMemory())
  }
  const { signal } = new AbortController()

  it('comes with its first request, which can be copied, and a warning for each of its warnings', async () => {
    const reader = reading({ requests: ['curl first', 'curl second'], warnings: ['one series was left out', 'slow'] })
    expect((await reader.read(query, signal)).diagnostics).toEqual([
      { level: 'info', message: 'query', request: 'curl first' },
      { level: 'warning', message: 'one series was left out' },
      { level: 'warning', message: 'slow' },
    ])
    expect((await reading({}).read(query, signal)).diagnostics).toEqual([])
  })

  it('is an error that names the known ones when there is no such source', async () => {
    const asked = reading({}).read({ ...query, source: 'x' } as Query, signal)
    await expect(asked).rejects.toThrow('source must be one of s, t, got x')
    await expect(asked).rejects.toMatchObject({ retryable: false })
  })

  it('are targets when it knows some, else none', async () => {
    const ask: Query = { kind: 'targets', source: 's', series: [{ pod: 'a' }], time: 5 }
    const known: Source['targets'] = async (series, time) => [{ labels: { ...series[0], at: `${time}` }, up: true }]
    expect(await reading({}, { targets: known }).read(ask, signal)).toEqual([{ labels: { pod: 'a', at: '5' }, up: true }])
    expect(await reading({}).read(ask, signal)).toEqual([])
  })

  it('is asked anew when the answer is there, and when it failed', async () => {
    let asked = 0
    const reader = reading({}, { read: async () => (++asked === 2 ? Promise.reject(new Error('no')) : answer) })
    await reader.read(query, signal)
    await expect(reader.read(query, signal)).rejects.toThrow('no')
    await reader.read(query, signal)
    await reader.read({ ...query, expr: 'other' } as Query, signal)
    expect(asked).toBe(4)
  })
})

describe('what is asked of the store', () => {
  it('is that of the flow', async () => {
    const store = fromMemory()
    const reader = openReader({}, store)
    const { signal } = new AbortController()
    const snapshot = { labels: { pod: 'a' }, detector: 'seasonal', time: 50, state: Uint8Array.of(1) }
    await store.commit(sampleRun({ flow: 'f', anomalies: [sampleAnomaly()], snapshots: [snapshot] }))
    await store.addModel(sampleModel({ flow: 'f' }), true)
    const count = async (asked: Query) => ((await reader.read(asked, signal)) as readonly unknown[]).length
    for (const [flow, expected] of [
      ['f', 1],
      ['other', 0],
    ] as const) {
      expect(await count({ kind: 'snapshots', flow })).toBe(expected)
      expect(await count({ kind: 'models', flow })).toBe(expected)
      expect(await count({ kind: 'anomalies', filter: { flow } })).toBe(expected)
    }
    expect(await reader.read({ kind: 'snapshots', flow: 'f' }, signal)).toEqual([snapshot])
    expect(await reader.read({ kind: 'models', flow: 'f' }, signal)).toMatchObject([{ status: 'in force' }])
    expect(await reader.read({ kind: 'anomalies', filter: { flow: 'f' } }, signal)).toMatchObject([{ status: 'open' }])
  })
})
