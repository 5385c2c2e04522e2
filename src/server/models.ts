import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { seriesId } from '../anomaly.ts'
import { configurationHash } from '../pipeline/configuration-hash.ts'
import type { ModelRecord } from '../stores/store.ts'
import type { ServerParts } from './parts.ts'
import { BAD_REQUEST, CONFLICT, NOT_FOUND, Problem, refuseBadInput } from './problem.ts'
import { finite, ModelListWire, ModelWire } from './wire.ts'

const name = z.string().min(1).max(200)

const list = createRoute({
  method: 'get',
  path: '/api/v1/models',
  summary: 'Models of learned detectors, newest first',
  request: {
    query: z.object({
      flow: name.optional(),
      limit: z
        .string()
        .regex(/^\d{1,5}$/, 'must be a whole number')
        .transform(Number)
        .pipe(z.number().min(1, 'must be at least 1').max(10_000, 'must be at most 10000'))
        .prefault('200')
        .openapi({ type: 'integer', minimum: 1, maximum: 10_000, default: 200 }),
    }),
  },
  responses: { 200: { description: 'Models', content: { 'application/json': { schema: ModelListWire } } }, ...BAD_REQUEST },
})

const RestoreBody = z.strictObject({
  workload: z
    .record(z.string(), z.string())
    .optional()
    .openapi({
      description: 'labels of the workload; may be left out when the detector has one workload only',
      example: { job: 'coredns' },
    }),
})

const restore = createRoute({
  method: 'post',
  path: '/api/v1/models/{flow}/{detector}/{version}/restore',
  summary: 'Puts a model in force again, from the next run of its flow on; the one in force retires',
  request: {
    params: z.object({
      flow: name,
      detector: name,
      version: z
        .string()
        .regex(/^[1-9]\d{0,8}$/, 'must be a whole number from 1')
        .transform(Number)
        .openapi({ type: 'integer', minimum: 1 }),
    }),
    body: { content: { 'application/json': { schema: RestoreBody } } },
  },
  responses: {
    200: { description: 'The model, in force', content: { 'application/json': { schema: ModelWire } } },
    ...BAD_REQUEST,
    ...NOT_FOUND,
    ...CONFLICT,
  },
})

/** `/api/v1/models` and what is below it. */
export function modelRoutes(parts: ServerParts): OpenAPIHono {
  const { store, configuration, now } = parts
  const app = new OpenAPIHono({ defaultHook: refuseBadInput })

  app.openapi(list, async c => {
    const { flow, limit } = c.req.valid('query')
    const models = await store.models(flow)
    const hashOf = hashes(parts)
    return c.json({ models: models.slice(0, limit).map(model => toWire(model, hashOf)), total: models.length }, 200)
  })

  app.openapi(restore, async c => {
    const { flow, detector, version } = c.req.valid('param')
    const { workload } = c.req.valid('json') ?? {}
    const flows = configuration().flows.map(one => one.name)
    if (!flows.includes(flow)) throw unknown('flow', flows, flow)
    const detectors = configuration()
      .flows.find(one => one.name === flow)!
      .detect.map(one => one.name)
    if (!detectors.includes(detector)) throw unknown('detector', detectors, detector)
    const ofDetector = (await store.models(flow)).filter(model => model.detector === detector)
    const model = choose(ofDetector, version, workload && seriesId(workload))
    const hashOf = hashes(parts)
    if (model.status === 'in force')
      throw new Problem(409, 'conflict', `version must be one that is not in force, got ${version}`)
    if (model.configuration !== hashOf(flow, detector))
      throw new Problem(409, 'conflict', `version must be one of the flow as it is configured now, got ${version} of another`)
    const { watermark = NaN } = (await store.flow(flow)) ?? {}
    const at = now()
    const restored = await store.restoreModel(model, version, at, Number.isFinite(watermark) ? watermark : at)
    // Between reading and writing it may have been pruned.
    if (!restored) throw new Problem(404, 'not-found', `version must be one that is kept, got ${version}`)
    return c.json(toWire(restored, hashOf), 200)
  })
  return app
}

function choose(models: readonly ModelRecord[], version: number, workload: string | undefined): ModelRecord {
  const names = [...new Set(models.map(model => seriesId(model.workload)))]
  if (workload !== undefined && !names.includes(workload)) throw unknown('workload', names, workload)
  if (workload === undefined && names.length > 1)
    throw new Problem(409, 'conflict', `workload must be one of ${listed(names)}; got none`)
  const ofWorkload = models.filter(model => workload === undefined || seriesId(model.workload) === workload)
  const found = ofWorkload.find(model => model.version === version)
  const versions = ofWorkload.map(model => String(model.version)).toReversed()
  if (!found) throw unknown('version', versions, version)
  return found
}

function unknown(field: string, known: readonly string[], got: string | number): Problem {
  return new Problem(404, 'not-found', `${field} must be one of ${listed(known)}; got ${JSON.stringify(got)}`)
}

const MOST_LISTED = 20

function listed(names: readonly string[]): string {
  if (names.length === 0) return '(there are none)'
  const more = names.length > MOST_LISTED ? ` and ${names.length - MOST_LISTED} more` : ''
  return `${names.slice(0, MOST_LISTED).join(', ')}${more}`
}

/** What a model of a detector must be of to be of use now; undefined for what is not configured. */
function hashes({ configuration }: ServerParts): (flow: string, detector: string) => string | undefined {
  const known = new Map<string, string | undefined>()
  return (flow, detector) => {
    const key = `${flow}\n${detector}`
    if (!known.has(key)) {
      const config = configuration().flows.find(one => one.name === flow)
      const part = config?.detect.find(one => one.name === detector)
      known.set(key, config && part && configurationHash(config, part))
    }
    return known.get(key)
  }
}

function toWire(model: ModelRecord, hashOf: (flow: string, detector: string) => string | undefined): ModelWire {
  const { flow, detector, workload, range, configuration } = model
  return {
    flow,
    detector,
    workload: { ...workload },
    series: seriesId(workload),
    version: model.version,
    status: model.status,
    usable: configuration === hashOf(flow, detector),
    reason: model.reason,
    createdAt: model.createdAt,
    inForceSince: finite(model.inForceSince),
    start: range.start,
    end: range.end,
    rows: model.rows,
    validation: finite(model.validation),
    current: finite(model.current ?? NaN),
    seconds: model.seconds,
    configuration,
  }
}
