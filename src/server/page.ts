import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { OpenAPIHono } from '@hono/zod-openapi'
import type { AuthConfig } from '../pipeline/configuration.ts'

/** Where the build of the page is, seen from the sources and from `dist`. */
const WEB = new URL(import.meta.url.endsWith('.ts') ? '../../dist/web/' : '../../web/', import.meta.url)

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

const NOT_BUILT = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Tidewatch</title>
<h1>Tidewatch is running, its page is not built</h1>
<p>Run <code>npm run build:web</code> and load this page again.</p>
<p>Without it: <a href="api/v1/anomalies">anomalies</a>, <a href="api/v1/status">status</a>,
<a href="api/v1/openapi.json">all of the API</a>, <a href="metrics">metrics</a>.</p>
</html>
`

/** What a browser shows when nobody logged in. Only basic authentication and a proxy let people in; tokens are for programs. */
export function lockedPage({ basic, proxy }: Pick<AuthConfig, 'basic' | 'proxy'>): string {
  const ways = [
    ...(Object.keys(basic).length > 0 ? ['Load this page again to enter your user and password.'] : []),
    ...(proxy ? ['Open it through the proxy that logs you in.'] : []),
  ]
  const how = ways.join(' ') || 'It lets in programs with a token; <code>server.auth.basic</code> lets in people.'
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>Tidewatch</title>
<h1>This Tidewatch is locked</h1>
<p>${how}</p>
</html>
`
}

/** The page: `/`, its icon and its assets, whose names change with their content. Files are read when asked for, so a build needs no restart. */
export function pageRoutes(folder: string = fileURLToPath(WEB)): OpenAPIHono {
  const app = new OpenAPIHono()
  const send = async (path: string, cache: string) => {
    const type = TYPES[extname(path)]
    const body = type && (await readFile(`${folder}/${path}`).catch(() => undefined))
    return body && new Response(body, { headers: { 'Content-Type': type, 'Cache-Control': cache } })
  }
  app.get('/', async c => (await send('index.html', 'no-cache')) || c.html(NOT_BUILT))
  app.get('/favicon.svg', async c => (await send('favicon.svg', 'max-age=86400')) || c.notFound())
  app.get(
    '/assets/:file{[\\w-]+\\.[\\w.-]+}',
    async c => (await send(`assets/${c.req.param('file')}`, 'public, max-age=31536000, immutable')) || c.notFound(),
  )
  return app
}
