import { Command, CommanderError, InvalidArgumentError, Option } from '@commander-js/extra-typings'
import { ConfigError, DeliveryError, InputError, SourceError, StartError, StoreError } from '../errors.ts'
import { parseSize } from '../size.ts'
import { collect, withAccessOptions, withConnectOptions } from './connect/options.ts'
import { keepHeapSmall } from './small-heap.ts'
import { paint, realTerminal, type Terminal } from './terminal.ts'
import { VERSION } from './version.ts'

/** What the process ends with. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const

const EXIT_CODES = 'Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.'

/** Runs one command line (without node and script) and resolves to its exit code; never throws. */
export async function main(argv: readonly string[], terminal: Terminal = realTerminal()): Promise<number> {
  const { err } = terminal
  try {
    await makeProgram(terminal).parseAsync([...argv], { from: 'user' })
    return EXIT.ok
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    err.write(`${describeError(error, err)}\n`)
    return error instanceof ConfigError || error instanceof InputError ? EXIT.usage : EXIT.failure
  }
}

function describeError(error: unknown, err: Terminal['err']): string {
  const label = paint('red', 'tidewatch', err)
  if (error instanceof ConfigError) return error.message
  const expected = [InputError, SourceError, StoreError, DeliveryError, StartError].some(known => error instanceof known)
  if (!(error instanceof Error)) return `${label}: ${String(error)}`
  const system = (error as NodeJS.ErrnoException).syscall !== undefined
  return `${label}: ${expected || system ? error.message : (error.stack ?? error.message)}`
}

/** All commands; what they need is imported when they run. */
function makeProgram(terminal: Terminal): Command {
  const program = new Command()
  program
    .name('tidewatch')
    .description('Learns the tides of your Prometheus metrics, explains what is not a tide, and tells the right people once.')
    .version(VERSION, '-v, --version', 'print the version')
    .helpCommand('help [command]', 'print help for a command')
    .configureOutput({ writeOut: text => terminal.out.write(text), writeErr: text => terminal.err.write(text) })
    .showHelpAfterError('(add --help for what there is)')
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  $ tidewatch demo                          a recorded CoreDNS with faults, on http://127.0.0.1:9797
  $ tidewatch scan http://127.0.0.1:9090    what was odd in the last week, and a configuration to start from
  $ tidewatch serve --config tidewatch.yaml

${EXIT_CODES}`,
    )

  withConnectOptions(
    program
      .command('scan')
      .description(
        'look through a Prometheus without any configuration: what was odd, strongest first, and a configuration to start from',
      )
      .argument('[url]', 'address of a Prometheus or anything with its API')
      .option('--since <duration>', 'how far to look back; default a week, or what there is')
      .option('--step <duration>', 'time between rows; default what suits the history')
      .option('--top <n>', 'rows to print', toCount, 10)
      .option('--limit <n>', 'metrics to look at beside those of known products', toCount, 60)
      .option('--out <file>', 'starter configuration to write', 'tidewatch.yaml')
      .option('--no-write', 'write no starter configuration')
      .option('--json', 'print JSON', false),
  )
    .addHelpText(
      'after',
      examples(
        'scan http://127.0.0.1:9090',
        'scan http://127.0.0.1:9090 --since 1h --step 1s',
        'scan http://127.0.0.1:9090 --json --no-write',
        "scan https://mimir.example/prometheus -H 'X-Scope-OrgID: team' --bearer-token-file token --ca-file ca.pem",
        'scan --source prometheus --config tidewatch.yaml --out more.yaml',
      ),
    )
    .action(async (url, options) =>
      (await import('./scan.ts')).run({ ...(url === undefined ? {} : { url }), ...options }, terminal),
    )

  program
    .command('serve')
    .description('run the flows of a configuration: watch, store, tell, and serve page and API')
    .option('-c, --config <file>', 'configuration', 'tidewatch.yaml')
    .addHelpText('after', examples('serve', 'serve --config /etc/tidewatch/tidewatch.yaml'))
    .action(async options => {
      keepHeapSmall()
      await (await import('./serve.ts')).run(options)
    })

  program
    .command('demo')
    .description('serve page and API over the bundled recording of a CoreDNS with faults; needs nothing')
    .option('--listen <host:port>', 'where to listen', '127.0.0.1:9797')
    .option('--insecure', 'listen beyond this machine, where anybody may ask', false)
    .addHelpText('after', examples('demo', 'demo --listen 127.0.0.1:8080'))
    .action(async options => (await import('./demo.ts')).run(options))

  withConnectOptions(
    program
      .command('detect')
      .description('find what is odd in a CSV file or in the answer to a query')
      .argument('[file]', 'CSV file (also .gz): a time column and one or many value columns')
      .option('--url <url>', 'ask a Prometheus instead; see below for one that is protected')
      .option('--expr <expr>', 'query, or columns of the file; default all columns')
      .option('--start <time>', 'ISO time, epoch, or a duration before now; default 6h before the end')
      .option('--end <time>', 'likewise; default now')
      .option('--step <duration>', 'time between rows; default what suits the range, or as in the file')
      .option(
        '--detector <type>',
        'a type or { type: …, option: … }; may be given again',
        collect,
        undefined as readonly string[] | undefined,
      )
      .option('--rule <type>', 'likewise', 'budget')
      .option('--json', 'print JSON', false)
      .option('--plot <file.svg>', 'draw value, band and anomalies')
      .option('--max-size <size>', 'largest file that is read, after unzipping; default 256MiB', toSize),
  )
    .addHelpText(
      'after',
      examples(
        'detect requests.csv.gz',
        "detect --url http://127.0.0.1:9090 --expr 'sum(rate(coredns_dns_requests_total[5m]))' --start 1w",
        "detect requests.csv --detector '{ type: ewma }' --rule '{ type: threshold, limit: 6 }' --plot requests.svg",
      ),
    )
    .action(async (file, { detector = ['default'], ...options }) =>
      (await import('./detect.ts')).run({ ...(file === undefined ? {} : { file }), ...options, detector }, terminal),
    )

  withConnectOptions(
    program
      .command('explore')
      .description('what series have to do with each other: correlations with lags, redundant groups, seasons, gaps, dead ones')
      .argument('[file]', 'CSV file (also .gz): a time column and one column for each series')
      .option('--url <url>', 'look into a Prometheus instead, with --job or --match')
      .option('--match <selector>', 'the series with these labels, like {namespace="dns"}')
      .option('--job <job>', 'the series of this job')
      .option('--since <duration>', 'how far to look back; default a week, or what there is')
      .option('--step <duration>', 'time between rows; default what suits the history, or as in the file')
      .option('--max-lag <duration>', 'longest lag to look for; default 60 rows, or a tenth of them')
      .option('--on <what>', 'correlate the residual beside season and trend, the change or the value', 'residual')
      .option('--rank', 'correlate ranks: any rising curve counts, outliers do not', false)
      .option('--least <r>', 'weakest correlation to tell', toShare, 0.5)
      .option('--redundant <r>', 'correlation from which one series stands for another', toShare, 0.9)
      .option(
        '--queries <file>',
        'rules, flows or dashboards: which of their expressions can never return data; may be given again',
        collect,
        undefined as readonly string[] | undefined,
      )
      .option('--limit <n>', 'series to look at', toCount, 500)
      .option('--json', 'print JSON', false)
      .option('--html <file>', 'write a page with plots')
      .option('--max-size <size>', 'largest file that is read, after unzipping; default 256MiB', toSize),
  )
    .addHelpText(
      'after',
      examples(
        'explore metrics.csv --html metrics.html',
        'explore --url http://127.0.0.1:9090 --job coredns --since 1d',
        'explore --url http://127.0.0.1:9090 --job coredns --queries rules.yml --json',
      ),
    )
    .action(async (file, { queries = [], ...options }) =>
      (await import('./explore.ts')).run({ ...(file === undefined ? {} : { file }), ...options, queries }, terminal),
    )

  program
    .command('score')
    .description('write one causal score for each row of a CSV file (timestamp, one or more values[, label]), in its order')
    .argument('<file>', 'CSV file, also .gz; a column `label` is ignored')
    .requiredOption('--train-rows <n>', 'rows to learn from first; their score is 0', toCount)
    .option('--out <file>', 'CSV with the header `score` (or `alarm`); - is standard output', '-')
    .option('--max-size <size>', 'largest file that is read, after unzipping; default 256MiB', toSize)
    .option('--detector <type>', 'a type or { type: …, option: … }; one that looks at one column runs on each', 'default')
    .addOption(
      new Option('--as <column>', '`score` ranks rows and may be smoothed, `alarm` is what rules judge')
        .choices(['score', 'alarm'] as const)
        .default('score' as const),
    )
    .addHelpText(
      'after',
      examples('score series.csv.gz --train-rows 4000 --out scores.csv', 'score series.csv --train-rows 0 --detector ewma'),
    )
    .action(async (file, options) => (await import('./score.ts')).run({ file, ...options }, terminal))

  const service = new Option('--url <url>', 'address of the running service').default('http://127.0.0.1:9797')
  const models = withAccessOptions(
    program
      .command('models')
      .description('what the learned detectors of a running service have learned: each fit, its error and whether it is in force')
      .option('--flow <name>', 'only those of this flow')
      .option('--limit <n>', 'models to print, newest first', toCount, 200)
      .option('--json', 'print JSON', false)
      .addOption(service),
  )
    .addHelpText(
      'after',
      examples(
        'models',
        'models --flow coredns-latency --json',
        'models restore coredns-latency lstm 3 --workload \'job="coredns"\'',
      ),
    )
    .action(async options => (await import('./models.ts')).list(options, terminal))
  withAccessOptions(
    models
      .command('restore')
      .description('put an earlier model in force again, from the next run of its flow on')
      .argument('<flow>', 'name of the flow')
      .argument('<detector>', 'name of the detector in the flow')
      .argument('<version>', 'version of the model, as `models` prints it', toCount)
      .option('--workload <labels>', 'labels of the workload; needed when the detector has several')
      .addOption(service),
  )
    .addHelpText('after', examples('models restore coredns-latency lstm 3'))
    .action(async (flow, detector, version, _options, command) =>
      // Of options that both commands have, commander gives those before the word `restore` to the outer one.
      (await import('./models.ts')).restore({ ...command.optsWithGlobals(), flow, detector, version }, terminal),
    )

  const check = program.command('check').description('check files before they are used')
  check
    .command('config')
    .description('print OK, or every fault of a configuration as file:line:column path: message')
    .argument('[file]', 'configuration', 'tidewatch.yaml')
    .option('--online', 'ask the sources too: do they answer, does each query find series, is data late or sparse')
    .addHelpText('after', examples('check config tidewatch.yaml', 'check config --online tidewatch.yaml'))
    .action(async (file, options) => (await import('./check-config.ts')).run({ file, ...options }, terminal))
  check
    .command('store')
    .description('read all of a store, also while the service runs, and name every row that cannot be read')
    .addOption(configuration())
    .addOption(storeFile())
    .addHelpText('after', examples('check store --config tidewatch.yaml', 'check store --store tidewatch.db'))
    .action(async options => (await import('./copies.ts')).check(options, terminal))

  program
    .command('backup')
    .description('copy the store into a file, also while the service runs')
    .argument('<file>', 'the copy; must not exist yet')
    .addOption(configuration())
    .addOption(storeFile())
    .addHelpText('after', examples('backup /backup/tidewatch-monday.db --config tidewatch.yaml'))
    .action(async (file, options) => (await import('./copies.ts')).backUp({ file, ...options }, terminal))

  program
    .command('restore')
    .description('put a backup in the place of the store; the service must not run, and what was there is kept beside it')
    .argument('<file>', 'the backup')
    .addOption(configuration())
    .addOption(storeFile())
    .addHelpText('after', examples('restore /backup/tidewatch-monday.db --config tidewatch.yaml'))
    .action(async (file, options) => (await import('./copies.ts')).restore({ file, ...options }, terminal))

  program
    .command('hash-password')
    .description('print the hash of a password that is read from the input, for server.auth.basic')
    .option('--token', 'make a random token and print it with its hash, for server.auth.bearer', false)
    .addHelpText('after', examples('hash-password < password.txt', 'hash-password --token'))
    .action(async options => (await import('./hash-password.ts')).run(options, terminal))

  program
    .command('schema')
    .description('print the JSON Schema of the configuration, for editors')
    .addHelpText('after', examples('schema > tidewatch.schema.json'))
    .action(async () => (await import('./schema.ts')).run(terminal))

  return program as unknown as Command
}

function configuration() {
  return new Option('--config <file>', 'configuration that names the store').default('tidewatch.yaml')
}

function storeFile() {
  return new Option('--store <file>', 'the SQLite file itself, without a configuration')
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map(line => `  $ tidewatch ${line}\n`).join('')}\n${EXIT_CODES}`
}

function toCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('must be a whole number.')
  return Number(text)
}

function toSize(text: string): number {
  try {
    return parseSize(text)
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`)
  }
}

function toShare(text: string): number {
  const share = Number(text)
  if (!(text.trim() !== '' && share >= 0 && share <= 1)) throw new InvalidArgumentError('must be a number from 0 to 1.')
  return share
}

/** How long what is left of a failed command may keep the process alive. */
const LINGER = 3000

/**
 * The command line of this process. What nobody caught ends it with one message, and a command that failed ends it even when something of it is left
 * that would run for ever.
 */
export async function runProcess(): Promise<void> {
  process.on('uncaughtException', error => {
    process.stderr.write(
      `tidewatch: ended by an error that nobody expected: ${error instanceof Error ? error.stack : String(error)}\n`,
    )
    process.exit(EXIT.failure)
  })
  const code = await main(process.argv.slice(2))
  process.exitCode = code
  if (code !== EXIT.ok) setTimeout(() => process.exit(code), LINGER).unref()
}

if (import.meta.main) await runProcess()
