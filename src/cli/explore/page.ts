import { printFault } from '../../errors.ts'
import type { Pair } from './correlate.ts'
import { extent, gapPath, linePath, treePath } from './draw.ts'
import { heatMap } from './heat-map.ts'
import { PAGE_SCRIPT } from './page-script.ts'
import { PAGE_STYLE } from './page-style.ts'
import { kinds } from './print.ts'
import type { Entry, Report } from './report.ts'
import {
  BASIS_WORDS,
  count,
  sayApparent,
  sayGaps,
  sayLength,
  sayMember,
  sayPair,
  sayR,
  saySeasons,
  sayState,
  sayTime,
} from './words.ts'

/** Rows of a table, and members of a group that are shown without asking. */
const ROWS = 60
const MEMBERS = 6
/** Series whose names fit beside the map. */
const NAMED = 60
const LINE = { width: 220, height: 36 }
const STRIP = { width: 400, height: 14 }
const MAP = 640
const TREE = 130
const LIGHT = { against: [194, 65, 12], together: [11, 107, 125] } as const
const DARK = { against: [255, 140, 102], together: [99, 202, 221] } as const

/** The report as one HTML file with plots, light and dark, that asks nobody for anything. */
export function pageOf(report: Report, { title, now }: { readonly title: string; readonly now: number }): string {
  const { series, range, step, pairs, groups } = report
  const { seasonal, dead, gappy, late, raw } = kinds(report)
  const sections = [
    section('correlations', 'Correlations', pairs.length, drawPairs(report, pairs)),
    section('few', 'Together in a few events only, which may be chance', report.few.length, drawPairs(report, report.few)),
    section('apparent', 'Alike at first sight only', report.apparent.length, drawApparent(report)),
    section('map', 'Map of all pairs', report.correlated.length, drawMap(report)),
    section('groups', 'Redundant groups', groups.length, drawGroups(report)),
    section('seasons', 'Seasons', seasonal.length, table(seasonal, 'Season and the share that comes again', saySeasons)),
    section(
      'dead',
      'Dead and constant',
      dead.length,
      table(dead, 'What it does', entry => sayState(entry)!),
    ),
    section('gaps', 'Gaps', gappy.length, drawGaps(gappy)),
    section(
      'late',
      'Began late',
      late.length,
      table(late, 'First value', ({ look }) => sayTime(look.began!)),
    ),
    section(
      'raw',
      'Counters read raw',
      raw.length,
      table(raw, 'What to do', () => 'read it through rate(); here its changes were looked at'),
    ),
    report.checked > 0 ? section('queries', 'Queries', report.queries.length, drawQueries(report)) : '',
  ]
  const shared = Object.entries(report.shared).map(([key, value]) => `${key}="${value}"`)
  const chips = [
    ['correlations', count(pairs.length, 'correlation')],
    ['groups', count(groups.length, 'redundant group')],
    ['seasons', `${seasonal.length} with seasons`],
    ['dead', `${dead.length} dead or constant`],
    ['gaps', `${gappy.length} with gaps`],
    ...(report.checked > 0 ? [['queries', count(report.queries.length, 'fault in queries', 'faults in queries')]] : []),
  ].map(([id, text]) => `<li><a href="#${id}">${text}</a></li>`)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>${escape(title)} · Tidewatch</title><style>${PAGE_STYLE}</style></head><body>
<header><p class="brand">Tidewatch explore</p><h1>${escape(title)}</h1>
<p>${count(series.length, 'series', 'series')} over ${sayLength(range.end - range.start)} at ${sayLength(step)}, ${sayTime(range.start)} to ${sayTime(range.end)} UTC${shared.length > 0 ? `, all with ${escape(shared.join(' '))}` : ''}</p>
<ul class="chips">${chips.join('')}</ul></header>
<main>${sections.join('')}</main>
<footer><p>Correlated ${BASIS_WORDS[report.basis]}${report.rank ? ', by rank' : ''}, at lags up to ${sayLength(report.reach * step)}. A correlation is told when chance is ruled out over all ${pairCount(report)} pairs and lags, for series that remember themselves; it says nothing of causes.</p><p>Written ${sayTime(Math.round(now / 1000) * 1000)} UTC.</p></footer>
<script>${PAGE_SCRIPT}</script></body></html>
`
}

function pairCount({ correlated: { length } }: Report): number {
  return (length * (length - 1)) / 2
}

function section(id: string, title: string, n: number, body: string): string {
  return n > 0 || id === 'correlations' || id === 'queries'
    ? `<section id="${id}"><h2>${title} <span class="count">${n}</span></h2>${body}</section>`
    : ''
}

function drawPairs(report: Report, pairs: readonly Pair[]): string {
  if (pairs.length === 0) return `<p class="none">None of at least ${report.least} that chance does not explain.</p>`
  const rows = pairs
    .slice(0, ROWS)
    .map(pair => `<li class="pair">${bar(pair.r)}<p>${escape(sayPair(report, pair))}</p>${overlay(report, pair)}</li>`)
  return `<p class="hint">Line in colour: the one that leads or comes first. Thin line: the other, moved earlier by the lag.</p><ol class="pairs">${rows.join('')}</ol>${cut(pairs.length)}`
}

/** How strong and of which sign. */
function bar(r: number): string {
  return `<div class="r ${r < 0 ? 'against' : 'together'}"><b>${sayR(r)}</b><i style="width:${Math.round(100 * Math.abs(r))}%"></i></div>`
}

/** Both series, each over its own levels; one that moves against the other is not turned. */
function overlay({ series }: Report, { leads, follows, lag }: Pair): string {
  const first = series[leads].values
  const second = series[follows].values
  const moved = first.map((_, i) => second[i + lag] ?? NaN)
  return svg(
    LINE,
    `<path class="line" d="${linePath(first, LINE)}"/><path class="other" d="${linePath(moved, LINE)}"/>`,
    'both series',
  )
}

function drawApparent(report: Report): string {
  const rows = report.apparent.slice(0, ROWS).map(each => `<li>${escape(sayApparent(report, each))}</li>`)
  return `<p class="hint">Their values correlate because both follow a season, a trend or one event; nothing else of them does.</p><ul class="plain">${rows.join('')}</ul>${cut(report.apparent.length)}`
}

function drawMap(report: Report): string {
  const { correlated, order, matrix, lags, tree, series, redundant, step } = report
  const size = correlated.length
  if (size < 2) return '<p class="none">Fewer than two series move.</p>'
  const names = order.map(leaf => series[correlated[leaf]].name)
  const named = size <= NAMED
  const cell = MAP / size
  const font = Math.min(12, cell * 0.85)
  const width = named ? MAP + 300 : MAP
  const labels = named
    ? names.map(
        (name, i) =>
          `<text x="${MAP + 8}" y="${(TREE + (i + 0.5) * cell + font * 0.35).toFixed(1)}" font-size="${font.toFixed(1)}">${escape(shorten(name, Math.floor(290 / font / 0.55)))}</text>`,
      )
    : []
  const limit = (redundant * TREE).toFixed(1)
  const picture = (colours: typeof LIGHT | typeof DARK, kind: string) =>
    `<image class="${kind}" href="${heatMap(matrix, order, colours)}" y="${TREE}" width="${MAP}" height="${MAP}" preserveAspectRatio="none"/>`
  const cells = new Int8Array((size * (size + 1)) / 2)
  const delays = new Int16Array(cells.length)
  for (let i = 0, at = 0; i < size; i++)
    for (let j = 0; j <= i; j++, at++) {
      cells[at] = Math.round(100 * matrix[order[i] * size + order[j]])
      delays[at] = lags[order[j] * size + order[i]]
    }
  const data = JSON.stringify({ names, step: step / 1000, r: base64(cells), lags: base64(delays) }).replaceAll('<', '\\u003c')
  return `<p class="hint">Rows and columns in the order of the dendrogram; below the dashed line series are redundant. Colour is |r|: <span class="swatch together"></span> together, <span class="swatch against"></span> against. Point at a cell to read it.</p>
<p class="reading" id="reading" aria-live="polite">&nbsp;</p>
<div class="scroll"><svg id="heat" class="map${named ? '' : ' bare'}" viewBox="0 0 ${width} ${MAP + TREE}" role="img" aria-label="Correlations of ${size} series"><path class="tree" d="${treePath(tree, order, { width: MAP, height: TREE - 6 })}"/><path class="limit" d="M0 ${limit}H${MAP}"/><rect class="ground" y="${TREE}" width="${MAP}" height="${MAP}"/>${picture(LIGHT, 'light')}${picture(DARK, 'dark')}${labels.join('')}</svg></div>
<script type="application/json" id="cells">${data}</script>`
}

function base64(values: Int8Array | Int16Array): string {
  return Buffer.from(values.buffer).toString('base64')
}

function shorten(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}

function drawGroups(report: Report): string {
  const cards = report.groups.slice(0, ROWS).map(({ representative, members }) => {
    const { name, values } = report.series[representative]
    const rows = members.map(
      member => `<li><span>${escape(report.series[member.at].name)}</span> <em>${sayMember(report, member)}</em></li>`,
    )
    const more =
      rows.length > MEMBERS
        ? `<details><summary>${rows.length - MEMBERS} more</summary><ul class="plain">${rows.slice(MEMBERS).join('')}</ul></details>`
        : ''
    return `<li class="card"><h3>${escape(name)}</h3><p class="hint">for ${count(members.length + 1, 'series', 'series')}</p>${spark(values)}<ul class="plain">${rows.slice(0, MEMBERS).join('')}</ul>${more}</li>`
  })
  return `<p class="hint">One series tells what the others tell (|r| ≥ ${report.redundant}); the one in bold is nearest to all.</p><ul class="cards">${cards.join('')}</ul>${cut(report.groups.length)}`
}

function table(entries: readonly Entry[], what: string, say: (entry: Entry) => string): string {
  const rows = entries
    .slice(0, ROWS)
    .map(
      entry => `<tr><th scope="row">${escape(entry.name)}</th><td>${escape(say(entry))}</td><td>${spark(entry.values)}</td></tr>`,
    )
  return `<div class="scroll"><table><thead><tr><th scope="col">Series</th><th scope="col">${what}</th><th scope="col">Values</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>${cut(entries.length)}`
}

function drawGaps(entries: readonly Entry[]): string {
  const rows = entries
    .slice(0, ROWS)
    .map(
      entry =>
        `<tr><th scope="row">${escape(entry.name)}</th><td>${escape(sayGaps(entry))}</td><td>${svg(STRIP, `<rect class="there" width="${STRIP.width}" height="${STRIP.height}"/><path class="missing" d="${gapPath(entry.values, STRIP)}"/>`, 'where values are missing', 'strip')}</td></tr>`,
    )
  return `<div class="scroll"><table><thead><tr><th scope="col">Series</th><th scope="col">Missing</th><th scope="col">When</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>${cut(entries.length)}`
}

function drawQueries({ queries, checked }: Report): string {
  if (queries.length === 0) return `<p class="none">${count(checked, 'expression')}: nothing is missing in the source.</p>`
  return `<ul class="plain faults">${queries.map(fault => `<li>${escape(printFault(fault))}</li>`).join('')}</ul>`
}

function spark(values: Float64Array): string {
  return svg(LINE, `<path class="line" d="${linePath(values, LINE, extent(values))}"/>`, 'its values')
}

function svg(
  { width, height }: { readonly width: number; readonly height: number },
  body: string,
  label: string,
  kind = 'spark',
): string {
  return `<svg class="${kind}" viewBox="0 -2 ${width} ${height + 4}" preserveAspectRatio="none" role="img" aria-label="${label}">${body}</svg>`
}

function cut(all: number): string {
  return all > ROWS ? `<p class="hint">${all - ROWS} more are in the JSON.</p>` : ''
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}
