import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import * as accuracy from './accuracy.ts'
import type { Bench, BenchOptions, Row } from './bench.ts'
import * as budget from './budget.ts'
import * as characterise from './characterise.ts'
import * as comparison from './comparison.ts'
import * as crossCheck from './cross-check.ts'
import * as explore from './explore.ts'
import * as footprint from './footprint.ts'
import { labelled } from './labelled.ts'
import * as labels from './labels.ts'
import * as models from './models.ts'
import * as nab from './nab.ts'
import * as readers from './readers.ts'
import * as reading from './reading.ts'
import * as scale from './scale.ts'
import * as speed from './speed.ts'
import * as synthetic from './synthetic.ts'
import * as whichColumn from './which-column.ts'

/** The benches, by name. Loaded up front: those that need something that is absent must say so in `run`. */
const benches: Readonly<Record<string, Bench>> = {
  nab,
  smd: labelled('smd', 'Server Machine Dataset'),
  asd: labelled('asd', 'Application Server Dataset'),
  aiops: labelled('aiops', 'AIOps Challenge 2018'),
  synthetic,
  budget,
  accuracy,
  'cross-check': crossCheck,
  speed,
  models,
  comparison,
  labels,
  scale,
  readers,
  reading,
  footprint,
  explore,
  characterise,
  'which-column': whichColumn,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    data: { type: 'string' },
    detector: { type: 'string' },
    jobs: { type: 'string' },
    seed: { type: 'string' },
    golden: { type: 'boolean', default: false },
    series: { type: 'boolean', default: false },
    real: { type: 'boolean', default: false },
    minutes: { type: 'string' },
  },
})
const [name] = positionals
if (name !== undefined && !benches[name]) {
  console.error(`bench must be one of ${Object.keys(benches).join(', ')}, got ${name}`)
  process.exit(2)
}

const jobs = values.jobs === undefined ? undefined : Number(values.jobs)
if (jobs !== undefined && !(Number.isInteger(jobs) && jobs > 0)) {
  console.error(`--jobs must be a whole number of threads, got ${values.jobs}`)
  process.exit(2)
}
const seed = values.seed === undefined ? undefined : Number(values.seed)
if (seed !== undefined && !Number.isInteger(seed)) {
  console.error(`--seed must be a whole number, got ${values.seed}`)
  process.exit(2)
}
const minutes = values.minutes === undefined ? undefined : Number(values.minutes)
if (minutes !== undefined && !(minutes > 0)) {
  console.error(`--minutes must be a number above 0, got ${values.minutes}`)
  process.exit(2)
}
const options: BenchOptions = {
  golden: values.golden,
  series: values.series,
  real: values.real,
  ...(values.only === undefined ? {} : { only: values.only }),
  ...(values.data === undefined ? {} : { data: values.data }),
  ...(values.detector === undefined ? {} : { detector: values.detector }),
  ...(jobs === undefined ? {} : { jobs }),
  ...(seed === undefined ? {} : { seed }),
  ...(minutes === undefined ? {} : { minutes }),
}

const results: Row[] = []
for (const [key, bench] of Object.entries(benches)) {
  if (name === undefined ? ['accuracy', 'comparison', 'characterise', 'footprint'].includes(key) : key !== name) continue
  if (!values.json) console.error(`${key}: ${bench.summary}`)
  results.push(...(await bench.run(options)))
}

const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memory: totalmem() }
if (values.json) console.log(JSON.stringify({ ...(name === undefined ? {} : { name }), machine, results }))
else for (const line of table(results)) console.log(line)

function table(rows: readonly Row[]): string[] {
  const width = Math.max(0, ...rows.map(row => row.name.length))
  return rows.map(({ name, value, unit, goal, met, peer, ratio }) => {
    const parts = [name.padEnd(width), `${Number(value.toPrecision(4)).toLocaleString('en-US')} ${unit}`.padEnd(24)]
    if (goal !== undefined) parts.push(`goal ${goal} ${met ? 'met' : 'MISSED'}`)
    if (ratio !== undefined) parts.push(`${ratio.toFixed(1)} × ${peer}`)
    return parts.join('  ')
  })
}
