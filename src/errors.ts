/** The program's errors. Messages read "must …, got …"; `code` is stable and may be matched by scripts. */

/** One fault of a configuration, at its place. `line` and `column` start at 1; both are 0 when the value has no text of its own. */
export interface Fault {
  readonly file: string
  readonly line: number
  readonly column: number
  /** Where in the document: `flows[0].query.step`. */
  readonly path: string
  readonly message: string
}

/** All faults of a configuration at once; prints one `file:line:column path: message` a line. */
export class ConfigError extends Error {
  readonly code = 'config'
  readonly faults: readonly Fault[]
  constructor(faults: readonly Fault[]) {
    super(faults.map(printFault).join('\n'))
    this.name = 'ConfigError'
    this.faults = faults
  }
}

export function printFault({ file, line, column, path, message }: Fault): string {
  const place = line > 0 ? `${file}:${line}:${column}` : file
  return path ? `${place} ${path}: ${message}` : `${place}: ${message}`
}

/** A source could not give all of an answer. `retryable` says whether the same question may succeed later. */
export class SourceError extends Error {
  readonly code = 'source'
  readonly retryable: boolean
  /** The requests that failed, as commands that can be copied, secrets as `***`. */
  readonly requests: readonly string[]
  /** Name of the option whose limit was hit, when that is the reason. */
  readonly limit: string | undefined
  /** Status of the answer of HTTP that refused. */
  readonly status: number | undefined
  constructor(
    message: string,
    options: {
      retryable: boolean
      requests?: readonly string[]
      limit?: string | undefined
      status?: number | undefined
      cause?: unknown
    },
  ) {
    super(message, { cause: options.cause })
    this.name = 'SourceError'
    this.retryable = options.retryable
    this.requests = options.requests ?? []
    this.limit = options.limit
    this.status = options.status
  }
}

/**
 * A message was not accepted. `about: 'message'`: the other side refuses the content of this message, and would refuse it again as it is.
 * `about: 'channel'`: whatever is sent now would fail, be it credentials, address, network or load; it is sent again until it is accepted.
 * `reason` names the failure in one word, of which there are few, so that failures can be counted by it: `401`, `timeout`, `unreachable`.
 * `retryAfter` (ms) is how long the other side asked to wait.
 */
export class DeliveryError extends Error {
  readonly code = 'delivery'
  readonly about: 'message' | 'channel'
  readonly reason: string
  readonly retryAfter: number | undefined
  constructor(message: string, options: { about: 'message' | 'channel'; reason: string; retryAfter?: number; cause?: unknown }) {
    super(message, { cause: options.cause })
    this.name = 'DeliveryError'
    this.about = options.about
    this.reason = options.reason
    this.retryAfter = options.retryAfter
  }
}

/** The store could not be opened, read or written; what it held before is intact. */
export class StoreError extends Error {
  readonly code = 'store'
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'StoreError'
  }
}

/** The server could not start, for a reason outside of the program: its address is taken, no thread is to be had. */
export class StartError extends Error {
  readonly code = 'start'
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'StartError'
  }
}

/** A caller gave data or options that can never be right (a library's TypeError, with our wording). */
export class InputError extends Error {
  readonly code = 'input'
  constructor(message: string) {
    super(message)
    this.name = 'InputError'
  }
}
