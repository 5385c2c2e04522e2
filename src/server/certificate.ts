import { readFile } from 'node:fs/promises'
import type { Server } from 'node:https'
import { createSecureContext } from 'node:tls'
import { MINUTE } from '../duration.ts'
import { StartError } from '../errors.ts'

export interface CertificateFiles {
  readonly certFile: string
  readonly keyFile: string
}

interface Certificate {
  readonly cert: string
  readonly key: string
}

/** Older versions are broken, and no browser speaks them any more. */
export const MIN_VERSION = 'TLSv1.2'

/** Reads a certificate and its key, and tries whether they belong together. Throws a `StartError`. */
export async function readCertificate({ certFile, keyFile }: CertificateFiles): Promise<Certificate> {
  try {
    const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')])
    // An empty file, in the middle of being written, counts as none at all for Node.
    if (cert.trim() === '' || key.trim() === '') throw new Error('an empty file')
    createSecureContext({ cert, key })
    return { cert, key }
  } catch (cause) {
    throw new StartError(
      `server.tls must be a certificate and its key in PEM, got ${certFile} and ${keyFile}: ${(cause as Error).message}`,
      { cause },
    )
  }
}

/**
 * Looks every minute whether the files were renewed, and gives new connections the new certificate. While the new one is not right, the old one stays and
 * one line says so. Returns a function that ends it.
 */
export function renewCertificate(
  server: Server,
  files: CertificateFiles,
  used: Certificate,
  { log, every = MINUTE }: { log: (line: string) => void; every?: number },
): () => void {
  let { cert, key } = used
  let told = ''
  const look = async () => {
    try {
      const found = await readCertificate(files)
      told = ''
      if (found.cert === cert && found.key === key) return
      server.setSecureContext({ ...found, minVersion: MIN_VERSION })
      ;({ cert, key } = found)
      log('server.tls: the certificate was renewed')
    } catch (error) {
      const { message } = error as Error
      if (message !== told) log(`the certificate stays the old one: ${message}`)
      told = message
    }
  }
  // One look at a time: what an early one read must not be put in force after what a later one has read.
  let looking: Promise<void> | undefined
  const timer = setInterval(() => {
    looking ??= look().finally(() => (looking = undefined))
  }, every)
  timer.unref()
  return () => clearInterval(timer)
}
