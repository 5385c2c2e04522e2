import { OpenAPIHono } from '@hono/zod-openapi'
import { streamSSE } from 'hono/streaming'
import { SECOND } from '../duration.ts'
import type { ServerParts } from './parts.ts'
import { Problem } from './problem.ts'

/** How often the store is looked at while somebody listens. */
const LOOK_EVERY = 2 * SECOND
/** Proxies close what is silent for a minute. */
const PING_EVERY = 20 * SECOND
/** Events that wait for a reader who has stopped to read; then the stream ends. */
const MOST_UNREAD = 20
/** An open page takes one connection; a hundred of them is somebody's mistake. */
const MOST_LISTENERS = 100

export interface EventOptions {
  readonly lookEvery?: number
  readonly mostListeners?: number
  /** Called before anybody is told of a change. */
  readonly onChange?: () => void
}

/** `/api/v1/events`: server-sent events, `change` when there is something new to read, `ping` to keep the line open. */
export function eventRoutes(parts: ServerParts, options: EventOptions = {}): OpenAPIHono {
  const { lookEvery = LOOK_EVERY, mostListeners = MOST_LISTENERS, onChange } = options
  const watch = watchStore(parts, lookEvery, onChange)
  const app = new OpenAPIHono()
  app.get('/api/v1/events', c => {
    if (watch.listeners() >= mostListeners) {
      c.header('Retry-After', '60')
      throw new Problem(503, 'too-many-listeners', `listeners must be at most ${mostListeners}; poll /api/v1/status instead`)
    }
    c.header('X-Accel-Buffering', 'no')
    // Nobody reads a stream that was asked for by HEAD, so that it would not end.
    if (c.req.method === 'HEAD') return c.body(null, 200, { 'Content-Type': 'text/event-stream' })
    return streamSSE(c, async stream => {
      let unread = 0
      const send = (event: string) => {
        if (++unread > MOST_UNREAD) return stream.abort()
        stream.writeSSE({ event, data: String(parts.now()) }).then(
          () => unread--,
          () => stream.abort(),
        )
      }
      const ping = setInterval(send, PING_EVERY, 'ping')
      const stop = watch.listen(() => send('change'))
      send('ping')
      await new Promise<void>(resolve => stream.onAbort(resolve))
      clearInterval(ping)
      stop()
    })
  })
  return app
}

/** One look serves all listeners, and nobody looks when nobody listens. */
function watchStore({ store, health, configuration, log }: ServerParts, every: number, onChange?: () => void) {
  const listeners = new Set<() => void>()
  let timer: NodeJS.Timeout | undefined
  let seen: string | undefined

  const look = async () => {
    const { ready, reasons, sources, training } = health()
    const now = JSON.stringify([
      (await store.flows()).map(({ flow, failures, lastRun }) => [flow, failures, lastRun?.startedAt, lastRun?.finishedAt]),
      await store.channels(),
      [ready, reasons, sources.map(({ name, ok, error }) => [name, ok, error])],
      configuration().flows.map(({ name }) => name),
      // In twentieths, so that a page moves with a fit and is not told of each step.
      training.running.map(({ startedAt, done }) => [startedAt, Math.floor(20 * done)]),
      training.failed.map(({ until }) => until),
    ])
    if (seen !== undefined && now !== seen) {
      onChange?.()
      for (const tell of listeners) tell()
    }
    seen = now
  }

  /** The next look starts after the last one is done, so that a slow store is not asked twice at once. */
  const goOn = () => {
    timer = setTimeout(async () => {
      await look().catch((error: Error) => log?.(`events: ${error.message}`))
      if (listeners.size > 0) goOn()
      else timer = undefined
    }, every)
    timer.unref()
  }

  return {
    listeners: () => listeners.size,
    listen(tell: () => void): () => void {
      listeners.add(tell)
      if (timer === undefined) {
        look().catch(() => {})
        goOn()
      }
      return () => listeners.delete(tell)
    },
  }
}
