import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { ConfigError } from '../errors.ts'
import type { ServerParts } from './parts.ts'

/** `/-/healthy`, `/-/ready`, `/-/reload`: plain text as operators know it from Prometheus, JSON when asked. */
export function lifecycleRoutes(parts: ServerParts): OpenAPIHono {
  const app = new OpenAPIHono()
  app.get('/-/healthy', c => c.text('Tidewatch is healthy.\n'))
  app.get('/-/ready', c => {
    const { ready, reasons } = parts.health()
    const status = ready ? 200 : 503
    if (wantsJson(c)) return c.json({ ready, reasons: [...reasons] }, status)
    return c.text(
      ready ? 'Tidewatch is ready.\n' : `Tidewatch is not ready.\n${reasons.map(reason => `${reason}\n`).join('')}`,
      status,
    )
  })
  app.on(['POST', 'PUT'], '/-/reload', async c => {
    try {
      await parts.reload()
    } catch (error) {
      if (error instanceof ConfigError && !wantsJson(c)) return c.text(`${error.message}\n`, 400)
      throw error
    }
    return wantsJson(c) ? c.json({ reloaded: true }) : c.text('Configuration reloaded.\n')
  })
  return app
}

function wantsJson(c: Context): boolean {
  return c.req.header('accept')?.includes('application/json') ?? false
}
