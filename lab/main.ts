import { parseArgs } from 'node:util'
import { faults } from './faults/index.ts'
import { MissingError } from './processes.ts'
import { record } from './record.ts'
import { printReport, runFault } from './run.ts'

const USAGE = `usage: npm run lab -- COMMAND
  list                                  the faults
  run FAULT [--json] [--keep] [--rate QPS]
                                        inject a fault into a real CoreDNS and see when Tidewatch alerts and resolves
  record --out FILE.csv.gz [--minutes N] [--rate QPS]
options: --ports BASE (a hundred ports from there, default 25000 for run, 27000 for record)
exit codes: 0 as expected, 1 not as expected, 2 usage, 3 a program is missing`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    out: { type: 'string' },
    minutes: { type: 'string', default: '36' },
    rate: { type: 'string', default: '250' },
    ports: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const log = (line: string) => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`)

async function main(): Promise<number> {
  const [command, name] = positionals
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  if (command === 'list') {
    for (const fault of Object.values(faults)) console.log(`${fault.name.padEnd(22)}${fault.summary}`)
    return 0
  }
  if (command === 'run' && name && faults[name]) {
    const base = Number(values.ports ?? 25000)
    const report = await runFault({ fault: faults[name], base, rate: Number(values.rate), keep: values.keep, log })
    console.log(values.json ? JSON.stringify(report, null, 2) : printReport(report))
    return report.expected ? 0 : 1
  }
  if (command === 'record' && values.out) {
    const base = Number(values.ports ?? 27000)
    await record({ out: values.out, minutes: Number(values.minutes), base, rate: Number(values.rate), log })
    return 0
  }
  console.error(command === 'run' && name ? `no fault is called ${name}; there are ${Object.keys(faults).join(', ')}` : USAGE)
  return 2
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))
try {
  process.exitCode = await main()
} catch (error) {
  const missing = error instanceof MissingError
  console.error(missing ? error.message : error)
  process.exitCode = missing ? 3 : 1
}
