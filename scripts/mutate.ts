import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'
import { parseDuration } from '../src/duration.ts'

/**
 * Changes the code of a folder or file in small ways and runs the tests that reach it: a change that no test notices is a missing test.
 *
 *   npm run mutate -- src/rules
 *   npm run mutate -- src/stores/reconcile.ts --json
 *   npm run mutate -- src/execution/scheduler.ts src/execution/run-flow.ts --tests 'src/execution/scheduler.test.ts'
 *
 * The tests are those that stand in the folder; `--tests GLOB` (more than once if need be) takes only those that it names.
 * `--again` keeps what the last run over the same parts found where neither the code nor its tests changed since.
 * `--sample 3` changes only every third of the statements, where all of them would take too long.
 * `--test-timeout 5s`: a change after which a quick test waits for ever is noticed as soon as that.
 * Prints the mutation score (share of changes that tests noticed) and each survivor; `docs/mutations.md` says why those that are left are harmless.
 * Exit code 0 when the score is at least GOAL.
 */
const GOAL = 80

const root = resolve(import.meta.dirname, '..')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    concurrency: { type: 'string', default: '2' },
    tests: { type: 'string', multiple: true, default: [] },
    again: { type: 'boolean', default: false },
    sample: { type: 'string', default: '1' },
    'test-timeout': { type: 'string', default: '60s' },
  },
})
const missing = positionals.find(target => !existsSync(resolve(root, target)))
if (positionals.length === 0 || missing !== undefined) {
  console.error(`mutate: must have folders or files of src, got ${missing ?? 'nothing'}`)
  process.exit(2)
}

const mutate = positionals.flatMap(filesOf)
// Named after what is changed, so that runs over several parts do not meet.
const report = join('.tidewatch', `mutations.${positionals[0]!.replaceAll('/', '-')}.json`)
mkdirSync(join(root, '.tidewatch'), { recursive: true })
const options = {
  mutate,
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner', join(import.meta.dirname, 'mutate-plugins.ts')],
  vitest: { configFile: 'vitest.mutate.config.ts', related: false },
  // TypeScript 7 has no compiler API that the instrumenter could read the configuration with.
  tsconfigFile: 'none.json',
  tempDirName: `.tidewatch/mutating-${process.pid}`,
  ignorePatterns: ['.tidewatch', 'dist', 'recordings/*.tmp', 'docs/*', '!docs/metrics.md', 'bench', 'lab'],
  ignorers: ['sample'],
  coverageAnalysis: 'perTest',
  ignoreStatic: true,
  // What takes too long counts as noticed, so a busy machine must not be taken for an endless loop.
  timeoutMS: 20_000,
  timeoutFactor: 4,
  concurrency: Number(values.concurrency),
  reporters: ['json', 'survivors', ...(values.json ? [] : ['progress'])],
  jsonReporter: { fileName: report },
  incremental: values.again,
  incrementalFile: report,
  allowConsoleColors: false,
  logLevel: 'warn',
} as ConstructorParameters<typeof Stryker>[0]
process.env.MUTATE_SAMPLE = values.sample
process.chdir(root)
const folders = new Set(positionals.map(target => (target.endsWith('.ts') ? dirname(target) : target)))
const tests = values.tests.length > 0 ? values.tests : [...folders].map(folder => `${folder}/**/*.test.ts`)
process.env.MUTATE_TESTS = JSON.stringify(tests)
process.env.MUTATE_TEST_TIMEOUT = String(parseDuration(values['test-timeout']))
await new Stryker(options).runMutationTest()
const survivors = summarise(report)
process.exitCode = survivors.score >= GOAL ? 0 : 1

function filesOf(path: string): string[] {
  if (path.endsWith('.ts')) return [path]
  return globSync(`${path}/**/*.ts`, { cwd: root })
    .filter(file => !file.endsWith('.test.ts'))
    .map(file => relative(root, join(root, file)))
}

interface Mutant {
  readonly status: string
  readonly mutatorName: string
  readonly replacement?: string
  readonly location: { readonly start: { readonly line: number; readonly column: number } }
}

/** Counts what was noticed and prints what was not. */
function summarise(file: string): { readonly score: number } {
  const { files } = JSON.parse(readFileSync(file, 'utf8')) as { files: Record<string, { mutants: readonly Mutant[] }> }
  const rows = Object.entries(files).map(([name, { mutants }]) => {
    const count = (...statuses: string[]) => mutants.filter(({ status }) => statuses.includes(status)).length
    const noticed = count('Killed', 'Timeout')
    const survived = count('Survived', 'NoCoverage')
    return {
      name,
      value: share(noticed, survived),
      unit: '%',
      goal: GOAL,
      met: share(noticed, survived) >= GOAL,
      noticed,
      survived,
      timedOut: count('Timeout'),
    }
  })
  const noticed = rows.reduce((sum, row) => sum + row.noticed, 0)
  const survived = rows.reduce((sum, row) => sum + row.survived, 0)
  const score = share(noticed, survived)
  const listed = Object.entries(files).flatMap(([name, { mutants }]) =>
    mutants
      .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
      .map(({ status, mutatorName, replacement, location: { start } }) => ({
        at: `${name}:${start.line}:${start.column}`,
        mutator: mutatorName,
        replacement: replacement ?? '',
        covered: status === 'Survived',
      })),
  )
  if (values.json) {
    console.log(JSON.stringify({ score, noticed, survived, rows, survivors: listed }, null, 2))
  } else {
    for (const { at, mutator, replacement, covered } of listed)
      console.log(`${at} ${covered ? 'survived' : 'no test reaches'}: ${mutator} → ${replacement.split('\n')[0]}`)
    for (const row of rows)
      console.log(`${row.value.toFixed(1).padStart(5)} %  ${row.name} (${row.survived} survived, ${row.timedOut} took too long)`)
    console.log(`${score.toFixed(1)} % of ${noticed + survived} changes were noticed; goal ${GOAL} %`)
  }
  writeFileSync(file.replace('.json', '.survivors.json'), JSON.stringify(listed, null, 2))
  return { score }
}

function share(noticed: number, survived: number): number {
  return noticed + survived === 0 ? 100 : (100 * noticed) / (noticed + survived)
}
