import { DatabaseSync } from 'node:sqlite'
import type { Diary } from './diary.ts'
import type { Received } from './servers.ts'

const SECOND = 1000
/** Runs and events so long before and after an anomaly are part of its story. */
const AROUND = 20 * SECOND

/** All that happened around one anomaly, in order of time: what was done to the program, what it wrote, what was received. */
export function explain(store: string, diary: Diary, received: readonly Received[], anomaly: string): string {
  const db = new DatabaseSync(store, { readOnly: true })
  try {
    const row = db.prepare('SELECT body FROM anomalies WHERE id = ?').get(anomaly)
    const stored = row && (JSON.parse(String(row.body)) as Stored)
    const messages = db.prepare('SELECT key, created_at, body FROM outbox WHERE anomaly = ? ORDER BY id').all(anomaly)
    const runs = db
      .prepare('SELECT body FROM runs ORDER BY id')
      .all()
      .map(run => JSON.parse(String(run.body)))
    const lines: { at: number; text: string }[] = [
      ...messages.map(message => {
        const told = JSON.parse(String(message.body))
        const what = `${inSeconds(told.start)} to ${inSeconds(told.end)}${told.ongoing ? ', ongoing' : ''}`
        return { at: Number(message.created_at), text: `message ${message.key} is written: ${what}` }
      }),
      ...runs.flatMap(({ flow, startedAt, finishedAt, range, status, changes, anomalies, error }) => {
        if (flow !== stored?.flow) return []
        const how = status === 'ok' ? `${anomalies} anomalies, ${changes} changes` : error
        const took = Math.round(finishedAt - startedAt)
        return { at: finishedAt, text: `run of ${inSeconds(range.start)} to ${inSeconds(range.end)} took ${took} ms: ${how}` }
      }),
      ...received.flatMap(({ at, key, id }) => (id === anomaly ? [{ at, text: `message ${key} is received` }] : [])),
      ...diary.entries,
    ]
    const times = [...(stored ? [stored.start, stored.end] : []), ...messages.map(message => Number(message.created_at))]
    const [from, to] = [Math.min(...times) - AROUND, Math.max(...times) + AROUND]
    const story = lines
      .filter(({ at }) => at >= from && at <= to)
      .toSorted((a, b) => a.at - b.at)
      .map(({ at, text }) => `${inSeconds(at)} ${text}`)
    const now = stored ? `${stored.status}, version ${stored.version}` : 'not stored'
    return [`anomaly ${anomaly}: ${now}`, ...story].join('\n')
  } finally {
    db.close()
  }
}

interface Stored {
  readonly flow: string
  readonly start: number
  readonly end: number
  readonly status: string
  readonly version: number
}

function inSeconds(time: number): string {
  return (time / SECOND).toFixed(1)
}
