import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { seriesId } from '../anomaly.ts'
import type { Scores } from '../detectors/detector.ts'
import { MINUTE } from '../duration.ts'
import type { TimeRange } from '../frame/frame.ts'
import { columnLabels } from '../pipeline/columns.ts'
import type { AnomalyFilter, Notification, StoredAnomaly } from '../stores/store.ts'
import type { ServerParts } from './parts.ts'
import { BAD_REQUEST, NOT_FOUND, Problem, refuseBadInput } from './problem.ts'
import { thinRows } from './thin-rows.ts'
import { AnomalyListWire, AnomalyWire, ChartWire, finite } from './wire.ts'

/** A time of a query string: epoch ms or ISO 8601 with a zone. */
const timeParameter = z
  .string()
  .transform((text, context) => {
    const time = /^-?\d{1,15}$/.test(text)
      ? Number(text)
      : /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text)
        ? Date.parse(text)
        : NaN
    if (Number.isFinite(time)) return time
    context.issues.push({
      code: 'custom',
      message: `must be epoch ms or ISO 8601 with a zone, got ${JSON.stringify(text)}`,
      input: text,
    })
    return z.NEVER
  })
  .optional()

const count = (most: number, usual: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(1, 'must be at least 1').max(most, `must be at most ${most}`))
    .prefault(String(usual))

/** Ids are the store's; these are the letters that any store may use. */
const idParameter = z.object({ id: z.string().regex(/^[\w.:~-]{1,200}$/, 'must be an id of an anomaly') })

const list = createRoute({
  method: 'get',
  path: '/api/v1/anomalies',
  summary: 'Anomalies, newest first',
  request: {
    query: z.object({
      flow: z.string().min(1).max(200).optional(),
      status: z.enum(['open', 'resolved', 'withdrawn']).optional(),
      start: timeParameter.openapi({ type: 'string', description: 'only what overlaps start ≤ t < end' }),
      end: timeParameter.openapi({ type: 'string' }),
      limit: count(1000, 100).openapi({ type: 'integer', minimum: 1, maximum: 1000, default: 100 }),
      ignored: z.enum(['true', 'false']).default('false').openapi({ description: 'also those that nobody is told of' }),
    }),
  },
  responses: { 200: { description: 'Anomalies', content: { 'application/json': { schema: AnomalyListWire } } }, ...BAD_REQUEST },
})

const one = createRoute({
  method: 'get',
  path: '/api/v1/anomalies/{id}',
  summary: 'One anomaly',
  request: { params: idParameter },
  responses: {
    200: { description: 'Anomaly', content: { 'application/json': { schema: AnomalyWire } } },
    ...BAD_REQUEST,
    ...NOT_FOUND,
  },
})

const chart = createRoute({
  method: 'get',
  path: '/api/v1/anomalies/{id}/chart',
  summary: 'Values and band around one anomaly; long stretches are thinned, keeping extremes',
  request: {
    params: idParameter,
    query: z.object({ points: count(10_000, 1200).openapi({ type: 'integer', minimum: 1, maximum: 10_000, default: 1200 }) }),
  },
  responses: {
    200: { description: 'Chart', content: { 'application/json': { schema: ChartWire } } },
    ...BAD_REQUEST,
    ...NOT_FOUND,
  },
})

/** Columns of one anomaly that are drawn. */
const MOST_CHARTS = 4

/** `/api/v1/anomalies` and what is below it. */
export function anomalyRoutes(parts: ServerParts): OpenAPIHono {
  const app = new OpenAPIHono({ defaultHook: refuseBadInput })

  app.openapi(list, async c => {
    const { flow, status, start, end, limit, ignored } = c.req.valid('query')
    const range = { start: start ?? 0, end: end ?? Number.MAX_SAFE_INTEGER }
    if (range.start >= range.end) throw new Problem(400, 'input', `end must be after start, got ${range.start} … ${range.end}`)
    const filter: AnomalyFilter = {
      limit,
      includeIgnored: ignored === 'true',
      ...(flow === undefined ? {} : { flow }),
      ...(status === undefined ? {} : { status }),
      ...(start === undefined && end === undefined ? {} : { range }),
    }
    const anomalies = await parts.store.anomalies(filter)
    return c.json({ anomalies: await toWire(anomalies, parts) }, 200)
  })

  app.openapi(one, async c => {
    const [anomaly] = await toWire([await read(parts, c.req.valid('param').id)], parts)
    return c.json(anomaly!, 200)
  })

  app.openapi(chart, async c => {
    const anomaly = await read(parts, c.req.valid('param').id)
    const configured = parts.configuration().flows.find(flow => flow.name === anomaly.flow)
    const range = chartRange(anomaly, configured?.query.step ?? MINUTE)
    const scores = await parts.store.points(anomaly.flow, anomaly.labels, anomaly.detector, range)
    const { points } = c.req.valid('query')
    const columns = await Promise.all(
      (anomaly.columns ?? []).slice(0, MOST_CHARTS).map(async ({ name, share }) => {
        const own = await parts.store.points(anomaly.flow, columnLabels(anomaly.labels, name), anomaly.detector, range)
        const { score: _, times, value, ...band } = linesOf(own, points)
        // What was expected of it is known for rows in which it was the strangest: outside of the anomaly those are chance.
        const inside = (line: readonly (number | null)[]) =>
          line.map((given, i) => (times[i] >= anomaly.start && times[i] < anomaly.end ? given : null))
        const { expected, lower, upper } = band
        return { name, share, times, value, expected: inside(expected), lower: inside(lower), upper: inside(upper) }
      }),
    )
    const step = configured?.query.step ?? null
    return c.json({ id: anomaly.id, ...range, step, ...linesOf(scores, points), columns }, 200)
  })
  return app
}

function linesOf(scores: Scores | undefined, most: number) {
  const rows = scores ? thinRows(scores, most) : []
  const line = (name: 'value' | 'expected' | 'lower' | 'upper' | 'score') => rows.map(row => finite(scores!.columns[name][row]))
  return {
    times: rows.map(row => scores!.times[row]),
    value: line('value'),
    expected: line('expected'),
    lower: line('lower'),
    upper: line('upper'),
    score: line('score'),
  }
}

/** The stretch with as much calm around it as makes it readable: twice its length, at least 45 rows, on both sides. */
export function chartRange(anomaly: { start: number; end: number }, step: number): TimeRange {
  const around = Math.max(2 * (anomaly.end - anomaly.start), 45 * step)
  return { start: anomaly.start - around, end: anomaly.end + around }
}

async function read({ store }: ServerParts, id: string): Promise<StoredAnomaly> {
  const anomaly = await store.anomaly(id)
  if (!anomaly) throw new Problem(404, 'not-found', `anomaly must be a known id, got ${JSON.stringify(id)}`)
  return anomaly
}

async function toWire(anomalies: readonly StoredAnomaly[], { store }: ServerParts): Promise<AnomalyWire[]> {
  const notifications = Map.groupBy(await store.notifications(anomalies.map(({ id }) => id)), ({ anomaly }) => anomaly)
  return anomalies.map(anomaly => ({ ...factsOf(anomaly), ...deliveriesOf(notifications.get(anomaly.id) ?? []) }))
}

function deliveriesOf(notifications: readonly Notification[]): Pick<AnomalyWire, 'notified' | 'undelivered'> {
  return {
    notified: notifications.flatMap(({ channel, kind, state, at }) => (state === 'accepted' ? [{ channel, kind, at }] : [])),
    undelivered: notifications.flatMap(({ channel, kind, state, at, error }) =>
      state === 'accepted' ? [] : [{ channel, kind, state, since: at, error: error ?? null }],
    ),
  }
}

function factsOf(anomaly: StoredAnomaly): Omit<AnomalyWire, 'notified' | 'undelivered'> {
  return {
    id: anomaly.id,
    version: anomaly.version,
    status: anomaly.status,
    flow: anomaly.flow,
    detector: anomaly.detector,
    series: seriesId(anomaly.labels),
    labels: { ...anomaly.labels },
    sentence: anomaly.sentence ?? null,
    shape: anomaly.shape ?? null,
    columns: (anomaly.columns ?? []).map(({ name, share, value, expected = NaN }) => ({
      name,
      share,
      value: finite(value),
      expected: finite(expected),
    })),
    numbers: Object.fromEntries(Object.entries(anomaly.numbers ?? {}).map(([name, value]) => [name, finite(value)])),
    direction: anomaly.direction,
    start: anomaly.start,
    end: anomaly.end,
    peak: anomaly.peak,
    duration: anomaly.end - anomaly.start,
    ongoing: anomaly.ongoing,
    current: finite(anomaly.current),
    expected: finite(anomaly.expected),
    lower: finite(anomaly.lower),
    upper: finite(anomaly.upper),
    score: finite(anomaly.score),
    strength: finite(anomaly.strength),
    ignored: anomaly.ignored ?? null,
    withdrawnBecause: anomaly.withdrawnBecause ?? null,
    annotations: { ...anomaly.annotations },
    openedAt: anomaly.openedAt,
    updatedAt: anomaly.updatedAt,
  }
}
