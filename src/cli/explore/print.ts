import { printFault } from '../../errors.ts'
import { sparkline } from '../sparkline.ts'
import { printTable } from '../table.ts'
import { paint, type Terminal } from '../terminal.ts'
import type { Pair } from './correlate.ts'
import type { Entry, Report } from './report.ts'
import { BASIS_WORDS, count, sayApparent, sayGaps, sayLength, sayMember, sayPair, sayR, saySeasons, sayState } from './words.ts'

const ROWS = 15
const MEMBERS = 6
const SPARK = 24

/** The report for a terminal. Long lists are cut and say so; JSON and the page have all. */
export function printReport(report: Report, { out }: Pick<Terminal, 'out'>): string {
  const { series, range, step, shared } = report
  const common = Object.entries(shared).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  let text = `${count(series.length, 'series', 'series')} over ${sayLength(range.end - range.start)} at ${sayLength(step)}`
  text += common.length > 0 ? `, all with ${common.join(' ')}\n` : '\n'
  const section = (title: string, body: string, all = 0, shown = all) => {
    if (body === '') return
    const more = all > shown ? paint('dim', `… and ${all - shown} more; --json and --html have all\n`, out) : ''
    text += `\n${paint('bold', title, out)}\n${body}${more}`
  }

  const pairs = report.pairs.slice(0, ROWS)
  section(
    `Correlations ${BASIS_WORDS[report.basis]}${report.rank ? ', by rank' : ''}`,
    printTable(
      ['R', 'WHAT'],
      pairs.map(pair => [sayR(pair.r), sayPair(report, pair)]),
    ).replace(/^R +WHAT\n$/, '') || `None of at least ${report.least} that chance does not explain.\n`,
    report.pairs.length,
    pairs.length,
  )
  const few = report.few.slice(0, 5)
  section(
    'Together in a few events only, which may be chance',
    few.map(pair => `${sayR(pair.r)}  ${sayPair(report, pair)}\n`).join(''),
    report.few.length,
    5,
  )
  section(
    'Alike at first sight only: a common season, trend or single event, and nothing beside',
    report.apparent
      .slice(0, 5)
      .map(each => `${sayApparent(report, each)}\n`)
      .join(''),
    report.apparent.length,
    5,
  )
  section(
    `Redundant groups: one series tells what the others tell (|r| ≥ ${report.redundant})`,
    report.groups
      .slice(0, ROWS)
      .map(group => printGroup(report, group))
      .join(''),
    report.groups.length,
    ROWS,
  )
  const list = (title: string, entries: readonly Entry[], say: (entry: Entry) => string) =>
    section(
      title,
      entries
        .slice(0, ROWS)
        .map(entry => `${entry.name}  ${paint('dim', say(entry), out)}\n`)
        .join(''),
      entries.length,
      ROWS,
    )
  const { seasonal, dead, gappy, late, raw } = kinds(report)
  list('Seasons, with the share that comes again', seasonal, saySeasons)
  list('Dead and constant', dead, entry => sayState(entry)!)
  list('Gaps', gappy, sayGaps)
  list('Began late', late, ({ look }) => `at ${new Date(look.began!).toISOString()}`)
  list('Counters read raw: use rate()', raw, () => 'climbs, and falls only to begin again; looked at through its changes')
  if (report.checked > 0)
    section(
      'Queries',
      report.queries.map(fault => `${printFault(fault)}\n`).join('') ||
        `${count(report.checked, 'expression')}: nothing is missing in the source.\n`,
    )
  return text
}

function printGroup(report: Report, { representative, members }: Report['groups'][number]): string {
  const { name, values } = report.series[representative]
  const shown = members.slice(0, MEMBERS).map(member => `    ${report.series[member.at].name}  ${sayMember(report, member)}\n`)
  const more = members.length > MEMBERS ? `    … and ${members.length - MEMBERS} more\n` : ''
  return `${sparkline(values, SPARK)}  ${name} for ${count(members.length + 1, 'series', 'series')}\n${shown.join('')}${more}`
}

/** The series that have something to tell, the worst first. */
export function kinds({ series }: Report) {
  const order = ['empty', 'stopped', 'stuck', 'constant']
  return {
    seasonal: series
      .filter(({ seasons }) => seasons.length > 0)
      .toSorted((a, b) => b.seasons[0].strength - a.seasons[0].strength),
    dead: series
      .filter(({ look }) => look.state !== 'moving')
      .toSorted((a, b) => order.indexOf(a.look.state) - order.indexOf(b.look.state)),
    gappy: series
      .filter(({ look }) => look.missing > 0 && look.state !== 'empty')
      .toSorted((a, b) => b.look.missing - a.look.missing),
    late: series.filter(({ look }) => look.began !== undefined),
    raw: series.filter(({ read }) => read === 'change'),
  }
}

/** The report as plain data; lags and lengths in ms, NaN as null. */
export function reportJson(report: Report) {
  const { series, step, correlated, order } = report
  const id = (place: number) => series[place].name
  const pairJson = (pair: Pair) => ({
    leads: id(pair.leads),
    follows: id(pair.follows),
    r: pair.r,
    lag: pair.lag * step,
    edge: pair.edge,
    rows: pair.rows,
    limit: pair.limit,
    sentence: sayPair(report, pair),
  })
  return {
    range: report.range,
    step,
    rows: report.times.length,
    basis: report.basis,
    rank: report.rank,
    maxLag: report.reach * step,
    least: report.least,
    redundant: report.redundant,
    sharedLabels: report.shared,
    series: series.map(({ labels, name, read, look, seasons }) => ({ name, labels, read, ...look, seasons })),
    correlations: report.pairs.map(pairJson),
    few: report.few.map(pairJson),
    apparent: report.apparent.map(({ a, b, values, beside }) => ({ a: id(a), b: id(b), values, beside })),
    groups: report.groups.map(({ representative, members }) => ({
      representative: id(representative),
      members: members.map(({ at, r, lag }) => ({ name: id(at), r, lag: lag * step })),
    })),
    dendrogram: {
      leaves: correlated.map(id),
      order,
      merges: report.tree.map(({ left, right, height, size }) => ({ left, right, height, size })),
    },
    queries: { checked: report.checked, faults: report.queries },
    warnings: report.warnings,
  }
}
