import { z } from 'zod'
import { address, checkConnection, connectionOptions, filledSecret } from '../http/options.ts'
import { duration } from '../schema.ts'
import { Secret } from '../secret.ts'

/**
 * The shape of a configuration without its parts: those are checked against their families, so that an unknown type or option of one part hides
 * nothing of the others. Durations are ms after the check.
 */

const part = () => z.unknown()

export const nameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][\w.:-]*$/, {
    error: ({ input }) => `must be a name of letters, digits, - _ . and :, got ${JSON.stringify(input)}`,
  })
  .meta({ description: 'letters, digits, - _ . and :' })

const labelSchema = z.string().regex(/^[A-Za-z_]\w*$/, {
  error: ({ input }) => `must be the name of a label, got ${JSON.stringify(input)}`,
})

/** Letters first, so that no column is called like a number, which objects would put before the others. */
const columnSchema = z.string().regex(/^[A-Za-z_][\w.:-]*$/, {
  error: ({ input }) => `must be a name that begins with a letter, got ${JSON.stringify(input)}`,
})

const oneOrMany = (item: z.ZodType) => z.union([item, z.array(item)])

export const flowSchema = z.strictObject({
  name: nameSchema.meta({ description: 'unique; the alertname in Alertmanager' }),
  summary: z.string().optional().meta({ description: 'what it means for people when this flow finds something' }),
  every: duration().optional().meta({ description: 'how often it runs; default 1m, or the step when that is longer' }),
  cron: z.string().optional().meta({ description: 'when it runs (UTC), instead of at every multiple of `every`' }),
  query: z
    .strictObject({
      source: z.string().optional().meta({ description: 'a name under `sources`; the only one when there is one' }),
      expr: z.string().min(1).optional().meta({ description: 'what to ask, in the language of the source' }),
      queries: z.record(columnSchema, z.string().min(1)).optional().meta({
        description: 'in place of expr: several questions by name, whose answers are looked at together, each a column',
      }),
      by: oneOrMany(labelSchema)
        .optional()
        .meta({ description: 'with queries: labels that tell apart what they are about, such as instance; default nothing' }),
      columns: oneOrMany(labelSchema).optional().meta({
        description: 'with expr: series that differ only in these labels are looked at together, such as pod or instance',
      }),
      step: duration().optional().meta({ description: 'time between rows; default `every`' }),
    })
    .superRefine((given, context) => {
      const fault = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
      if (given.expr === undefined && given.queries === undefined) fault([], 'must have an expr or queries, got neither')
      if (given.expr !== undefined && given.queries !== undefined) fault(['queries'], 'must not be given beside expr, got both')
      if (given.queries && Object.keys(given.queries).length < 2) fault(['queries'], 'must be at least two; one alone is an expr')
      if (given.by !== undefined && given.queries === undefined) fault(['by'], 'must be given with queries, got none')
      if (given.columns !== undefined && given.expr === undefined) fault(['columns'], 'must be given with expr, got none')
    })
    .meta({ description: 'the series to look at' }),
  transform: part()
    .optional()
    .meta({ description: 'what is done to the rows before detectors see them, in order; default nothing' }),
  calendar: part()
    .optional()
    .meta({ description: 'events that teach nothing and, unless told otherwise, tell nobody: deploys, silences, holidays' }),
  detect: part().optional().meta({ description: 'detectors, side by side; default `default` and absence' }),
  rule: part().optional().meta({ description: 'from scores to anomalies; default budget' }),
  refine: part().optional().meta({ description: 'from anomalies to anomalies; default merge and shape' }),
  notify: oneOrMany(z.string()).optional().meta({ description: 'names under `notifiers`; default nobody' }),
  owner: z.string().optional().meta({ description: 'who looks after it' }),
  runbook: z.string().optional().meta({ description: 'address of what to do' }),
  labels: z
    .record(z.string(), z.string())
    .refine(given => !('flow' in given), {
      path: ['flow'],
      message: "must not be given: every alert has its flow's name under it",
    })
    .optional()
    .meta({
      description: "labels of the flow's alerts; `severity` and `alertname` win over those of the flow and its notifiers",
    }),
  severity: z.enum(['critical', 'warning', 'info']).optional().meta({ description: 'default warning' }),
  delay: duration().optional().meta({ description: 'how late data may be; default 30s' }),
  reexamine: duration().optional().meta({ description: 'how far back each run looks again; default five steps or two runs' }),
  lookback: duration().optional().meta({ description: 'history that a cold start reads; default what the detectors want' }),
  keep: duration().optional().meta({ description: 'how long scores are kept for charts; default 2d' }),
  deadline: duration().optional().meta({ description: 'a run is cancelled after it; default 1m' }),
  forget: duration().optional().meta({ description: 'a series absent for so long is forgotten; default 1d' }),
  replicas: oneOrMany(labelSchema)
    .optional()
    .meta({ description: 'labels that tell apart the series which share one learned model; default those of pods' }),
})

export type FlowText = z.output<typeof flowSchema>

export const workersSchema = z.int().min(1).max(64).meta({ description: 'threads that compute; default 2' })

export const trainingSchema = z.strictObject({
  threads: z
    .int()
    .min(1)
    .max(64)
    .optional()
    .meta({ description: 'fits that run at once, each in a thread of its own; default 1' }),
  deadline: duration().optional().meta({ description: 'a fit is cancelled after it; default 10m' }),
})

export const watchSchema = z.strictObject({
  after: duration()
    .optional()
    .meta({ description: 'how long a source, flow or channel fails before people are notified; default 5m' }),
  notify: oneOrMany(z.string()).optional().meta({ description: 'names under `notifiers`; default all of them' }),
  severity: z.enum(['critical', 'warning', 'info']).optional().meta({ description: 'default critical' }),
})

export const heartbeatSchema = z
  .strictObject({
    url: address()
      .pipe(filledSecret())
      .optional()
      .meta({ description: "address of a dead man's switch such as healthchecks.io; a secret, never printed" }),
    method: z.enum(['GET', 'POST']).default('POST').meta({ description: 'how the address is asked' }),
    notify: oneOrMany(z.string()).optional().meta({
      description:
        'names under `notifiers`: an alert TidewatchHeartbeat fires there as long as the watch works; best one that forgets, such as alertmanager',
    }),
    every: duration().prefault('1m').meta({ description: 'how often' }),
    timeout: duration().prefault('10s').meta({ description: 'how long the address may take to answer' }),
    ...connectionOptions,
  })
  .superRefine((given, context) => checkConnection(given, given.url instanceof Secret ? [given.url.reveal()] : [], context))
  .refine(({ url, notify }) => url !== undefined || notify !== undefined, 'must have a url, names under notify, or both')
  .refine(({ every }) => every > 0, { path: ['every'], error: 'must be more than 0s, got 0s' })

/** Sections of the file; what is in `sources`, `notifiers`, `store` and `flows` is checked one by one. */
export const fileSchema = z.strictObject({
  sources: z.record(z.string(), z.unknown()).meta({ description: 'where the series are, by name' }),
  notifiers: z.record(z.string(), z.unknown()).optional().meta({ description: 'ways to tell people, by name' }),
  store: z.unknown().optional().meta({ description: 'where all is remembered; default sqlite in ./tidewatch.db' }),
  server: z.unknown().optional().meta({ description: 'page and API' }),
  workers: workersSchema.optional(),
  training: trainingSchema.optional().meta({ description: 'how models are fitted, beside the threads that compute' }),
  watch: watchSchema.optional().meta({ description: 'how the watch reports that a part of itself does not work' }),
  heartbeat: z.unknown().optional().meta({ description: "what feeds a dead man's switch while the watch does its work" }),
  flows: z.array(z.unknown()).min(1, { error: 'must have at least one flow, got none' }).meta({ description: 'what to watch' }),
})
