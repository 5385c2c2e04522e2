import { OpenAPIHono } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { etag } from 'hono/etag'
import { Counter, type Registry } from 'prom-client'
import { anomalyRoutes } from './anomalies.ts'
import { onlyOurUsers, type Refused } from './auth.ts'
import { channelRoutes } from './channels.ts'
import { eventRoutes } from './events.ts'
import { flowRoutes } from './flows.ts'
import { onlyOurHosts, onlyOurPages, secureHeaders } from './guards.ts'
import { lifecycleRoutes } from './lifecycle.ts'
import { answerUnknown } from './methods.ts'
import { metricsRoutes } from './metrics.ts'
import { modelRoutes } from './models.ts'
import { pageRoutes } from './page.ts'
import type { ServerParts } from './parts.ts'
import { answerError, Problem } from './problem.ts'
import { shareAnswers } from './share-answers.ts'
import { sourceRoutes } from './sources.ts'
import { statusRoutes } from './status.ts'

export interface AppOptions {
  /** Address that is listened on, when it is not that of the configuration. */
  readonly host?: string
  /** Folder of the built page, when it is not that of the package. */
  readonly web?: string
  /** ms between looks at the store while pages listen for changes. */
  readonly lookEvery?: number
  /** ms for which an answer of the API is given to all who ask the same; without it each is made anew. */
  readonly shareFor?: number
}

/** What is asked again and again, and rarely changes. */
const LISTS = ['anomalies', 'flows', 'flows/:name/runs', 'sources', 'channels', 'models'].map(path => `/api/v1/${path}`)

/** More than the labels of any workload. */
const MOST_BODY = 64 * 1024

/** All that the server answers, without a port: `app.request('/api/v1/anomalies')` is a test. */
export function makeApp(parts: ServerParts, options: AppOptions = {}): OpenAPIHono {
  const app = new OpenAPIHono()
  const host = options.host ?? parts.configuration().server.host
  const externalUrl = () => parts.configuration().server.externalUrl

  const refused = countRefused(parts.metrics)

  app.onError((error, c) => answerError(error, c, line => parts.log?.(line)))
  app.use(secureHeaders())
  app.use(onlyOurHosts(() => parts.configuration().server, host, refused))
  app.use(onlyOurPages(externalUrl, refused))
  app.use(onlyOurUsers(parts, refused))
  app.use(
    bodyLimit({
      maxSize: MOST_BODY,
      onError: () => {
        throw new Problem(413, 'body', `body must have at most ${MOST_BODY} bytes`)
      },
    }),
  )

  for (const path of LISTS) app.use(path, revalidated())
  const sharing = options.shareFor ? shareAnswers(options.shareFor) : undefined
  // Events are a stream of each reader.
  if (sharing) app.use('/api/v1/:what{(?!events$).*}', sharing.middleware)

  app.route('/', lifecycleRoutes(parts))
  app.route('/', metricsRoutes(parts))
  app.route('/', anomalyRoutes(parts))
  app.route('/', flowRoutes(parts))
  app.route('/', sourceRoutes(parts))
  app.route('/', channelRoutes(parts))
  app.route('/', modelRoutes(parts))
  app.route('/', statusRoutes(parts))
  const { lookEvery } = options
  app.route(
    '/',
    eventRoutes(parts, { ...(lookEvery === undefined ? {} : { lookEvery }), ...(sharing ? { onChange: sharing.clear } : {}) }),
  )
  app.route('/', pageRoutes(options.web))
  app.doc31('/api/v1/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Tidewatch',
      version: parts.version,
      description: 'What is odd now, and how the watch itself is. Times are epoch ms, durations ms, null is unknown.',
    },
  })
  app.notFound(answerUnknown(app))
  return app
}

/** Counts what the guards send away, so that guessing is seen. */
function countRefused(metrics: Registry): Refused {
  const name = 'tidewatch_http_requests_refused_total'
  const help = 'Requests that were refused, by reason: credentials, rate (after wrong ones), host, origin.'
  const existing = metrics.getSingleMetric(name) as Counter<'reason'> | undefined
  const counter = existing ?? new Counter({ name, help, labelNames: ['reason'], registers: [metrics] })
  return reason => counter.inc({ reason })
}

/** Gives an `ETag`, and 304 to who has the same already: a page asks for its lists again and again. */
function revalidated(): MiddlewareHandler {
  const tagged = etag()
  return async (c, next) => {
    const answer = await tagged(c, next)
    c.res.headers.set('Cache-Control', 'private, no-cache')
    c.res.headers.append('Vary', 'Authorization')
    return answer
  }
}
