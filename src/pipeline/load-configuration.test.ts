import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { peerGroup } from '../detectors/peer-group.ts'
import { ConfigError } from '../errors.ts'
import { Secret } from '../secret.ts'
import { toyFamilies } from '../testing/toy-families.ts'
import { type LoadOptions, loadConfiguration } from './load-configuration.ts'

const families = toyFamilies()
const load = (text: string, more: Partial<LoadOptions> = {}) =>
  loadConfiguration(text, { file: 'f.yaml', env: {}, families, ...more })

function faultsOf(text: string, more: Partial<LoadOptions> = {}): string[] {
  try {
    load(text, more)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

const SMALL = `
sources:
  prom: { type: prometheus, url: 'http://127.0.0.1:9090' }
flows:
  - name: up
    query: { expr: up }
`
/** The small configuration with more lines in its flow. */
const flow = (...lines: string[]) => `${SMALL}${lines.map(line => `    ${line}\n`).join('')}`

it('reads how models are fitted, and what they share', () => {
  const { training, flows } = load(`${flow('replicas: shard')}training: { threads: 2, deadline: 90s }\n`)
  expect(training).toEqual({ threads: 2, deadline: 90_000 })
  expect(flows[0].replicas).toEqual(['shard'])
  expect(load(flow('replicas: []')).flows[0].replicas).toEqual([])
})

describe('several columns', () => {
  it('are several queries by name, with what tells their subjects apart', () => {
    const text = SMALL.replace('expr: up', 'queries: { qps: a, errors: b }, by: [instance]').replace(
      'query:',
      'detect: default\n    query:',
    )
    expect(load(text).flows[0].query).toEqual({
      source: 'prom',
      step: 60_000,
      queries: { qps: 'a', errors: 'b' },
      by: ['instance'],
    })
  })

  const withPeers = { families: { ...families, detectors: { ...families.detectors, 'peer-group': peerGroup } } }

  it('are the series of one query that differ in some labels', () => {
    const { query } = load(flow('detect: peer-group').replace('expr: up', 'expr: up, columns: pod'), withPeers).flows[0]
    expect(query).toEqual({ source: 'prom', step: 60_000, expr: 'up', columns: ['pod'] })
  })

  it('are as many as a detector that compares them needs', () => {
    const needs = 'peer-group must have at least 3 columns to compare'
    const advice = 'give the query `columns` or `queries`'
    expect(() => load(flow('detect: peer-group'), withPeers)).toThrow(`f.yaml:7:13 flows[0].detect: ${needs}, got 1; ${advice}`)
    const two = flow('detect: [default, peer-group]').replace('expr: up', 'queries: { a: x, b: y }')
    expect(() => load(two, withPeers)).toThrow(`f.yaml:7:23 flows[0].detect[1]: ${needs}, got 2; ${advice}`)
  })
})

describe('how the watch reports on itself', () => {
  const more = (text: string) => `${SMALL}notifiers: { oncall: { type: log }, chat: { type: log } }\n${text}\n`

  it('is read, for the watch and its heartbeat', () => {
    const text = more(
      "watch: { after: 2m, notify: oncall, severity: warning }\nheartbeat: { url: 'https://hc.example/uuid', notify: [chat] }",
    )
    const { watch, heartbeat } = load(text)
    expect(watch).toEqual({ after: 120_000, notify: ['oncall'], severity: 'warning' })
    expect(heartbeat).toMatchObject({ method: 'POST', every: 60_000, timeout: 10_000, notify: ['chat'] })
    expect(heartbeat?.url?.reveal()).toBe('https://hc.example/uuid')
    expect(inspect(load(text), { depth: 9 })).not.toContain('uuid')
    expect(load(SMALL).heartbeat).toBeUndefined()
  })

  it.each([
    [
      'a channel that is none',
      'watch: { notify: [chat, onkall] }',
      'f.yaml:8:25 watch.notify[1]: must be one of the notifiers oncall, chat; got "onkall", did you mean "oncall"?',
    ],
    ['an unknown option', 'watch: { afer: 5m }', 'did you mean "after"?'],
    ['a heartbeat to nobody', 'heartbeat: { every: 1m }', 'heartbeat: must have a url, names under notify, or both'],
    ['a heartbeat to a channel that is none', 'heartbeat: { notify: pager }', 'heartbeat.notify: must be one of the notifiers'],
    [
      'a heartbeat without a pause',
      "heartbeat: { url: 'http://a/', every: 0s }",
      'heartbeat.every: must be more than 0s, got 0s',
    ],
    [
      'an address that is none',
      'heartbeat: { url: hunter2 }',
      'heartbeat.url: must be an address that begins with http:// or https://',
    ],
  ])('%s is a fault', (_, text, fault) => {
    const faults = faultsOf(more(text))
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain(fault)
    expect(faults[0]).not.toContain('hunter2')
  })

  it('has a name that no flow may have', () => {
    expect(faultsOf(SMALL.replace('name: up', 'name: tidewatch'))).toEqual([
      'f.yaml:5:11 flows[0].name: must not be tidewatch, the name by which the watch reports on itself, got it',
    ])
  })
})

describe('a small configuration', () => {
  it('is filled with defaults', () => {
    expect(load(SMALL)).toEqual({
      file: 'f.yaml',
      sources: { prom: { type: 'prometheus', config: { url: 'http://127.0.0.1:9090' } } },
      notifiers: {},
      store: { type: 'sqlite', config: { path: './tidewatch.db' } },
      server: { host: '127.0.0.1', port: 9797, externalUrl: 'http://127.0.0.1:9797' },
      workers: 2,
      training: { threads: 1, deadline: 600_000 },
      watch: { after: 300_000, severity: 'critical' },
      flows: [
        {
          name: 'up',
          every: 60_000,
          query: { source: 'prom', expr: 'up', step: 60_000 },
          detect: [
            { type: 'default', name: 'default' },
            { type: 'absence', name: 'absence', rule: { type: 'threshold', limit: 1 } },
          ],
          rule: { type: 'budget' },
          refine: [{ type: 'merge' }, { type: 'shape', name: 'up' }],
          notify: [],
          labels: {},
          severity: 'warning',
          delay: 30_000,
          reexamine: 300_000,
          keep: 2 * 86_400_000,
          deadline: 60_000,
          forget: 86_400_000,
        },
      ],
    })
  })
  it('gives flows that cross threads', () => {
    const [first] = load(SMALL).flows
    expect(structuredClone(first)).toEqual(first)
  })
})

describe('a flow', () => {
  it('takes a detector as a word, as a mapping or as a list', () => {
    expect(load(flow('detect: seasonal')).flows[0]!.detect).toEqual([{ type: 'seasonal', name: 'seasonal' }])
    expect(load(flow('detect: { type: seasonal, width: 2 }')).flows[0]!.detect).toEqual([
      { type: 'seasonal', width: 2, name: 'seasonal' },
    ])
    expect(
      load(flow('detect: [seasonal, { type: seasonal, name: daily, season: [1d], rule: { type: threshold, limit: 6 } }]'))
        .flows[0]!.detect,
    ).toEqual([
      { type: 'seasonal', name: 'seasonal' },
      { type: 'seasonal', name: 'daily', season: ['1d'], rule: { type: 'threshold', limit: 6 } },
    ])
  })
  it('takes rule, refiners and channels as words too', () => {
    const text = `${flow('rule: threshold', 'refine: merge', 'notify: hook')}notifiers: { hook: { type: log } }\n`
    expect(load(text).flows[0]).toMatchObject({ rule: { type: 'threshold' }, refine: [{ type: 'merge' }], notify: ['hook'] })
    expect(load(flow('refine: []')).flows[0]!.refine).toEqual([])
  })
  it('gives its name to sentences that have no better one', () => {
    expect(load(flow('refine: [shape, { type: shape, name: own }]')).flows[0]!.refine).toEqual([
      { type: 'shape', name: 'up' },
      { type: 'shape', name: 'own' },
    ])
  })
  it('runs by cron and keeps what people wrote about it', () => {
    expect(
      load(
        flow(
          'cron: "*/5 * * * *"',
          'owner: dns',
          'runbook: https://x/',
          'summary: s',
          'severity: critical',
          'labels: { team: net }',
          'lookback: 2w',
        ),
      ).flows[0],
    ).toMatchObject({
      cron: '*/5 * * * *',
      owner: 'dns',
      runbook: 'https://x/',
      summary: 's',
      severity: 'critical',
      labels: { team: 'net' },
      lookback: 1_209_600_000,
    })
  })
  it('looks again at five steps or two runs', () => {
    expect(load(flow('every: 10m').replace('expr: up', 'expr: up, step: 1m')).flows[0]!.reexamine).toBe(20 * 60_000)
    expect(load(flow('every: 1s')).flows[0]!.reexamine).toBe(5_000)
  })
})

it('has room for anchors under x-', () => {
  const text = `x-usual: &usual { every: 5m, notify: [] }\n${SMALL}    <<: *usual\n`
  expect(load(text).flows[0]).toMatchObject({ name: 'up', every: 300_000 })
})

describe('the server', () => {
  it.each([
    ["'127.0.0.1:0'", { host: '127.0.0.1', port: 0, externalUrl: 'http://127.0.0.1:0' }],
    ["'[::1]:9797'", { host: '::1', port: 9797, externalUrl: 'http://[::1]:9797' }],
  ])('listens on %s', (listen, server) => {
    expect(load(`${SMALL}server: { listen: ${listen} }`).server).toEqual(server)
  })
  it('listens beyond this machine when it is said to be insecure', () => {
    expect(load(`${SMALL}server: { listen: '0.0.0.0:80', insecure: true }`).server).toEqual({
      host: '0.0.0.0',
      port: 80,
      externalUrl: 'http://localhost:80',
      insecure: true,
    })
    expect(faultsOf(`${SMALL}server: { listen: '0.0.0.0:80' }`)).toEqual([
      expect.stringMatching(/^f\.yaml:7:19 server\.listen: must be an address of this machine only/),
    ])
  })
  it('has the address people use', () => {
    expect(load(`${SMALL}server: { externalUrl: 'https://tide.example/x/' }`).server.externalUrl).toBe('https://tide.example/x')
  })
  it.each([['localhost'], ["':9797'"], ["'h:70000'"], ['9797'], ["'a b:1'"]])('does not listen on %s', listen => {
    expect(faultsOf(`${SMALL}server: { listen: ${listen} }`)).toEqual([
      expect.stringMatching(/^f\.yaml:7:19 server\.listen: must be host:port/),
    ])
  })
})

describe('secrets', () => {
  const source = (options: string) => `${SMALL}`.replace("'http://127.0.0.1:9090'", `'http://h', ${options}`)
  const tokenOf = (text: string, more: Partial<LoadOptions>) =>
    (load(text, more).sources.prom!.config as { bearerToken: Secret }).bearerToken

  it('come from the environment and do not print', () => {
    const token = tokenOf(source('bearerToken: "${TOKEN}"'), { env: { TOKEN: 'tide-secret' } })
    expect(token).toBeInstanceOf(Secret)
    expect(token.reveal()).toBe('tide-secret')
    expect(inspect(load(source('bearerToken: "${TOKEN}"'), { env: { TOKEN: 'tide-secret' } }), { depth: 9 })).not.toContain(
      'tide-secret',
    )
  })
  it('come from files, without the last line end', () => {
    const token = tokenOf(source('bearerToken: { file: ./token }'), { readFile: path => `from ${path}\n` })
    expect(token.reveal()).toBe('from ./token')
  })
  it('need files that can be read', () => {
    const readFile = () => {
      throw Object.assign(new Error('no'), { code: 'ENOENT' })
    }
    expect(faultsOf(source('bearerToken: { file: ./token }'), { readFile })).toEqual([
      'f.yaml:3:67 sources.prom.bearerToken.file: must be a file that can be read, got "./token" (ENOENT)',
    ])
    expect(faultsOf(source('bearerTokenFile: ./token'), { readFile })).toEqual([
      'f.yaml:3:63 sources.prom.bearerTokenFile: must be a file that can be read, got "./token" (ENOENT)',
    ])
  })
  it('are in no message', () => {
    const env = { TOKEN: 'tide-secret' }
    const faults = [
      ...faultsOf(source('bearerToken: ["${TOKEN}"]'), { env }),
      ...faultsOf(source('timeout: "${TOKEN}"'), { env }),
      ...faultsOf(source('basicAuth: { username: "${TOKEN}", password: 12345678 }'), { env }),
      ...faultsOf(source('basicAuth: "${TOKEN}"'), { env }),
    ]
    expect(faults).toHaveLength(4)
    expect(faults.join('\n')).not.toMatch(/tide-secret|12345678/)
  })
})

describe('faults', () => {
  it.each<[string, string, string]>([
    ['no file', '', 'f.yaml:1:1 sources: must be given (a mapping), got nothing'],
    ['a list', '[1]', 'f.yaml:1:1: must be a mapping, got [1]'],
    ['no flow', SMALL.replace(/flows:[\s\S]*/, 'flows: []'), 'f.yaml:4:8 flows: must have at least one flow, got none'],
    ['a flow that is a word', SMALL.replace(/- name[\s\S]*/, '- word'), 'f.yaml:5:5 flows[0]: must be a mapping, got "word"'],
    [
      'an unknown section',
      `${SMALL}sorces: {}\n`,
      'f.yaml:7:1 sorces: must be one of sources, notifiers, store, server, workers, training, watch, heartbeat, flows; got "sorces", did you mean "sources"?',
    ],
    ['a number for text', flow('owner: 12'), 'f.yaml:7:12 flows[0].owner: must be text, got 12'],
    [
      'a number for a duration',
      flow('every: 60'),
      'f.yaml:7:12 flows[0].every: must be a duration with a unit like 30s, 5m or 1h30m, got 60',
    ],
    [
      'a wrong word',
      flow('severity: critcal'),
      'f.yaml:7:15 flows[0].severity: must be one of critical, warning, info; got "critcal", did you mean "critical"?',
    ],
    [
      'a label that is ours',
      flow('labels: { flow: x }'),
      "f.yaml:7:21 flows[0].labels.flow: must not be given: every alert has its flow's name under it",
    ],
    ['a wrong cron', flow('cron: "61 * * * *"'), 'f.yaml:7:11 flows[0].cron: must be a cron expression, got "61 * * * *"'],
    [
      'an unknown detector',
      flow('detect: [seasnal]'),
      'f.yaml:7:14 flows[0].detect[0]: must be one of default, seasonal, absence; got "seasnal", did you mean "seasonal"?',
    ],
    ['no detector', flow('detect: []'), 'f.yaml:7:13 flows[0].detect: must have at least one detector, got none'],
    [
      'two detectors of a name',
      flow('detect: [seasonal, seasonal]'),
      'f.yaml:7:24 flows[0].detect[1]: must have a name of its own in this flow, got "seasonal" again',
    ],
    [
      'an option of a rule of a detector',
      flow('detect: { type: seasonal, rule: { type: budget, alrms: 1 } }'),
      'f.yaml:7:53 flows[0].detect.rule.alrms: must be one of alarms, per; got "alrms", did you mean "alarms"?',
    ],
    [
      'what only making a part finds',
      flow('rule: { type: threshold, lower: 2, upper: 1 }'),
      'f.yaml:7:11 flows[0].rule: must have lower below upper, got 2 and 1',
    ],
    [
      'a part without a type',
      flow('rule: { limit: 1 }'),
      'f.yaml:7:11 flows[0].rule: must have a type (one of budget, threshold), got none',
    ],
    [
      'a part that is a number',
      flow('rule: 4'),
      'f.yaml:7:11 flows[0].rule: must be a mapping with a type (one of budget, threshold), got 4',
    ],
    [
      'the name of a prototype',
      flow('rule: constructor'),
      'f.yaml:7:11 flows[0].rule: must be one of budget, threshold; got "constructor"',
    ],
    [
      'a step longer than every',
      flow('every: 10s').replace('expr: up', 'expr: up, step: 1m'),
      'f.yaml:7:12 flows[0].every: must be at least the step 1m, got 10s',
    ],
    [
      'a step of nothing',
      SMALL.replace('expr: up', 'expr: up, step: 0s'),
      'f.yaml:6:30 flows[0].query.step: must be more than 0s, got 0s',
    ],
    [
      'no expression',
      SMALL.replace('expr: up', 'step: 1m'),
      'f.yaml:6:12 flows[0].query: must have an expr or queries, got neither',
    ],
    [
      'an expression beside several queries',
      SMALL.replace('expr: up', 'expr: up, queries: { a: x, b: y }'),
      'f.yaml:6:33 flows[0].query.queries: must not be given beside expr, got both',
    ],
    [
      'a single named query',
      SMALL.replace('expr: up', 'queries: { a: x }'),
      'f.yaml:6:23 flows[0].query.queries: must be at least two; one alone is an expr',
    ],
    [
      'a name of a query that is a number',
      SMALL.replace('expr: up', 'queries: { 1: x, b: y }'),
      'f.yaml:6:25 flows[0].query.queries.1: must be a name that begins with a letter, got "1"',
    ],
    [
      'entities of a single query',
      SMALL.replace('expr: up', 'expr: up, by: instance'),
      'f.yaml:6:28 flows[0].query.by: must be given with queries, got none',
    ],
    [
      'columns of several queries',
      SMALL.replace('expr: up', 'queries: { a: x, b: y }, columns: pod'),
      'f.yaml:6:48 flows[0].query.columns: must be given with expr, got none',
    ],
    [
      'a transform of several columns',
      flow('transform: fill').replace('expr: up', 'expr: up, columns: pod'),
      'f.yaml:7:16 flows[0].transform: must not be given where several columns are looked at together; write it into the queries',
    ],
    [
      'a channel that is not there',
      flow('notify: [x]'),
      'f.yaml:7:14 flows[0].notify[0]: must be one of the notifiers (there are none); got "x"',
    ],
    [
      'a name with spaces',
      SMALL.replace('name: up', 'name: my flow'),
      'f.yaml:5:11 flows[0].name: must be a name of letters, digits, - _ . and :, got "my flow"',
    ],
    ['a short memory', flow('forget: 1m'), 'f.yaml:7:13 flows[0].forget: must be longer than reexamine 5m, got 1m'],
    ['too many threads for fits', `${SMALL}training: { threads: 0 }\n`, 'f.yaml:7:22 training.threads: '],
    ['a fit without time', `${SMALL}training: { deadline: 0s }\n`, 'f.yaml:7:23 training.deadline: must be more than 0s, got 0s'],
    ['a time without unit', `${SMALL}training: { deadline: 10 }\n`, 'f.yaml:7:23 training.deadline: must be a duration'],
    ['an unknown option of fits', `${SMALL}training: { thread: 1 }\n`, 'did you mean "threads"?'],
    [
      'a label that is none',
      flow('replicas: [pod, my-label]'),
      'flows[0].replicas[1]: must be the name of a label, got "my-label"',
    ],
    ['too many threads', `${SMALL}workers: 1000\n`, 'f.yaml:7:10 workers: must be at most 64, got 1000'],
  ])('%s', (_, text, fault) => {
    expect(faultsOf(text)).toContainEqual(expect.stringContaining(fault))
  })

  it('of two sources, which one must be said', () => {
    const text = SMALL.replace('flows:', "  b: { type: prometheus, url: 'http://b' }\nflows:")
    expect(faultsOf(text)).toEqual(['f.yaml:7:12 flows[0].query: must have a source (one of prom, b), got none'])
  })

  it('of ten mistakes are ten, each at its place', () => {
    const file = 'tests/configurations/ten-mistakes.yaml'
    expect(faultsOf(readFileSync(file, 'utf8'), { file: 'ten.yaml' })).toEqual([
      'ten.yaml:4:11 sources.prom.type: must be one of prometheus; got "promtheus", did you mean "prometheus"?',
      'ten.yaml:8:10 sources.lab.url: must be an address like http://host:port, got "not an address"',
      'ten.yaml:9:18 sources.lab.bearerToken: must have the environment variable TIDEWATCH_TEST_UNSET, which is not set; ${TIDEWATCH_TEST_UNSET:-default} gives one',
      'ten.yaml:11:52 notifiers.hook.secrt: must be one of url, secret; got "secrt", did you mean "secret"?',
      'ten.yaml:13:11 server.listen: must be host:port like 127.0.0.1:9797, got "localhost"',
      expect.stringMatching(/^ten\.yaml:16:5 flows\[0\]\.evry: must be one of name, .*; got "evry", did you mean "every"\?$/),
      'ten.yaml:17:79 flows[0].query.step: must be a duration with a unit like 30s, 5m or 1h30m, got 60',
      'ten.yaml:20:15 flows[1].query.source: must be one of the sources prom, lab; got "lba", did you mean "lab"?',
      'ten.yaml:23:14 flows[1].notify[0]: must be one of the notifiers hook; got "hok", did you mean "hook"?',
      'ten.yaml:24:11 flows[2].name: must be unique, got "errors" of flows[1] again',
    ])
  })
})

describe('transforms of a flow', () => {
  it('are taken as words, mappings or a list, as written', () => {
    expect(load(flow('transform: log')).flows[0]!.transform).toEqual([{ type: 'log' }])
    expect(load(flow('transform: [{ type: rate, window: 10m }, smooth]')).flows[0]!.transform).toEqual([
      { type: 'rate', window: '10m' },
      { type: 'smooth' },
    ])
    expect(load(flow('transform: []')).flows[0]).not.toHaveProperty('transform')
  })
  it('with a longer step let each run look further back', () => {
    expect(load(flow('transform: { type: resample, step: 10m }')).flows[0]!.reexamine).toBe(59 * 60_000)
  })
  it('have faults at their places', () => {
    expect(faultsOf(flow('transform: [{ type: smoth }, { type: fill, limit: 5 }, clip, { type: logit, whole: 0 }]'))).toEqual([
      expect.stringMatching(
        /^f\.yaml:7:25 flows\[0\]\.transform\[0\]\.type: must be one of clip, deseasonalise, .* smooth; got "smoth", did you mean "smooth"/,
      ),
      'f.yaml:7:55 flows[0].transform[1].limit: must be a duration with a unit like 30s, 5m or 1h30m, got 5',
      'f.yaml:7:60 flows[0].transform[2]: must have a lower or an upper bound, got none',
      'f.yaml:7:88 flows[0].transform[3].whole: must be more than 0, got 0',
    ])
    expect(faultsOf(flow('transform: [{ type: resample, step: 5m }, { type: resample, step: 7m }]'))).toEqual([
      'f.yaml:7:71 flows[0].transform[1].step: must be a multiple of the step of its rows 5m, got 7m',
    ])
  })
})

describe('calendars of a flow', () => {
  const ICS = 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Day off\nDTSTART:20260101\nEND:VEVENT\nEND:VCALENDAR\n'
  const read = (texts: Record<string, string>) => ({
    readFile: (path: string) => {
      if (texts[path] === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
      return texts[path]
    },
  })
  it('are kept as written, files read, so that they cross threads', () => {
    const [{ calendar }] = load(
      flow(
        'calendar:',
        '  - { type: icalendar, text: { file: ./off.ics }, during: learn-not }',
        '  - { type: weekly, name: deploys, days: [tue], from: "10:00", to: "11:00" }',
      ),
      read({ './off.ics': ICS }),
    ).flows
    expect(calendar).toEqual([
      { type: 'icalendar', text: ICS.trimEnd(), during: 'learn-not' },
      { type: 'weekly', name: 'deploys', days: ['tue'], from: '10:00', to: '11:00' },
    ])
    expect(structuredClone(calendar)).toEqual(calendar)
  })
  it('have faults at their places, those of a file with its lines', () => {
    const text = flow(
      'calendar:',
      '  - { type: icalendar, text: { file: ./bad.ics } }',
      '  - { type: icalendar, text: { file: ./none.ics } }',
      '  - { type: once, name: x, start: "2026-02-30", end: 2026-03-01 }',
      '  - { type: weekly, name: x, days: [monday] }',
      '  - { type: once, name: x, start: 2026-03-02, end: 2026-03-01 }',
    )
    const bad = ICS.replace('20260101', 'soon').replace('END:VEVENT', 'RRULE:FREQ=HOURLY\nEND:VEVENT')
    expect(faultsOf(text, read({ './bad.ics': bad }))).toEqual([
      expect.stringMatching(
        /^f\.yaml:8:34 flows\[0\]\.calendar\[0\]\.text: line 4: DTSTART must be readable, got "DTSTART:soon"/,
      ),
      'f.yaml:8:34 flows[0].calendar[0].text: line 5: RRULE must have a FREQ of DAILY, WEEKLY, MONTHLY, YEARLY; got HOURLY',
      'f.yaml:9:42 flows[0].calendar[1].text.file: must be a file that can be read, got "./none.ics" (ENOENT)',
      'f.yaml:10:39 flows[0].calendar[2].start: must be a time like 2026-11-21T10:00, 2026-11-21T10:00Z or 2026-11-21, got "2026-02-30"',
      expect.stringMatching(
        /^f\.yaml:11:41 flows\[0\]\.calendar\[3\]\.days\[0\]: must be one of mon, tue, wed, thu, fri, sat, sun/,
      ),
      'f.yaml:12:9 flows[0].calendar[4]: must end after it starts, got 2026-03-02 to 2026-03-01',
    ])
  })
})
