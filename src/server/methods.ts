import type { Context, Hono } from 'hono'
import { printProblem } from './problem.ts'

/**
 * Answers what no route took: 405 with `Allow` for a known path, 204 to OPTIONS (without leave for other sites), and 404 for the rest.
 */
export function answerUnknown(app: Pick<Hono, 'routes'>): (c: Context) => Response {
  const routes = app.routes
    .filter(({ method, path }) => method !== 'ALL' && !path.includes('*'))
    .map(({ method, path }) => ({ method, segments: path.split('/') }))
  return c => {
    const asked = c.req.path.split('/')
    const found = new Set(routes.filter(({ segments }) => fits(asked, segments)).map(({ method }) => method))
    // A known path that was asked in a known way has nothing under that name.
    const taken = found.has(c.req.method === 'HEAD' ? 'GET' : c.req.method)
    if (found.size === 0 || taken)
      return printProblem(
        c,
        404,
        'not-found',
        `path must be one of /api/v1/openapi.json, got ${JSON.stringify(c.req.path.slice(0, 200))}`,
      )
    const allow = [...found, ...(found.has('GET') ? ['HEAD'] : []), 'OPTIONS'].toSorted().join(', ')
    c.header('Allow', allow)
    if (c.req.method === 'OPTIONS') return c.body(null, 204)
    return printProblem(c, 405, 'method', `method must be one of ${allow}, got ${c.req.method}`)
  }
}

function fits(asked: readonly string[], segments: readonly string[]): boolean {
  return (
    asked.length === segments.length &&
    segments.every((segment, i) => (segment.startsWith(':') ? asked[i] !== '' : segment === asked[i]))
  )
}
