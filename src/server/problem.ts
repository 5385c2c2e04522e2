import type { Hook } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { ConfigError, StoreError } from '../errors.ts'
import { ProblemWire } from './wire.ts'

/** An answer that is an error: thrown by a route, printed as `{ error: { code, message } }`. */
export class Problem extends Error {
  readonly status: 400 | 403 | 404 | 409 | 413 | 503
  readonly code: string
  constructor(status: 400 | 403 | 404 | 409 | 413 | 503, code: string, message: string) {
    super(message)
    this.name = 'Problem'
    this.status = status
    this.code = code
  }
}

/** Turns what a route threw into an answer; what is not meant for callers goes to `log` only. */
export function answerError(error: Error, c: Context, log: (line: string) => void): Response {
  if (error instanceof Problem) return printProblem(c, error.status, error.code, error.message)
  if (error instanceof ConfigError)
    return c.json({ error: { code: error.code, message: error.message, faults: error.faults } }, 400)
  if (error instanceof HTTPException)
    return printProblem(c, error.status, 'bad-request', error.message || 'must be a valid request')
  log(`${c.req.method} ${c.req.path} failed: ${error.stack ?? error.message}`)
  if (error instanceof StoreError) return printProblem(c, 503, error.code, 'the store did not answer; see the log of the server')
  return printProblem(c, 500, 'internal', 'something failed inside; see the log of the server')
}

export function printProblem(c: Context, status: number, code: string, message: string): Response {
  return c.json({ error: { code, message } }, status as 400)
}

/** Answers 400 with every fault of the parameters. */
export const refuseBadInput: Hook<any, any, any, any> = (result, c) => {
  if (result.success) return undefined
  const faults = result.error.issues.map(issue => `${issue.path.join('.') || 'request'}: ${issue.message}`)
  return printProblem(c, 400, 'input', faults.join('; '))
}

const content = { 'application/json': { schema: ProblemWire } }

/** Error answers for the description of a route. */
export const BAD_REQUEST = { 400: { description: 'The parameters are wrong.', content } }
export const NOT_FOUND = { 404: { description: 'There is no such thing.', content } }
export const CONFLICT = { 409: { description: 'It cannot be done as things are.', content } }
