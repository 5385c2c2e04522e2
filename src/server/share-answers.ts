import { createHash } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'

/** More addresses than pages ask for; when there are more, all are forgotten. */
const MOST_ADDRESSES = 100
/** Longer answers are not kept. */
const LONGEST = 256_000

const CHANGES_NOTHING: ReadonlySet<string> = new Set(['HEAD', 'OPTIONS'])

interface Answer {
  readonly body: ArrayBuffer
  readonly headers: readonly (readonly [string, string])[]
}

interface Kept {
  readonly until: number
  /** Undefined when it cannot be shared. */
  readonly answer: Promise<Answer | undefined>
}

/**
 * Gives the answer of one reader to all who ask the same within `ms`, also while it is being made. Comes after the guards, so that who may not ask gets
 * nothing; only for what is the same for everybody. `clear` forgets all: something has changed.
 */
export function shareAnswers(ms: number, now: () => number = () => performance.now()) {
  const kept = new Map<string, Kept>()
  const middleware: MiddlewareHandler = async (c, next) => {
    if (c.req.method !== 'GET') {
      await next()
      if (!CHANGES_NOTHING.has(c.req.method)) kept.clear()
      return undefined
    }
    const { pathname, search } = new URL(c.req.url)
    const key = pathname + search
    const known = kept.get(key)
    const shared = known && known.until > now() ? await known.answer : undefined
    if (shared) return new Response(shared.body, { headers: shared.headers.map(([name, value]) => [name, value]) })

    const made = Promise.withResolvers<Answer | undefined>()
    if (kept.size >= MOST_ADDRESSES) kept.clear()
    kept.set(key, { until: now() + ms, answer: made.promise })
    let answer: Answer | undefined
    try {
      await next()
      answer = c.res.status === 200 ? await readAnswer(c.res) : undefined
    } finally {
      if (!answer) kept.delete(key)
      made.resolve(answer)
    }
    if (answer) c.res = new Response(answer.body, { headers: answer.headers.map(([name, value]) => [name, value]) })
    return undefined
  }
  return { middleware, clear: () => kept.clear() }
}

/** With its `ETag`, which is made once for all. */
async function readAnswer(response: Response): Promise<Answer | undefined> {
  const body = await response.clone().arrayBuffer()
  if (body.byteLength > LONGEST) return undefined
  const tag = createHash('sha1').update(new Uint8Array(body)).digest('hex')
  return { body, headers: [...response.headers, ['etag', `"${tag}"`]] }
}
