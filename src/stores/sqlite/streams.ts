import { type Labels, seriesId } from '../../anomaly.ts'
import type { Scores } from '../../detectors/detector.ts'
import type { TimeRange } from '../../frame/frame.ts'
import { packedRows, packRows, unpackRows } from '../packed-rows.ts'
import { decodeRows, joinRows, replaceRows } from '../points.ts'
import type { Snapshot } from '../store.ts'
import type { Damage } from './damage.ts'
import type { Database } from './database.ts'
import { readLabels } from './rows.ts'

/** Rows of a chunk: few enough that adding to the last one is cheap, enough that a year is not a million of them and that they pack well. */
const CHUNK = 128

interface Chunk {
  readonly id: number
  readonly first: number
  readonly last: number
  readonly body: Uint8Array
  readonly format: number
}

/** What is kept of each stream (flow, series, detector): its snapshot and its points. All methods must be called inside a transaction. */
export interface Streams {
  saveSnapshot(flow: number, snapshot: Snapshot): void
  forget(flow: number, labels: Labels, detector: string): void
  /** Deletes a snapshot that could not be read by whom it is for. */
  setAside(flow: number, labels: Labels, detector: string, reason: string): void
  snapshots(flow: number): Snapshot[]
  snapshot(flow: number, labels: Labels, detector: string): Snapshot | undefined
  savePoints(flow: number, detector: string, scores: Scores, range: TimeRange, keepFrom: number): void
  points(flow: number, labels: Labels, detector: string, range: TimeRange): Scores | undefined
  /** Deletes points before `keepFrom` of all streams of the flow, then streams and series of which nothing is left. */
  sweep(flow: number, keepFrom: number): void
  /** Ids that a transaction gave out are void once it is rolled back. */
  forgetIds(): void
}

/** Full chunks are left as they are, those of the first schema too. */
function isFull({ format, body }: Chunk): boolean {
  return format === 0 || packedRows(body) >= CHUNK
}

export function fromStreams({ statement }: Pick<Database, 'statement'>, damage: Damage): Streams {
  const seriesIds = new Map<string, number>()
  const streamIds = new Map<string, number>()

  const findStream = (flow: number, labels: Labels, detector: string): number | undefined => {
    const name = seriesId(labels)
    const key = `${flow}\n${detector}\n${name}`
    let id = streamIds.get(key)
    if (id === undefined) {
      const row = statement(
        'SELECT streams.id FROM streams JOIN series ON series.id = series WHERE flow = ? AND name = ? AND detector = ?',
      ).get(flow, name, detector)
      id = row?.id as number | undefined
      if (id !== undefined) streamIds.set(key, id)
    }
    return id
  }
  const makeSeries = (labels: Labels): number => {
    const name = seriesId(labels)
    let id = seriesIds.get(name)
    if (id === undefined) {
      id =
        (statement('SELECT id FROM series WHERE name = ?').get(name)?.id as number | undefined) ??
        Number(statement('INSERT INTO series (name, labels) VALUES (?, ?)').run(name, JSON.stringify(labels)).lastInsertRowid)
      seriesIds.set(name, id)
    }
    return id
  }
  const makeStream = (flow: number, labels: Labels, detector: string): number => {
    const found = findStream(flow, labels, detector)
    if (found !== undefined) return found
    const insert = statement('INSERT INTO streams (flow, series, detector) VALUES (?, ?, ?)')
    const id = Number(insert.run(flow, makeSeries(labels), detector).lastInsertRowid)
    streamIds.set(`${flow}\n${detector}\n${seriesId(labels)}`, id)
    return id
  }
  /** Chunks with their rows, without those that cannot be read. */
  const readChunks = (labels: Labels, detector: string, chunks: readonly Chunk[]) =>
    chunks.flatMap(chunk => {
      const { id, body, format } = chunk
      const decode = () => (format === 0 ? decodeRows(labels, body) : unpackRows(labels, body))
      const row = { kind: 'points', name: `${seriesId(labels)} of ${detector}`, body } as const
      const rows = damage.read(row, decode, () => statement('DELETE FROM points WHERE id = ?').run(id))
      return rows ? [{ chunk, rows }] : []
    })

  return {
    saveSnapshot(flow, { labels, detector, time, state }) {
      statement(
        'INSERT INTO snapshots VALUES (?, ?, ?) ON CONFLICT (stream) DO UPDATE SET time = excluded.time, state = excluded.state',
      ).run(makeStream(flow, labels, detector), time, state)
    },
    forget(flow, labels, detector) {
      const stream = findStream(flow, labels, detector)
      if (stream === undefined) return
      statement('DELETE FROM snapshots WHERE stream = ?').run(stream)
      // One that has points stays until they are too old. Where pods come and go all the time, the next sweep would be late.
      const gone = statement('DELETE FROM streams WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM points WHERE stream = ?1)')
      if (gone.run(stream).changes === 0) return
      const name = seriesId(labels)
      streamIds.delete(`${flow}\n${detector}\n${name}`)
      statement('DELETE FROM series WHERE name = ? AND NOT EXISTS (SELECT 1 FROM streams WHERE series = series.id)').run(name)
      seriesIds.delete(name)
    },
    setAside(flow, labels, detector, reason) {
      const stream = findStream(flow, labels, detector)
      const found = stream === undefined ? undefined : statement('SELECT state FROM snapshots WHERE stream = ?').get(stream)
      if (!found) return
      const row = { kind: 'snapshot', name: `${seriesId(labels)} of ${detector}`, body: found.state as Uint8Array } as const
      damage.setAside(row, reason, () => statement('DELETE FROM snapshots WHERE stream = ?').run(stream!))
    },
    snapshots(flow) {
      const rows = statement(
        `SELECT series, name, labels, detector, time, state FROM streams JOIN snapshots ON stream = streams.id
         JOIN series ON series.id = series WHERE flow = ? ORDER BY name, detector`,
      ).all(flow) as { series: number; name: string; labels: string; detector: string; time: number; state: Uint8Array }[]
      const known = new Map<number, Labels | undefined>()
      return rows.flatMap(({ series, name, labels: text, detector, time, state }) => {
        if (!known.has(series)) {
          const remove = () => {
            statement('DELETE FROM streams WHERE series = ?').run(series)
            statement('DELETE FROM series WHERE id = ?').run(series)
            this.forgetIds()
          }
          known.set(
            series,
            damage.read({ kind: 'series', name, body: text }, () => readLabels(text, name), remove),
          )
        }
        const labels = known.get(series)
        return labels ? [{ labels, detector, time, state }] : []
      })
    },
    snapshot(flow, labels, detector) {
      const stream = findStream(flow, labels, detector)
      const row = stream === undefined ? undefined : statement('SELECT time, state FROM snapshots WHERE stream = ?').get(stream)
      return row && { labels, detector, time: row.time as number, state: row.state as Uint8Array }
    },

    savePoints(flow, detector, scores, range, keepFrom) {
      const stream = makeStream(flow, scores.labels, detector)
      // From the chunk that holds or precedes the first row, so that short chunks are filled up, to the end of the range.
      const chunks = statement(
        `SELECT id, first, last, body, format FROM points WHERE stream = ?1 AND first < ?3
         AND first >= coalesce((SELECT max(first) FROM points WHERE stream = ?1 AND first <= ?2), ?2) ORDER BY first`,
      ).all(stream, range.start, range.end) as unknown as Chunk[]
      if (chunks.length > 0 && chunks[0].last < range.start && isFull(chunks[0])) chunks.shift()
      const read = readChunks(scores.labels, detector, chunks)
      const rows = replaceRows(
        joinRows(
          scores.labels,
          read.map(one => one.rows),
        ),
        scores,
        range,
      )
      const { times } = rows
      for (let from = 0, i = 0; from < times.length || i < read.length; from += CHUNK, i++) {
        const to = Math.min(from + CHUNK, times.length)
        const old = read[i]?.chunk
        if (from >= times.length) {
          statement('DELETE FROM points WHERE id = ?').run(old.id)
          continue
        }
        // The last chunk is written again with every run, the others hardly ever.
        const body = packRows(rows, from, to, to - from === CHUNK)
        if (!old)
          statement('INSERT INTO points (stream, first, last, body, format) VALUES (?, ?, ?, ?, 1)').run(
            stream,
            times[from],
            times[to - 1],
            body,
          )
        else if (old.format === 0 || Buffer.compare(body, old.body) !== 0)
          statement('UPDATE points SET first = ?, last = ?, body = ?, format = 1 WHERE id = ?').run(
            times[from],
            times[to - 1],
            body,
            old.id,
          )
      }
      statement('DELETE FROM points WHERE stream = ?1 AND first < ?2 AND last < ?2').run(stream, keepFrom)
    },
    points(flow, labels, detector, range) {
      const stream = findStream(flow, labels, detector)
      if (stream === undefined) return undefined
      const chunks = statement(
        'SELECT id, first, last, body, format FROM points WHERE stream = ? AND first < ? AND last >= ? ORDER BY first',
      ).all(stream, range.end, range.start)
      const read = readChunks(labels, detector, chunks as unknown as Chunk[])
      return joinRows(
        labels,
        read.map(one => one.rows),
      )
    },

    sweep(flow, keepFrom) {
      statement('DELETE FROM points WHERE last < ? AND stream IN (SELECT id FROM streams WHERE flow = ?)').run(keepFrom, flow)
      statement(
        `DELETE FROM streams WHERE flow = ? AND NOT EXISTS (SELECT 1 FROM snapshots WHERE stream = streams.id)
         AND NOT EXISTS (SELECT 1 FROM points WHERE stream = streams.id)`,
      ).run(flow)
      statement('DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM streams WHERE series = series.id)').run()
      this.forgetIds()
    },
    forgetIds() {
      seriesIds.clear()
      streamIds.clear()
    },
  }
}
