import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { ServerParts } from './parts.ts'
import { finite, SourceListWire } from './wire.ts'

const list = createRoute({
  method: 'get',
  path: '/api/v1/sources',
  summary: 'Sources with their health',
  responses: { 200: { description: 'Sources', content: { 'application/json': { schema: SourceListWire } } } },
})

/** `/api/v1/sources`. */
export function sourceRoutes({ health }: ServerParts): OpenAPIHono {
  const app = new OpenAPIHono()
  app.openapi(list, c => {
    const sources = health().sources.map(({ name, type, ok, error, checkedAt }) => ({
      name,
      type,
      ok,
      error: error ?? null,
      checkedAt: finite(checkedAt),
    }))
    return c.json({ sources }, 200)
  })
  return app
}
