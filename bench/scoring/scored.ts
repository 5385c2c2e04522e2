import { readFile, writeFile } from 'node:fs/promises'

/** What a detector says of every row of a series; NaN is undecided. */
export interface Scored {
  /** For ranking; may be smoothed. */
  readonly score: Float64Array
  /** What a rule judges, where the detector keeps it apart from `score`. */
  readonly alarm?: Float64Array
  /** What it took, for all rows. */
  readonly seconds: number
}

/** What alerts are made of. */
export function alarmOf({ score, alarm }: Scored): Float64Array {
  return alarm ?? score
}

/** One file of doubles: rows, seconds, scores, alarms. */
export async function writeScored(file: string, { score, alarm, seconds }: Scored): Promise<void> {
  const all = new Float64Array(2 + score.length + (alarm?.length ?? 0))
  all[0] = score.length
  all[1] = seconds
  all.set(score, 2)
  if (alarm) all.set(alarm, 2 + score.length)
  await writeFile(file, Buffer.from(all.buffer))
}

export async function readScored(file: string): Promise<Scored> {
  const bytes = await readFile(file)
  const all = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  const score = all.slice(2, 2 + all[0])
  const alarm = all.slice(2 + all[0])
  return { score, ...(alarm.length > 0 ? { alarm } : {}), seconds: all[1] }
}
