import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { seriesId } from '../anomaly.ts'
import { channelHealth, flowHealth } from '../execution/watch/health.ts'
import { SELF_WATCH } from '../pipeline/configuration.ts'
import type { ServerParts } from './parts.ts'
import { StatusWire } from './wire.ts'

const status = createRoute({
  method: 'get',
  path: '/api/v1/status',
  summary: 'All in a few numbers',
  responses: { 200: { description: 'Status', content: { 'application/json': { schema: StatusWire } } } },
})

/** `/api/v1/status`. */
export function statusRoutes({ store, configuration, health, now, version }: ServerParts): OpenAPIHono {
  const app = new OpenAPIHono()
  app.openapi(status, async c => {
    const { flows, notifiers } = configuration()
    const { ready, reasons, problems, startedAt, sources, workers, training } = health()
    const [open, states, channels] = await Promise.all([store.openCounts(), store.flows(), store.channels()])
    const stateOf = new Map(states.map(state => [state.flow, state]))
    const time = now()
    return c.json(
      {
        version,
        now: time,
        startedAt,
        ready,
        reasons: [...reasons],
        problems: problems.map(({ component, name, reason, since }) => ({ component, name, reason, since })),
        open: open.reduce((sum, { flow, count }) => sum + (flow === SELF_WATCH ? 0 : count), 0),
        series: flows.reduce((sum, { name }) => sum + (stateOf.get(name)?.lastRun?.series ?? 0), 0),
        flows: {
          total: flows.length,
          failing: flows.filter(flow => ['failing', 'late'].includes(flowHealth(flow, stateOf.get(flow.name), time, startedAt)))
            .length,
        },
        sources: { total: sources.length, failing: sources.filter(({ ok }) => !ok).length },
        channels: {
          total: Object.keys(notifiers).length,
          failing: channels.filter(state => notifiers[state.channel] !== undefined && channelHealth(state) === 'failing').length,
        },
        workers: { ...workers },
        fits: {
          waiting: training.waiting,
          running: training.running.map(({ workload, ...fit }) => ({ ...fit, series: seriesId(workload) })),
          failed: training.failed.map(({ workload, ...fit }) => ({ ...fit, series: seriesId(workload) })),
        },
      },
      200,
    )
  })
  return app
}
