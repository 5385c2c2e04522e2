/**
 * A request that got no answer. `setup`: it could not be made, because a file or a header is wrong; `timeout`: there was no answer in time;
 * `tls`: the two sides
 * do not trust each other; `network`: the connection failed. The message names the option or says what came, and holds no secret.
 */
export class HttpError extends Error {
  readonly code = 'http'
  readonly kind: 'setup' | 'timeout' | 'tls' | 'network'
  constructor(message: string, kind: HttpError['kind']) {
    super(message)
    this.name = 'HttpError'
    this.kind = kind
  }
}
