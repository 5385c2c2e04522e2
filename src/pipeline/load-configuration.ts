import { Cron } from 'croner'
import { z } from 'zod'
import type { Registry } from '../component.ts'
import type { Detector } from '../detectors/detector.ts'
import { DAY, formatDuration, MINUTE, SECOND } from '../duration.ts'
import { ConfigError, type Fault } from '../errors.ts'
import { guess } from '../nearest.ts'
import { Secret } from '../secret.ts'
import {
  type CheckedPart,
  type Configuration,
  create,
  type FlowConfig,
  type HeartbeatConfig,
  type Part,
  SELF_WATCH,
} from './configuration.ts'
import type { Families } from './families.ts'
import { type FlowText, fileSchema, flowSchema, heartbeatSchema, nameSchema } from './flow-schema.ts'
import { locate, type Path } from './locate.ts'
import { readServer } from './read-server.ts'
import { checkSchema, issueFaults } from './schema-faults.ts'

export interface LoadOptions {
  /** Name of the file, for messages. */
  readonly file: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Text of a file named in the configuration (relative to its folder); throws when it cannot be read. Without it such files are not read. */
  readonly readFile?: (path: string) => string
  readonly families: Families
}

/** Gathers faults: nothing is thrown until all of the file was seen. */
interface Check {
  readonly options: LoadOptions
  /** Texts that came from the environment or from `{ file: … }`: where a part would show its options, these are secrets. */
  readonly outside: Set<string>
  fault(path: Path, message: string, at?: 'key' | 'value'): void
}

/** Faults that are reported at once: more than anybody reads. */
const MAX_FAULTS = 100
const DEFAULT_DETECT = ['default', 'absence']
const DEFAULT_REFINE = ['merge', 'shape']
/** A detector of missing data scores 1 when data is clearly missing, so its limit is known and needs no budget. */
const MISSING_DATA_RULE = { type: 'threshold', limit: 1 }

/** Reads and checks a configuration; throws `ConfigError` with all of its faults at once, each at its line and column. */
export function loadConfiguration(text: string, options: LoadOptions): Configuration {
  const document = locate(text, options.file, options.env)
  const faults: Fault[] = [...document.faults]
  const outside = new Set(document.interpolated)
  const check: Check = { options, outside, fault: (path, message, at) => void faults.push(document.fault(path, message, at)) }
  const configuration =
    document.value === undefined && faults.length > 0 ? undefined : readFileSections(document.value ?? {}, check)
  if (!configuration || faults.length > 0) throw new ConfigError(shorten(distinct(faults), options.file))
  return configuration
}

function readFileSections(value: unknown, check: Check): Configuration | undefined {
  const { families, file } = check.options
  const whole = checkSchema(fileSchema, isMapping(value) ? withoutNotes(value) : value)
  if (!whole.ok) for (const { path, message, at } of whole.faults) check.fault(path, message, at)
  if (!isMapping(value)) return undefined

  const sources = checkParts('sources', value.sources, families.sources, check)
  const notifiers = checkParts('notifiers', value.notifiers, families.notifiers, check)
  const store = checkPart(['store'], value.store ?? { type: 'sqlite', path: './tidewatch.db' }, families.stores, check)
  const server = readServer(value.server, check.options.readFile, check.fault)
  const names = { sources: keysOf(value.sources), notifiers: keysOf(value.notifiers) }
  const flows = (Array.isArray(value.flows) ? value.flows : []).map((flow, i) => readFlow(['flows', i], flow, names, check))
  checkUnique(value.flows, check)
  if (isMapping(value.watch)) checkChannels(['watch', 'notify'], value.watch.notify, names.notifiers, check)
  if (!whole.ok || !store || !server || flows.includes(undefined)) return undefined
  const heartbeat = value.heartbeat === undefined ? undefined : readHeartbeat(value.heartbeat, names.notifiers, check)
  const { after = 5 * MINUTE, severity = 'critical', notify } = whole.value.watch ?? {}
  const watch = { after, severity, ...(notify === undefined ? {} : { notify: [notify].flat() as string[] }) }
  const { workers = 2, training: { threads = 1, deadline = 10 * MINUTE } = {} } = whole.value
  if (deadline <= 0) {
    check.fault(['training', 'deadline'], 'must be more than 0s, got 0s')
    return undefined
  }
  return {
    file,
    sources,
    notifiers,
    store,
    server,
    workers,
    training: { threads, deadline },
    flows: flows as FlowConfig[],
    watch,
    ...(heartbeat ? { heartbeat } : {}),
  }
}

/** Sections called `x-…` are the writer's own: a place for anchors. */
function withoutNotes(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-')))
}

function checkUnique(flows: unknown, check: Check): void {
  const first = new Map<string, number>()
  for (const [i, flow] of (Array.isArray(flows) ? flows : []).entries()) {
    if (!isMapping(flow) || typeof flow.name !== 'string') continue
    const before = first.get(flow.name)
    if (before === undefined) first.set(flow.name, i)
    else check.fault(['flows', i, 'name'], `must be unique, got ${JSON.stringify(flow.name)} of flows[${before}] again`)
  }
}

function checkParts(section: string, value: unknown, family: Registry<unknown, any>, check: Check): Record<string, CheckedPart> {
  const parts: Record<string, CheckedPart> = {}
  if (!isMapping(value)) return parts
  for (const [name, part] of Object.entries(value)) {
    const named = checkSchema(nameSchema, name)
    if (!named.ok) check.fault([section, name], named.faults[0]!.message, 'key')
    const checked = checkPart([section, name], part, family, check)
    if (checked) parts[name] = checked
  }
  return parts
}

function checkPart(path: Path, written: unknown, family: Registry<unknown, any>, check: Check): CheckedPart | undefined {
  const part = asPart(path, written, family, check)
  if (!part) return undefined
  const { type, ...options } = part
  const read = hideParams(readSecretFiles(options, path, check), check)
  const config = checkOptions(path, family[type]!.config, read, check)
  return config === undefined ? undefined : { type, config: config.value }
}

/** The written part as a mapping with a known type; a word alone is a type without options. */
function asPart(path: Path, written: unknown, family: Registry<unknown, any>, check: Check): Part | undefined {
  const known = Object.keys(family)
  const part = typeof written === 'string' ? { type: written } : written
  if (!isMapping(part)) {
    check.fault(path, `must be a mapping with a type (one of ${known.join(', ')}), got ${JSON.stringify(written) ?? 'nothing'}`)
    return undefined
  }
  const { type } = part
  const at = typeof written === 'string' ? path : [...path, 'type']
  if (type === undefined) check.fault(path, `must have a type (one of ${known.join(', ')}), got none`)
  else if (typeof type !== 'string' || !Object.hasOwn(family, type))
    check.fault(at, `must be one of ${known.join(', ')}; got ${JSON.stringify(type)}${guess(String(type), known)}`)
  else return part as Part
  return undefined
}

function checkOptions(path: Path, schema: z.ZodType, options: unknown, check: Check): { value: unknown } | undefined {
  const result = checkSchema(schema, options)
  if (result.ok) return { value: result.value }
  for (const { path: inner, message, at } of result.faults) check.fault([...path, ...inner], message, at)
  return undefined
}

/** A part of a flow: checked and made once (its own cross checks speak then), and kept as written, because it crosses threads. */
function checkMade(path: Path, written: unknown, family: Registry<unknown, void>, check: Check): Part | undefined {
  const part = asPart(path, written, family, check)
  if (!part) return undefined
  const { type, ...options } = part
  const member = family[type]!
  const config = checkOptions(path, member.config, options, check)
  if (!config) return undefined
  try {
    member.create(config.value, undefined)
    return part
  } catch (error) {
    if (error instanceof z.ZodError)
      for (const inner of issueFaults(undefined, error.issues)) check.fault([...path, ...inner.path], inner.message, inner.at)
    else if (error instanceof ConfigError)
      for (const { line, message } of error.faults) check.fault([...path, 'text'], `line ${line}: ${message}`)
    else check.fault(path, (error as Error).message)
    return undefined
  }
}

/**
 * `{ file: ./token }` in place of a text is the text of that file, without its last line end; files named by options that end in `File` must be
 * readable, since the part will read them itself.
 */
function readSecretFiles(value: unknown, path: Path, check: Check): unknown {
  const { readFile } = check.options
  if (!readFile) return value
  const read = (name: string, at: Path): string | undefined => {
    try {
      return readFile(name)
    } catch (error) {
      check.fault(
        at,
        `must be a file that can be read, got ${JSON.stringify(name)} (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`,
      )
      return undefined
    }
  }
  if (Array.isArray(value)) return value.map((item, i) => readSecretFiles(item, [...path, i], check))
  if (!isMapping(value)) return value
  const entries = Object.entries(value)
  if (entries.length === 1 && typeof value.file === 'string') {
    const text = read(value.file, [...path, 'file'])?.replace(/\r?\n$/, '') ?? ''
    check.outside.add(text)
    return text
  }
  return Object.fromEntries(
    entries.map(([key, item]) => {
      if (/[a-z]File$/.test(key) && typeof item === 'string') read(item, [...path, key])
      return [key, readSecretFiles(item, [...path, key], check)]
    }),
  )
}

/** Parameters of requests are printed with them; those that came from outside the file are secrets. */
function hideParams(options: unknown, { outside }: Check): unknown {
  if (!isMapping(options) || !isMapping(options.params)) return options
  const hide = (value: unknown) => (typeof value === 'string' && outside.has(value) ? new Secret(value) : value)
  return { ...options, params: Object.fromEntries(Object.entries(options.params).map(([name, value]) => [name, hide(value)])) }
}

/** A calendar whose text may come from a file; what is wrong in the text is told with its line there. */
function checkCalendar(path: Path, written: unknown, check: Check): Part | undefined {
  let good = true
  const read = readSecretFiles(written, path, {
    ...check,
    fault(...told) {
      good = false
      check.fault(...told)
    },
  })
  return good ? checkMade(path, read, check.options.families.calendars, check) : undefined
}

/** Transforms must fit each other: a longer step is a multiple of the step before it. Returns the step of the rows that come out. */
function checkSteps(entries: readonly (readonly [Path, Part])[], step: number, check: Check): number {
  let before = step
  for (const [at, part] of entries) {
    const after = create(check.options.families.transforms, part, undefined).stepAfter(before)
    if (after % before !== 0) {
      check.fault(
        [...at, 'step'],
        `must be a multiple of the step of its rows ${formatDuration(before)}, got ${formatDuration(after)}`,
      )
      return before
    }
    before = after
  }
  return before
}

function readFlow(
  path: Path,
  value: unknown,
  names: { readonly sources: readonly string[]; readonly notifiers: readonly string[] },
  check: Check,
): FlowConfig | undefined {
  const { transforms, detectors, rules, refiners } = check.options.families
  const result = checkSchema(flowSchema, value)
  if (!result.ok) for (const { path: inner, message, at } of result.faults) check.fault([...path, ...inner], message, at)
  if (!isMapping(value)) return undefined
  if (value.name === SELF_WATCH)
    check.fault([...path, 'name'], `must not be ${SELF_WATCH}, the name by which the watch reports on itself, got it`)

  const source = checkReferences(path, value, names, check)
  const transform = entriesOf([...path, 'transform'], value.transform, []).map(
    ([at, part]) => [at, checkMade(at, part, transforms, check)] as const,
  )
  const calendar = entriesOf([...path, 'calendar'], value.calendar, []).map(([at, part]) => checkCalendar(at, part, check))
  const detect = readDetect([...path, 'detect'], value.detect, check)
  const rule = checkMade([...path, 'rule'], value.rule ?? 'budget', rules, check)
  const refine = entriesOf([...path, 'refine'], value.refine, DEFAULT_REFINE).map(([at, part]) =>
    checkMade(at, part, refiners, check),
  )
  if (Object.keys(detectors).length > 0 && detect.length === 0 && Array.isArray(value.detect))
    check.fault([...path, 'detect'], 'must have at least one detector, got none')
  if (!result.ok) return undefined
  checkColumns(path, result.value, detect, check)

  const isGood = (entry: readonly [Path, Part | undefined]): entry is readonly [Path, Part] => entry[1] !== undefined
  const fitting = transform.filter(isGood)
  const times = readTimes(path, result.value, check, step => checkSteps(fitting, step, check))
  if (fitting.length < transform.length || calendar.includes(undefined)) return undefined
  if (source === undefined || !rule || detect.includes(undefined) || refine.includes(undefined) || !times) return undefined
  const {
    name,
    summary,
    cron,
    query,
    notify = [],
    owner,
    runbook,
    labels = {},
    severity = 'warning',
    lookback,
    replicas,
  } = result.value
  return {
    name,
    ...present({ summary, cron, owner, runbook, lookback }),
    ...times.flow,
    query: readQuery(source, query, times.step),
    ...(fitting.length > 0 ? { transform: fitting.map(([, part]) => part) } : {}),
    ...(calendar.length > 0 ? { calendar: calendar as readonly Part[] } : {}),
    detect: detect as FlowConfig['detect'],
    rule,
    refine: refine.map(part => (part!.type === 'shape' ? { ...part!, name: part!.name ?? name } : part!)),
    notify: (Array.isArray(notify) ? notify : [notify]) as string[],
    labels,
    severity,
    ...(replicas === undefined ? {} : { replicas: [replicas].flat() as string[] }),
  }
}

/** What cannot be done with the columns of a flow, and detectors that would never say anything of so few. */
function checkColumns(path: Path, { query, transform }: FlowText, detect: readonly (Part | undefined)[], check: Check): void {
  const { columns, queries } = query
  const together = columns !== undefined || queries !== undefined
  if (together && transform !== undefined)
    check.fault(
      [...path, 'transform'],
      'must not be given where several columns are looked at together; write it into the queries',
    )
  if (columns !== undefined) return
  const count = queries ? Object.keys(queries).length : 1
  for (const [i, part] of detect.entries()) {
    if (!part) continue
    const { name: _, rule: __, ...rest } = part
    const { fewestColumns = 1 } = create<Detector, void>(check.options.families.detectors, rest as Part, undefined)
    if (fewestColumns > count)
      check.fault(
        [...path, 'detect', ...(detect.length > 1 ? [i] : [])],
        `${part.type} must have at least ${fewestColumns} columns to compare, got ${count}; give the query \`columns\` or \`queries\``,
      )
  }
}

function readQuery(source: string, { expr, queries, by, columns }: FlowText['query'], step: number): FlowConfig['query'] {
  const many = (names: unknown) => (names === undefined ? undefined : ([names].flat() as string[]))
  return { source, step, ...present({ expr, queries, by: many(by), columns: many(columns) }) }
}

function readHeartbeat(value: unknown, notifiers: readonly string[], check: Check): HeartbeatConfig | undefined {
  const path = ['heartbeat']
  if (isMapping(value)) checkChannels([...path, 'notify'], value.notify, notifiers, check)
  const checked = checkOptions(path, heartbeatSchema, readSecretFiles(value, path, check), check)
  if (!checked) return undefined
  const { notify, ...rest } = checked.value as z.output<typeof heartbeatSchema>
  return { ...rest, notify: notify === undefined ? [] : ([notify].flat() as string[]) } as HeartbeatConfig
}

function checkChannels(path: Path, value: unknown, notifiers: readonly string[], check: Check): void {
  for (const [at, channel] of entriesOf(path, value, []))
    if (typeof channel === 'string' && !notifiers.includes(channel))
      check.fault(
        at,
        `must be one of the notifiers ${list(notifiers)}; got ${JSON.stringify(channel)}${guess(channel, notifiers)}`,
      )
}

/** Names of other sections; returns the name of the source, undefined after a fault. */
function checkReferences(
  path: Path,
  value: Record<string, unknown>,
  { sources, notifiers }: { readonly sources: readonly string[]; readonly notifiers: readonly string[] },
  check: Check,
): string | undefined {
  checkChannels([...path, 'notify'], value.notify, notifiers, check)
  const source = isMapping(value.query) ? value.query.source : undefined
  if (source === undefined && sources.length === 1) return sources[0]
  if (source === undefined && isMapping(value.query))
    check.fault([...path, 'query'], `must have a source (one of ${list(sources)}), got none`)
  if (typeof source === 'string' && sources.includes(source)) return source
  if (typeof source === 'string')
    check.fault(
      [...path, 'query', 'source'],
      `must be one of the sources ${list(sources)}; got ${JSON.stringify(source)}${guess(source, sources)}`,
    )
  return undefined
}

function readDetect(path: Path, value: unknown, check: Check): ((Part & { readonly name: string }) | undefined)[] {
  const { detectors, rules } = check.options.families
  const used = new Map<string, Path>()
  return entriesOf(path, value, DEFAULT_DETECT).map(([at, written]) => {
    const { name, rule, ...rest } = isMapping(written) ? written : { type: written, name: undefined, rule: undefined }
    const part = checkMade(at, isMapping(written) ? rest : written, detectors, check)
    const own = rule === undefined ? undefined : checkMade([...at, 'rule'], rule, rules, check)
    if (name !== undefined) {
      const named = checkSchema(nameSchema, name)
      if (!named.ok) check.fault([...at, 'name'], named.faults[0]!.message)
    }
    if (!part || (rule !== undefined && !own)) return undefined
    const called = typeof name === 'string' ? name : part.type
    if (used.has(called)) {
      check.fault(
        typeof name === 'string' ? [...at, 'name'] : at,
        `must have a name of its own in this flow, got ${JSON.stringify(called)} again`,
      )
      return undefined
    }
    used.set(called, at)
    const limit = own ?? (create(detectors, part, undefined).missingData ? MISSING_DATA_RULE : undefined)
    return { ...part, name: called, ...(limit ? { rule: limit } : {}) }
  })
}

type Times = Pick<FlowConfig, 'every' | 'delay' | 'reexamine' | 'keep' | 'deadline' | 'forget'>

function readTimes(
  path: Path,
  flow: FlowText,
  check: Check,
  stepAfter: (step: number) => number,
): { readonly flow: Times; readonly step: number } | undefined {
  let good = true
  const demand = (holds: boolean, key: Path, message: string) => {
    if (holds) return
    good = false
    check.fault([...path, ...key], message)
  }
  const every = flow.every ?? Math.max(MINUTE, flow.query.step ?? 0)
  const step = flow.query.step ?? every
  const text = formatDuration
  demand(every > 0, ['every'], 'must be more than 0s, got 0s')
  demand(step > 0, ['query', 'step'], 'must be more than 0s, got 0s')
  demand(
    every >= step,
    flow.every === undefined ? ['query', 'step'] : ['every'],
    `must be at least the step ${text(step)}, got ${text(every)}`,
  )
  const after = step > 0 ? stepAfter(step) : step
  // A row of a longer step comes up to a step later.
  const reexamine = flow.reexamine ?? Math.max(6 * after - step, 2 * every)
  demand(reexamine >= step, ['reexamine'], `must be at least the step ${text(step)}, got ${text(reexamine)}`)
  const forget = flow.forget ?? Math.max(DAY, 2 * reexamine)
  demand(forget > reexamine, ['forget'], `must be longer than reexamine ${text(reexamine)}, got ${text(forget)}`)
  const deadline = flow.deadline ?? MINUTE
  demand(deadline > 0, ['deadline'], 'must be more than 0s, got 0s')
  if (flow.cron !== undefined) {
    try {
      void new Cron(flow.cron, { paused: true, timezone: 'UTC' })
    } catch (error) {
      demand(false, ['cron'], `must be a cron expression, got ${JSON.stringify(flow.cron)} (${(error as Error).message})`)
    }
  }
  if (!good) return undefined
  return { step, flow: { every, delay: flow.delay ?? 30 * SECOND, reexamine, keep: flow.keep ?? 2 * DAY, deadline, forget } }
}

/** One thing or a list of them, each with its path. */
function entriesOf(path: Path, value: unknown, otherwise: readonly unknown[]): readonly (readonly [Path, unknown])[] {
  if (value === undefined) return otherwise.map(item => [path, item] as const)
  return Array.isArray(value) ? value.map((item, i) => [[...path, i], item] as const) : [[path, value]]
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function keysOf(value: unknown): readonly string[] {
  return isMapping(value) ? Object.keys(value) : []
}

function list(names: readonly string[]): string {
  return names.length > 0 ? names.join(', ') : '(there are none)'
}

function present<Values extends object>(values: Values): { [Key in keyof Values]?: Exclude<Values[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}

function distinct(faults: readonly Fault[]): readonly Fault[] {
  const seen = new Map(faults.map(fault => [JSON.stringify([fault.line, fault.column, fault.path, fault.message]), fault]))
  return [...seen.values()].toSorted((a, b) => a.line - b.line || a.column - b.column)
}

function shorten(faults: readonly Fault[], file: string): readonly Fault[] {
  const left = faults.length - MAX_FAULTS
  if (left <= 0) return faults
  const message = `must be mended too: ${left} more ${left === 1 ? 'fault' : 'faults'}`
  return [...faults.slice(0, MAX_FAULTS), { file, line: 0, column: 0, path: '', message }]
}
