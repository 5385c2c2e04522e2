import { OpenAPIHono } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import { anomalyRoutes } from './anomalies.ts'
import { channelRoutes } from './channels.ts'
import { eventRoutes } from './events.ts'
import { flowRoutes } from './flows.ts'
import { onlyOurHosts, onlyOurPages, secureHeaders } from './guards.ts'
import { lifecycleRoutes } from './lifecycle.ts'
import { metricsRoutes } from './metrics.ts'
import { modelRoutes } from './models.ts'
import { pageRoutes } from './page.ts'
import type { ServerParts } from './parts.ts'
import { answerError, Problem, printProblem } from './problem.ts'
import { sourceRoutes } from './sources.ts'
import { statusRoutes } from './status.ts'

export interface AppOptions {
  /** Address that is listened on, when it is not that of the configuration. */
  readonly host?: string
  /** Folder of the built page, when it is not that of the package. */
  readonly web?: string
  /** ms between looks at the store while pages listen for changes. */
  readonly lookEvery?: number
}

/** More than the labels of any workload. */
const MOST_BODY = 64 * 1024

/** All that the server answers, without a port: `app.request('/api/v1/anomalies')` is a test. */
export function makeApp(parts: ServerParts, options: AppOptions = {}): OpenAPIHono {
  const app = new OpenAPIHono()
  const host = options.host ?? parts.configuration().server.host
  const externalUrl = () => parts.configuration().server.externalUrl

  app.onError((error, c) => answerError(error, c, line => parts.log?.(line)))
  app.notFound(c =>
    printProblem(c, 404, 'not-found', `path must be one of /api/v1/openapi.json, got ${JSON.stringify(c.req.path)}`),
  )
  app.use(secureHeaders())
  app.use(onlyOurHosts(host, externalUrl))
  app.use(onlyOurPages(externalUrl))
  app.use(
    bodyLimit({
      maxSize: MOST_BODY,
      onError: () => {
        throw new Problem(413, 'body', `body must have at most ${MOST_BODY} bytes`)
      },
    }),
  )

  app.route('/', lifecycleRoutes(parts))
  app.route('/', metricsRoutes(parts))
  app.route('/', anomalyRoutes(parts))
  app.route('/', flowRoutes(parts))
  app.route('/', sourceRoutes(parts))
  app.route('/', channelRoutes(parts))
  app.route('/', modelRoutes(parts))
  app.route('/', statusRoutes(parts))
  app.route('/', eventRoutes(parts, options.lookEvery === undefined ? {} : { lookEvery: options.lookEvery }))
  app.route('/', pageRoutes(options.web))
  app.doc31('/api/v1/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Tidewatch',
      version: parts.version,
      description: 'What is odd now, and how the watch itself is. Times are epoch ms, durations ms, null is unknown.',
    },
  })
  return app
}
