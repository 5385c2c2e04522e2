import { printCurl } from '../../http/curl.ts'
import type { Options } from './options.ts'

/** One request of the API: its path below `/api/v1` and its parameters. */
export interface Call {
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  readonly method: 'GET' | 'POST'
}

/** Where the call goes. */
export function addressOf(call: Call, options: Options): string {
  return `${options.url.replace(/\/+$/, '')}/api/v1/${call.path}`
}

/** The call as a command to be copied into a shell; secrets are `***`. */
export function printCall(call: Call, options: Options): string {
  return printCurl({ method: call.method, url: addressOf(call, options), params: call.params }, options)
}
