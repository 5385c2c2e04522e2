import { HttpError } from './http-error.ts'

/** What a failed handshake means for the options, by the code or the text of the error. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT/,
    'tls.caFile must hold the authority that signed the certificate of the server',
  ],
  [/ERR_TLS_CERT_ALTNAME_INVALID/, 'tls.serverName must be a name that the certificate of the server has'],
  [/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/, 'the certificate of the server must be renewed there'],
  [/alert certificate expired/i, 'tls.certFile has expired and must be renewed'],
  // Go answers a missing certificate and one that it does not accept with the same alert.
  [
    /alert (certificate required|handshake failure|unknown ca|bad certificate|unsupported certificate|certificate revoked|access denied)/i,
    'the server asks for a certificate that it accepts: tls.certFile and tls.keyFile',
  ],
  [/wrong version number|packet length too long/i, 'the server does not speak TLS there: check https in the address'],
]

/** The error for a request that failed on its way: one line, with the option that helps where there is one. */
export function fromNetworkError(error: unknown, redact: (text: string) => string): HttpError {
  const { message, code = '' } = innermost(error)
  const hint = HINTS.find(([pattern]) => pattern.test(`${code} ${message}`))?.[1]
  // OpenSSL prints a dump of which only the reason is for people, and Node advises on its own command line.
  const reason = (/:SSL routines:[^:]*:([^:]*):/.exec(message)?.[1] ?? message).replace(/; if the root CA is installed.*$/s, '')
  if (hint !== undefined) return new HttpError(redact(`${reason}; ${hint}`), 'tls')
  return new HttpError(redact(code && !message.includes(code) ? `${code} ${reason}` : reason), 'network')
}

/** The innermost cause says most: `fetch` itself only says that it failed. */
function innermost(error: unknown): { readonly message: string; readonly code?: string } {
  let inner = error as { message?: string; code?: string; cause?: unknown; errors?: unknown[] }
  for (let depth = 0; depth < 5; depth++) {
    const next = inner.cause ?? inner.errors?.[0]
    if (typeof next !== 'object' || next === null) break
    inner = next
  }
  return { message: inner.message || String(inner), ...(typeof inner.code === 'string' && { code: inner.code }) }
}
