import type { BenchOptions, Row } from './bench.ts'
import type { BenchSeries } from './data/series.ts'
import { segmentsOf } from './data/series.ts'
import { HIDDEN, SHORT, SINGLE } from './data/variants.ts'
import { feel, findAlertsFrom, summarizeFelt } from './protocols/operators.ts'
import { learnLabels } from './scoring/learn-labels.ts'
import type { Measured } from './scoring/measure.ts'
import { meanRankings, measure } from './scoring/measure.ts'
import { openEntries } from './scoring/open-entries.ts'
import { scoreSet } from './scoring/score-set.ts'
import type { Scored } from './scoring/scored.ts'
import { alarmOf } from './scoring/scored.ts'

export const summary =
  'what context and labels are worth to models: all metrics or each alone (asd), labelled rows hidden or learned as labels (aiops) (--data DIR)'

const AIOPS = `aiops${SHORT}`
const NETWORKS = ['lstm', 'gru']
/** Detector whose scores are features of the classifier. */
const BASE = 'default'

export async function run({ data, jobs }: BenchOptions): Promise<readonly Row[]> {
  const [joint, univariate] = [await openEntries('asd', data), await openEntries(AIOPS, data)]
  if (!joint || !univariate) {
    console.error('labels: not run, --data must name the folder of the data sets')
    return []
  }
  const asd = await Promise.all(joint.map(({ load }) => load()))
  const aiops = await Promise.all(univariate.map(({ load }) => load()))
  const rows: Row[] = []
  for (const network of NETWORKS) {
    const together = (await scoreSet('asd', data, network, jobs))!
    const apart = (await scoreSet(`asd${SINGLE}`, data, network, jobs))!
    rows.push(...tell(`asd: ${network} of all metrics`, asd, together))
    rows.push(...tell(`asd: ${network}, one for each metric`, asd, new Map(asd.map(one => [one.name, joinColumns(one, apart)]))))
  }
  for (const network of NETWORKS) {
    rows.push(...tell(`aiops: ${network}, no labels`, aiops, (await scoreSet(AIOPS, data, network, jobs))!))
    rows.push(
      ...tell(`aiops: ${network}, labelled rows not learned`, aiops, (await scoreSet(`${AIOPS}${HIDDEN}`, data, network, jobs))!),
    )
  }
  const base = (await scoreSet(AIOPS, data, BASE, jobs))!
  rows.push(...tell(`aiops: ${BASE}, no labels`, aiops, base))
  rows.push(...tellTaught(aiops, base))
  const segments = aiops.reduce((sum, { labels, trainRows }) => sum + segmentsOf(labels.subarray(0, trainRows)).length, 0)
  return [...rows, { name: 'aiops: labelled anomalies to learn from', value: segments, unit: '' }]
}

function tell(name: string, all: readonly BenchSeries[], scores: ReadonlyMap<string, Scored>): Row[] {
  const measured: Measured[] = all.map(series => measure(series, scores.get(series.name)!))
  const rankings = meanRankings(measured)
  return [
    { name: `${name}: VUS-PR`, value: rankings['VUS-PR'], unit: '' },
    { name: `${name}: AUC-PR`, value: rankings['AUC-PR'], unit: '' },
    { name: `${name}: event F1`, value: rankings['event F1'], unit: '' },
    { name: `${name}: F1 of alerts`, value: summarizeFelt(measured.map(({ felt }) => felt)).f1, unit: '' },
  ]
}

/** Alerts are those of the threshold that was learned along with the labels. */
function tellTaught(all: readonly BenchSeries[], base: ReadonlyMap<string, Scored>): Row[] {
  const taught = new Map(all.map(one => [one.name, learnLabels(one, base.get(one.name)!)]))
  const felt = all.map(({ name, times, labels, trainRows }) => {
    const { score, threshold } = taught.get(name)!
    const alerts = findAlertsFrom(threshold, score, trainRows).map(row => row - trainRows)
    return feel(times.subarray(trainRows), labels.subarray(trainRows), alerts)
  })
  const name = 'aiops: boosted trees that learned the labels'
  const told = tell(name, all, taught).slice(0, -1)
  return [...told, { name: `${name}: F1 of alerts`, value: summarizeFelt(felt).f1, unit: '' }]
}

/** Root mean square of the scores of all columns, each of its own stream: what those of several columns do too. */
function joinColumns({ name, columns, times }: BenchSeries, apart: ReadonlyMap<string, Scored>): Scored {
  const each = Object.keys(columns).map(column => apart.get(`${name}/${column}`)!)
  const rms = (of: readonly Float64Array[]) =>
    Float64Array.from(times, (_, i) => {
      const known = of.map(scores => scores[i]).filter(score => !Number.isNaN(score))
      return Math.sqrt(known.reduce((sum, score) => sum + score * score, 0) / known.length)
    })
  return {
    score: rms(each.map(({ score }) => score)),
    alarm: rms(each.map(alarmOf)),
    seconds: each.reduce((sum, { seconds }) => sum + seconds, 0),
  }
}
