import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import type { Query } from '../pipeline/pipeline.ts'
import type { SeriesAnswer, Source } from '../sources/source.ts'
import { fromMemory } from '../stores/memory.ts'
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

  it('ask nothing when they were cancelled before', async () => {
    const { requests, reader } = openSource()
    await expect(reader.read(query, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late')
    expect(requests).toHaveLength(0)
  })
})
