import { Writable } from 'node:stream'
import type { Terminal } from '../cli/terminal.ts'

/** A terminal whose output can be read; for tests. */
export function capture(): Terminal & { outText(): string; errText(): string } {
  const sink = () => {
    let text = ''
    const stream = new Writable({
      write(chunk, _, done) {
        text += String(chunk)
        done()
      },
    })
    return { stream, read: () => text }
  }
  const out = sink()
  const err = sink()
  return { out: out.stream, err: err.stream, outText: out.read, errText: err.read }
}
