import type { Writable } from 'node:stream'
import { styleText } from 'node:util'

/** Where a command writes; tests hand in their own. Results go to `out`, all else to `err`. */
export interface Terminal {
  readonly out: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly err: Writable & { readonly isTTY?: boolean; readonly columns?: number }
}

/** Standard output and error. A reader that has seen enough (`| head`) is no failure. */
export function realTerminal(): Terminal {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  return { out: process.stdout, err: process.stderr }
}

type Style = Parameters<typeof styleText>[0]

/** Text in a style where the stream shows colours; NO_COLOR and FORCE_COLOR are respected. */
export function paint(style: Style, text: string, stream: Writable): string {
  return styleText(style, text, { stream })
}

/** Progress of long work: one line that moves on a screen, a line every ten seconds elsewhere. */
export function showProgress(err: Terminal['err'], now: () => number): { say(text: string): void; end(): void } {
  let last = now()
  let shown = false
  return {
    say(text) {
      const wait = err.isTTY ? 100 : 10_000
      if (now() - last < wait) return
      last = now()
      err.write(err.isTTY ? `\r${text.slice(0, (err.columns ?? 80) - 1)}\u001b[K` : `${text}\n`)
      shown = true
    },
    end() {
      if (shown && err.isTTY) err.write('\r\u001b[K')
    },
  }
}
