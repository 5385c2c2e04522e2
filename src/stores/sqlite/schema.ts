import type { Generated } from 'kysely'
import type { FitReason } from '../../detectors/detector.ts'
import type { ModelStatus } from '../store.ts'

/** The tables. Times are epoch ms; an absent time is NULL, which is NaN outside. */
export interface Tables {
  migrations: { version: number; applied_at: number }
  owner: { pid: number; since: number }
  flows: {
    id: Generated<number>
    name: string
    watermark: number | null
    next_run_at: number | null
    leased_until: number | null
    /** 1: scheduled, 0: not any more, NULL: never was. */
    listed: number | null
    last_success_at: number | null
    failures: Generated<number>
    horizon: number | null
    points_from: number | null
    swept_at: number | null
    /** Since when it is known not to be scheduled any more. */
    removed_at: number | null
  }
  runs: { id: Generated<number>; flow: number; body: string }
  series: { id: Generated<number>; name: string; labels: string }
  streams: { id: Generated<number>; flow: number; series: number; detector: string }
  snapshots: { stream: number; time: number; state: Uint8Array }
  /** `format` 0: rows of the first schema (`decodeRows`), 1: packed (`unpackRows`). */
  points: { id: Generated<number>; stream: number; first: number; last: number; body: Uint8Array; format: number }
  /** Rows that could not be read, out of the way of all others. */
  damaged: {
    id: Generated<number>
    kind: string
    name: string
    reason: string
    found_at: number
    body: Uint8Array | string | null
  }
  anomalies: { id: string; flow: string; start: number; end: number; status: string; ignored: number; body: string }
  outbox: {
    id: Generated<number>
    key: string
    channel: string
    anomaly: string
    kind: string
    body: string
    created_at: number
    state: State
    due_at: number | null
    done_at: number | null
    attempts: Generated<number>
    error: string | null
  }
  channels: {
    name: string
    delivered: Generated<number>
    abandoned: Generated<number>
    last_delivered_at: number | null
    last_error: string | null
    failing_since: number | null
    /** Refused contents since the channel last accepted something. */
    refusals: Generated<number>
  }
  /** What was accepted: of each anomaly, channel and kind the newest message. */
  notified: { anomaly: string; channel: string; kind: string; message: number; at: number; identity: string | null }
  models: {
    id: Generated<number>
    flow: string
    detector: string
    /** The canonical text of `labels`. */
    workload: string
    labels: string
    version: number
    status: ModelStatus
    reason: FitReason
    created_at: number
    in_force_since: number | null
    /** Up to when rows were seen by the fit, or by the operator who took it back. */
    tried: number
    used_at: number
    rows: number
    start: number
    end: number
    configuration: string
    validation: number | null
    current: number | null
    seconds: number
    state: Uint8Array
  }
}

export type State = 'pending' | 'resend' | 'aside' | 'done'

/** `TIDE`: says that a SQLite file is ours. */
export const APPLICATION_ID = 0x54494445

/** Each brings the schema from its index to the next version; written ones are never changed. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE owner (pid INTEGER NOT NULL, since REAL NOT NULL);
  CREATE TABLE flows (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, watermark REAL, next_run_at REAL, leased_until REAL, listed INTEGER,
    last_success_at REAL, failures INTEGER NOT NULL DEFAULT 0, horizon REAL, points_from REAL, swept_at REAL
  );
  CREATE TABLE runs (id INTEGER PRIMARY KEY, flow INTEGER NOT NULL REFERENCES flows (id) ON DELETE CASCADE, body TEXT NOT NULL);
  CREATE INDEX runs_of_flow ON runs (flow, id);
  CREATE TABLE series (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, labels TEXT NOT NULL);
  CREATE TABLE streams (
    id INTEGER PRIMARY KEY, flow INTEGER NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
    series INTEGER NOT NULL REFERENCES series (id), detector TEXT NOT NULL, UNIQUE (flow, series, detector)
  );
  CREATE INDEX streams_of_series ON streams (series);
  CREATE TABLE snapshots (
    stream INTEGER PRIMARY KEY REFERENCES streams (id) ON DELETE CASCADE, time REAL NOT NULL, state BLOB NOT NULL
  );
  CREATE TABLE points (
    id INTEGER PRIMARY KEY, stream INTEGER NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
    first REAL NOT NULL, last REAL NOT NULL, body BLOB NOT NULL
  );
  CREATE INDEX points_of_stream ON points (stream, first, last);
  CREATE TABLE anomalies (
    id TEXT PRIMARY KEY, flow TEXT NOT NULL, start REAL NOT NULL, "end" REAL NOT NULL, status TEXT NOT NULL, ignored INTEGER NOT NULL,
    body TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX anomalies_of_flow ON anomalies (flow, "end");
  CREATE INDEX anomalies_by_start ON anomalies (start DESC, id);
  CREATE INDEX anomalies_open ON anomalies (flow) WHERE status = 'open';
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, channel TEXT NOT NULL, anomaly TEXT NOT NULL, kind TEXT NOT NULL,
    body TEXT NOT NULL, created_at REAL NOT NULL, state TEXT NOT NULL, due_at REAL, done_at REAL, attempts INTEGER NOT NULL DEFAULT 0,
    UNIQUE (channel, key)
  );
  CREATE INDEX outbox_of_anomaly ON outbox (anomaly, channel, id);
  CREATE INDEX outbox_waiting ON outbox (channel, state, due_at) WHERE state <> 'done';
  CREATE INDEX outbox_done ON outbox (done_at) WHERE state = 'done';
  CREATE TABLE channels (
    name TEXT PRIMARY KEY, delivered INTEGER NOT NULL DEFAULT 0, abandoned INTEGER NOT NULL DEFAULT 0, last_delivered_at REAL,
    last_error TEXT
  ) WITHOUT ROWID;
  `,
  `
  CREATE TABLE models (
    id INTEGER PRIMARY KEY, flow TEXT NOT NULL, detector TEXT NOT NULL, workload TEXT NOT NULL, labels TEXT NOT NULL,
    version INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL, created_at REAL NOT NULL, in_force_since REAL, tried REAL NOT NULL,
    used_at REAL NOT NULL, rows INTEGER NOT NULL, start REAL NOT NULL, "end" REAL NOT NULL, configuration TEXT NOT NULL, validation REAL,
    current REAL, seconds REAL NOT NULL, state BLOB NOT NULL, UNIQUE (flow, detector, workload, version)
  );
  CREATE UNIQUE INDEX models_in_force ON models (flow, detector, workload) WHERE status = 'in force';
  CREATE INDEX models_used ON models (used_at);
  `,
  `
  ALTER TABLE points ADD COLUMN format INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE damaged (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL, found_at REAL NOT NULL, body BLOB
  );
  `,
  // What was accepted is known of messages that are still repeated, and of others where the channel never gave one up.
  `
  ALTER TABLE outbox ADD COLUMN error TEXT;
  ALTER TABLE channels ADD COLUMN failing_since REAL;
  ALTER TABLE channels ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE notified (
    anomaly TEXT NOT NULL REFERENCES anomalies (id) ON DELETE CASCADE, channel TEXT NOT NULL, kind TEXT NOT NULL, message INTEGER NOT NULL,
    at REAL NOT NULL, identity TEXT, PRIMARY KEY (anomaly, channel, kind)
  ) WITHOUT ROWID;
  INSERT INTO notified (anomaly, channel, kind, message, at)
    SELECT anomaly, channel, kind, max(outbox.id), max(done_at)
    FROM outbox JOIN anomalies ON anomalies.id = anomaly JOIN channels ON channels.name = channel
    WHERE done_at IS NOT NULL AND (state = 'resend' OR (state = 'done' AND abandoned = 0)) GROUP BY anomaly, channel, kind;
  `,
  'ALTER TABLE flows ADD COLUMN removed_at REAL',
  `CREATE INDEX anomalies_ignored ON anomalies (flow, "end") WHERE ignored = 1 AND status <> 'open'`,
]
