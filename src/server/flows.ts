import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { flowHealth } from '../execution/watch/health.ts'
import { describeQuery } from '../pipeline/columns.ts'
import type { FlowConfig } from '../pipeline/configuration.ts'
import type { FlowState, RunLog, Store } from '../stores/store.ts'
import type { ServerParts } from './parts.ts'
import { BAD_REQUEST, NOT_FOUND, Problem, refuseBadInput } from './problem.ts'
import { FlowListWire, type FlowWire, finite, RunListWire, type RunWire } from './wire.ts'

const list = createRoute({
  method: 'get',
  path: '/api/v1/flows',
  summary: 'Flows with their health',
  responses: { 200: { description: 'Flows', content: { 'application/json': { schema: FlowListWire } } } },
})

const runs = createRoute({
  method: 'get',
  path: '/api/v1/flows/{name}/runs',
  summary: 'Last runs of one flow, newest first',
  request: {
    params: z.object({ name: z.string().min(1).max(200) }),
    query: z.object({
      limit: z
        .string()
        .regex(/^\d{1,3}$/, 'must be a whole number, at most 200')
        .transform(Number)
        .pipe(z.number().min(1).max(200))
        .prefault('20')
        .openapi({ type: 'integer', minimum: 1, maximum: 200, default: 20 }),
    }),
  },
  responses: {
    200: { description: 'Runs', content: { 'application/json': { schema: RunListWire } } },
    ...BAD_REQUEST,
    ...NOT_FOUND,
  },
})

/** `/api/v1/flows` and what is below it. */
export function flowRoutes({ store, configuration, health, now }: ServerParts): OpenAPIHono {
  const app = new OpenAPIHono({ defaultHook: refuseBadInput })
  app.openapi(list, async c => {
    const states = new Map((await store.flows()).map(state => [state.flow, state]))
    const flows = await Promise.all(
      configuration().flows.map(async flow => {
        const state = states.get(flow.name)
        return toWire(flow, state, await lastRequest(store, state), flowHealth(flow, state, now(), health().startedAt))
      }),
    )
    return c.json({ flows }, 200)
  })
  app.openapi(runs, async c => {
    const { name } = c.req.valid('param')
    if (!configuration().flows.some(flow => flow.name === name) && !(await store.flow(name)))
      throw new Problem(404, 'not-found', `flow must be a known name, got ${JSON.stringify(name)}`)
    const logs = await store.runs(name, c.req.valid('query').limit)
    return c.json({ runs: logs.map(runToWire) }, 200)
  })
  return app
}

/** A failed run may have made no request; the one before it asked the same. */
async function lastRequest(store: Store, state: FlowState | undefined): Promise<string | null> {
  if (!state?.lastRun) return null
  const found = requestOf(state.lastRun)
  if (found !== null || state.lastRun.status === 'ok') return found
  for (const run of await store.runs(state.flow)) {
    const request = requestOf(run)
    if (request !== null) return request
  }
  return null
}

function requestOf(run: RunLog): string | null {
  return run.diagnostics.find(({ request }) => request !== undefined)?.request ?? null
}

function toWire(flow: FlowConfig, state: FlowState | undefined, request: string | null, health: FlowWire['health']): FlowWire {
  return {
    name: flow.name,
    summary: flow.summary ?? null,
    owner: flow.owner ?? null,
    runbook: flow.runbook ?? null,
    severity: flow.severity,
    source: flow.query.source,
    expr: describeQuery(flow.query),
    step: flow.query.step,
    every: flow.every,
    cron: flow.cron ?? null,
    detectors: flow.detect.map(({ name }) => name),
    notify: [...flow.notify],
    health,
    series: state?.lastRun?.series ?? 0,
    failures: state?.failures ?? 0,
    watermark: finite(state?.watermark ?? NaN),
    nextRunAt: finite(state?.nextRunAt ?? NaN),
    lastSuccessAt: finite(state?.lastSuccessAt ?? NaN),
    lastError: state?.lastRun?.error ?? null,
    lastRun: state?.lastRun ? runToWire(state.lastRun) : null,
    request,
  }
}

function runToWire(run: RunLog): RunWire {
  return {
    flow: run.flow,
    status: run.status,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    start: run.range.start,
    end: run.range.end,
    error: run.error ?? null,
    series: run.series,
    anomalies: run.anomalies,
    changes: run.changes,
    diagnostics: run.diagnostics.map(({ level, message, request }) => ({ level, message, request: request ?? null })),
  }
}
