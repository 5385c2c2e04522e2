import { z } from 'zod'
import { seriesId } from '../anomaly.ts'
import { component } from '../component.ts'
import type { Message } from '../stores/store.ts'
import type { Notifier, NotifierNeeds } from './notifier.ts'

/** Tells by one line of the log. */
export const log = component({
  type: 'log',
  summary: 'Writes one line to the log.',
  config: z.strictObject({}),
  create: (_config, { log: write }: NotifierNeeds): Notifier => ({
    async send(message, signal) {
      signal.throwIfAborted()
      write(describe(message))
    },
  }),
  examples: [{}],
})

function describe({ kind, anomaly }: Message): string {
  const sentence = anomaly.sentence ? `: ${anomaly.sentence}` : ''
  const because = anomaly.withdrawnBecause ? ` (${anomaly.withdrawnBecause})` : ''
  return `anomaly ${anomaly.id} ${kind} in ${anomaly.flow}, ${seriesId(anomaly.labels)}${because}${sentence}`.replace(
    /[\s\p{Cc}]+/gu,
    ' ',
  )
}
