import { type Labels, seriesId } from '../../anomaly.ts'
import type { Scores } from '../../detectors/detector.ts'
import type { TimeRange } from '../../frame/frame.ts'
import { decodeRows, encodeRows, replaceRows } from '../points.ts'
import type { Snapshot } from '../store.ts'
import type { Database } from './database.ts'

/** Rows of a chunk: few enough that adding to the last one is cheap, enough that a year is not a million of them. */
const CHUNK = 32

interface Chunk {
  id: number
  first: number
  last: number
  body: Uint8Array
}

/** What is kept of each stream (flow, series, detector): its snapshot and its points. All methods must be called inside a transaction. */
export interface Streams {
  saveSnapshot(flow: number, snapshot: Snapshot): void
  forget(flow: number, labels: Labels, detector: string): void
  snapshots(flow: number): Snapshot[]
  snapshot(flow: number, labels: Labels, detector: string): Snapshot | undefined
  savePoints(flow: number, detector: string, scores: Scores, range: TimeRange, keepFrom: number): void
  points(flow: number, labels: Labels, detector: string, range: TimeRange): Scores | undefined
  /** Deletes points before `keepFrom` of all streams of the flow, then streams and series of which nothing is left. */
  sweep(flow: number, keepFrom: number): void
  /** Ids that a transaction gave out are void once it is rolled back. */
  forgetIds(): void
}

export function fromStreams({ statement }: Database): Streams {
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

  return {
    saveSnapshot(flow, { labels, detector, time, state }) {
      statement(
        'INSERT INTO snapshots VALUES (?, ?, ?) ON CONFLICT (stream) DO UPDATE SET time = excluded.time, state = excluded.state',
      ).run(makeStream(flow, labels, detector), time, state)
    },
    forget(flow, labels, detector) {
      const stream = findStream(flow, labels, detector)
      if (stream !== undefined) statement('DELETE FROM snapshots WHERE stream = ?').run(stream)
    },
    snapshots(flow) {
      const rows = statement(
        `SELECT labels, detector, time, state FROM streams JOIN snapshots ON stream = streams.id JOIN series ON series.id = series
         WHERE flow = ? ORDER BY name, detector`,
      ).all(flow) as { labels: string; detector: string; time: number; state: Uint8Array }[]
      return rows.map(row => ({ labels: JSON.parse(row.labels), detector: row.detector, time: row.time, state: row.state }))
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
        `SELECT id, first, last, body FROM points WHERE stream = ?1 AND first < ?3
         AND first >= coalesce((SELECT max(first) FROM points WHERE stream = ?1 AND first <= ?2), ?2) ORDER BY first`,
      ).all(stream, range.start, range.end) as unknown as Chunk[]
      if (chunks.length > 0 && chunks[0].last < range.start && chunks[0].body.byteLength >= CHUNK * 48) chunks.shift()
      const stored =
        chunks.length > 0
          ? decodeRows(
              scores.labels,
              chunks.map(chunk => chunk.body),
            )
          : undefined
      const rows = replaceRows(stored, scores, range)
      const { times } = rows
      for (let from = 0, i = 0; from < times.length || i < chunks.length; from += CHUNK, i++) {
        const to = Math.min(from + CHUNK, times.length)
        const old = chunks[i]
        if (from >= times.length) statement('DELETE FROM points WHERE id = ?').run(old.id)
        else if (old)
          statement('UPDATE points SET first = ?, last = ?, body = ? WHERE id = ?').run(
            times[from],
            times[to - 1],
            encodeRows(rows, from, to),
            old.id,
          )
        else
          statement('INSERT INTO points (stream, first, last, body) VALUES (?, ?, ?, ?)').run(
            stream,
            times[from],
            times[to - 1],
            encodeRows(rows, from, to),
          )
      }
      statement('DELETE FROM points WHERE stream = ?1 AND first < ?2 AND last < ?2').run(stream, keepFrom)
    },
    points(flow, labels, detector, range) {
      const stream = findStream(flow, labels, detector)
      if (stream === undefined) return undefined
      const chunks = statement('SELECT body FROM points WHERE stream = ? AND first < ? AND last >= ? ORDER BY first').all(
        stream,
        range.end,
        range.start,
      ) as { body: Uint8Array }[]
      return decodeRows(
        labels,
        chunks.map(chunk => chunk.body),
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
