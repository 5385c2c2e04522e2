import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { channelHealth } from '../execution/watch/health.ts'
import type { ChannelState } from '../stores/store.ts'
import type { ServerParts } from './parts.ts'
import { ChannelListWire, type ChannelWire, finite } from './wire.ts'

const list = createRoute({
  method: 'get',
  path: '/api/v1/channels',
  summary: 'Channels with the state of delivery',
  responses: { 200: { description: 'Channels', content: { 'application/json': { schema: ChannelListWire } } } },
})

/** `/api/v1/channels`. */
export function channelRoutes({ store, configuration }: ServerParts): OpenAPIHono {
  const app = new OpenAPIHono()
  app.openapi(list, async c => {
    const states = new Map((await store.channels()).map(state => [state.channel, state]))
    const channels = Object.entries(configuration().notifiers).map(([name, { type }]) => toWire(name, type, states.get(name)))
    return c.json({ channels }, 200)
  })
  return app
}

function toWire(name: string, type: string, state: ChannelState | undefined): ChannelWire {
  return {
    name,
    type,
    health: channelHealth(state),
    failingSince: finite(state?.failingSince ?? NaN),
    pending: state?.pending ?? 0,
    oldestPendingAt: finite(state?.oldestPendingAt ?? NaN),
    setAside: state?.setAside ?? 0,
    delivered: state?.delivered ?? 0,
    abandoned: state?.abandoned ?? 0,
    lastDeliveredAt: finite(state?.lastDeliveredAt ?? NaN),
    lastError: state?.lastError ?? null,
  }
}
