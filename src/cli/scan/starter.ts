import { stringify } from 'yaml'
import { formatDuration, MINUTE } from '../../duration.ts'
import type { StarterSource } from '../connect/written-source.ts'
import { rateWindow } from './discover.ts'
import type { Signal } from './signals.ts'

export interface StarterOptions {
  readonly source: StarterSource
  /** Distance of two scrapes, ms. */
  readonly interval: number
  /** Window of `rate` in the expressions of the signals. */
  readonly window: string
  readonly signals: readonly Signal[]
}

/** A commented configuration that watches the signals; loads without a fault. */
export function writeStarter({ source, interval, window, signals }: StarterOptions): string {
  const every = interval < 15_000 ? interval : Math.max(interval, MINUTE)
  const live = rateWindow(interval, every)
  const flows = signals.map(signal => writeFlow(signal, signal.expr.replaceAll(`[${window}]`, `[${live}]`)))
  return `# Written by \`tidewatch scan\`. Check it with \`tidewatch check config\`, run it with \`tidewatch serve\`.
# Texts may hold \${NAME} or \${NAME:-default} from the environment, and { file: ./secret } in place of a text is the text of that file.

sources:
  prometheus:
    type: prometheus
${writeSource(source)}

# Ways to tell people. Flows name them under \`notify\`.
notifiers:
  log:
    type: log
  # alertmanager:
  #   type: alertmanager
  #   urls: ['http://127.0.0.1:9093']

store:
  type: sqlite
  path: ./tidewatch.db

# server:
#   listen: '127.0.0.1:9797'

# Parts of the watch that fail for five minutes are reported through all notifiers. This tells somebody outside when the watch falls silent.
# heartbeat: { url: '\${HEARTBEAT_URL}', every: 1m }

# Told once and used by each flow below.
x-usual: &usual
  every: ${formatDuration(every)}
  # How late samples may be when they arrive.
  delay: ${formatDuration(Math.min(30_000, 2 * interval))}
  notify: [log]
  # What is used when nothing is said: several detectors side by side, one for missing data, and so many false alarms a week.
  # detect: [{ type: default }, { type: absence }]
  # rule: { type: budget }

flows:
${flows.join('\n')}`
}

/** The options of the source, with a word on what must be set. */
function writeSource({ part, unset }: StarterSource): string {
  const lines = stringify(part, { lineWidth: 0, defaultStringType: 'QUOTE_SINGLE', defaultKeyType: 'PLAIN' })
    .trimEnd()
    .split('\n')
  if (unset.length > 0) lines.unshift(`# Secrets that came from no file: set ${unset.join(', ')} in the environment.`)
  if (Object.keys(part).join() === 'url') lines.push('# bearerToken: ${PROMETHEUS_TOKEN}')
  return lines.map(line => `    ${line}`).join('\n')
}

function writeFlow({ id, summary, unit, bad, severity, down }: Signal, expr: string): string {
  const lines = [
    `  - <<: *usual`,
    `    name: ${quote(id.replace(/[^\w.:-]/g, '-'))}`,
    `    summary: ${quote(summary)}`,
    `    severity: ${severity}`,
    `    query: { source: prometheus, expr: ${quote(expr)} }`,
  ]
  if (down !== undefined) lines.push(`    detect: { type: absence, down: ${down} }`)
  const shape = unit === undefined ? '{ type: shape }' : `{ type: shape, unit: ${quote(unit)} }`
  if (bad !== 'both' || unit !== undefined)
    lines.push(`    refine: [{ type: merge }, ${bad === 'both' ? '' : `{ type: side, bad: ${bad} }, `}${shape}]`)
  return `${lines.join('\n')}\n`
}

/** A YAML text in single quotes, plain when it is one word; `${` stays what it is. */
function quote(given: string): string {
  const text = given.replaceAll('${', () => '$${')
  return /^[a-z][\w-]*$/i.test(text) && !/^(true|false|null|yes|no|on|off)$/i.test(text)
    ? text
    : `'${text.replaceAll("'", "''")}'`
}
