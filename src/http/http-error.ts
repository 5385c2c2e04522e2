/**
 * A request that got no answer. `setup`: it could not be made, because a file or a header is wrong; `timeout`: there was no answer in time;
 * `network`: the connection failed. The message names the option or says what came, and holds no secret.
 */
export class HttpError extends Error {
  readonly code = 'http'
  readonly kind: 'setup' | 'timeout' | 'network'
  constructor(message: string, kind: HttpError['kind']) {
    super(message)
    this.name = 'HttpError'
    this.kind = kind
  }
}

/** The innermost cause says most: `fetch` itself only says that it failed. */
export function describeNetworkError(error: unknown): string {
  let inner = error as { message?: string; code?: string; cause?: unknown; errors?: unknown[] }
  for (let depth = 0; depth < 5; depth++) {
    const next = inner.cause ?? inner.errors?.[0]
    if (typeof next !== 'object' || next === null) break
    inner = next
  }
  const message = inner.message || String(inner)
  return inner.code && !message.includes(inner.code) ? `${inner.code} ${message}` : message
}
