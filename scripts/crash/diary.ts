import { appendFileSync } from 'node:fs'

/** What was done to the program, and when; the file is for people, who ask afterwards how something came about. */
export interface Diary {
  readonly entries: readonly { readonly at: number; readonly text: string }[]
  write(text: string): void
}

export function openDiary(file: string): Diary {
  const entries: { at: number; text: string }[] = []
  return {
    entries,
    write(text) {
      const at = Date.now()
      entries.push({ at, text })
      appendFileSync(file, `${new Date(at).toISOString()} ${text}\n`)
    },
  }
}
