import { setTimeout as wait } from 'node:timers/promises'
import { type Received, SERIES, SPIKE_EVERY } from './servers.ts'

const SECOND = 1000
/** Spikes of the last seconds may still be open, or wait for their first message. */
const UNSETTLED = 15 * SECOND
/** Once the faults are over, all is found and reported; it is given up when nothing more has come for so long. A slow machine may take its time. */
const PATIENCE = 60 * SECOND

/** A problem, and the anomaly that it is about. */
export interface Problem {
  readonly text: string
  readonly anomaly?: string
}

/** What was not as it must be: lost, reported under two keys, or taken back. */
export function judge(anomalies: readonly Listed[], received: readonly Received[]): Problem[] {
  const problems: Problem[] = []
  const keys = new Map<string, { readonly kind: string; readonly id: string; readonly all: Set<string> }>()
  for (const { key, kind, id } of received) {
    const change = `${kind} ${id}`
    if (!keys.has(change)) keys.set(change, { kind, id, all: new Set() })
    keys.get(change)!.all.add(key)
  }
  for (const { kind, id, all } of keys.values()) {
    if (kind === 'withdrawn') problems.push({ anomaly: id, text: `${id} was withdrawn: nothing was to be` })
    if (all.size > 1)
      problems.push({ anomaly: id, text: `${kind} ${id} was reported under ${all.size} keys: ${[...all].join(', ')}` })
  }
  for (const { id, start } of anomalies)
    for (const kind of ['opened', 'resolved'])
      if (!keys.has(`${kind} ${id}`))
        problems.push({ anomaly: id, text: `${kind} of the anomaly at ${new Date(start).toISOString()} never arrived` })
  return problems
}

export interface Listed {
  readonly id: string
  readonly start: number
  readonly labels: Readonly<Record<string, string>>
}

type Ask = (path: string) => Promise<Response>

/** Waits until every spike of the time between is stored and told; gives the anomalies and the spikes not found exactly once. */
export async function settle(ask: Ask, received: readonly Received[], from: number, until: number) {
  let fewest = Infinity
  let limit = Infinity
  for (;;) {
    const anomalies = await listAnomalies(ask, from, until)
    const wrong = notFoundOnce(anomalies, from, until)
    const told = new Set(received.map(({ kind, id }) => `${kind} ${id}`))
    const untold = anomalies.flatMap(({ id }) => [`opened ${id}`, `resolved ${id}`].filter(change => !told.has(change)))
    // Of what is not found yet, neither the beginning nor the end is told.
    const missing = 2 * wrong.length + untold.length
    if (missing === 0 || performance.now() > limit) return { anomalies, wrong }
    if (missing < fewest) limit = performance.now() + PATIENCE
    fewest = Math.min(fewest, missing)
    await wait(SECOND)
  }
}

async function listAnomalies(ask: Ask, from: number, until: number): Promise<Listed[]> {
  const response = await ask(`/api/v1/anomalies?limit=1000&start=${from}&end=${until}`)
  const body = (await response.json()) as { anomalies: (Omit<Listed, 'start'> & { start: number | string })[] }
  return body.anomalies
    .map(one => ({ ...one, start: typeof one.start === 'string' ? Date.parse(one.start) : one.start }))
    .filter(one => one.start >= firstSpike(from) * SECOND && one.start < until - UNSETTLED)
}

/** Spikes of which there is no anomaly, or more than one; anomalies that are of no spike. */
function notFoundOnce(anomalies: readonly Listed[], from: number, until: number): Problem[] {
  const found = Map.groupBy(anomalies, ({ labels, start }) => `${labels.n} at ${start / SECOND}`)
  const expected = new Set<string>()
  for (let second = firstSpike(from); second * SECOND < until - UNSETTLED; second += SPIKE_EVERY)
    for (let n = 0; n < SERIES; n++) expected.add(`${n} at ${second}`)
  return [
    ...[...expected].flatMap(spike => {
      const count = found.get(spike)?.length ?? 0
      return count === 1 ? [] : [{ text: `the spike of series ${spike} must be found once, got ${count} anomalies` }]
    }),
    ...[...found].flatMap(([at, [one]]) =>
      expected.has(at) ? [] : [{ text: `an anomaly of series ${at} must be one of a spike`, anomaly: one!.id }],
    ),
  ]
}

/** In seconds; the first that begins after `from`. */
function firstSpike(from: number): number {
  return Math.ceil(from / SECOND / SPIKE_EVERY) * SPIKE_EVERY
}
