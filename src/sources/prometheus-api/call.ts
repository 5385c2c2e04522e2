import { printCurl } from '../../http/curl.ts'
import { Secret } from '../../secret.ts'
import type { Options } from './options.ts'

/** One request of the API: its path below `/api/v1` and its parameters. */
export interface Call {
  readonly path: string
  /** Those that must not be seen are a `Secret`. */
  readonly params: Readonly<Record<string, string | Secret>>
  readonly method: 'GET' | 'POST'
}

/** Where the call goes. */
export function addressOf(call: Call, options: Options): string {
  return `${options.url.replace(/\/+$/, '')}/api/v1/${call.path}`
}

/** The parameters as they are sent, and those that must not be seen. */
export function formOf({ params }: Call): { readonly form: string; readonly secrets: readonly string[] } {
  const values = Object.entries(params).map(([name, value]): [string, string] => [
    name,
    value instanceof Secret ? value.reveal() : value,
  ])
  const secrets = Object.values(params).flatMap(value => (value instanceof Secret ? [value.reveal()] : []))
  return { form: new URLSearchParams(values).toString(), secrets }
}

/** The call as a command to be copied into a shell; secrets are `***`. */
export function printCall(call: Call, options: Options): string {
  return printCurl({ method: call.method, url: addressOf(call, options), params: call.params }, options)
}
