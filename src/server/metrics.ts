import { OpenAPIHono } from '@hono/zod-openapi'
import type { ServerParts } from './parts.ts'

/** `/metrics`, for Prometheus. */
export function metricsRoutes({ metrics }: ServerParts): OpenAPIHono {
  const app = new OpenAPIHono()
  app.get('/metrics', async c => c.body(await metrics.metrics(), 200, { 'Content-Type': metrics.contentType }))
  return app
}
