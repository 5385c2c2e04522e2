import type { BenchSeries } from '../data/series.ts'
import { segmentsOf } from '../data/series.ts'
import { acfPeriod } from '../protocols/acf-period.ts'
import { affiliationF1 } from '../protocols/affiliation.ts'
import { aucPr, aucRoc } from '../protocols/auc.ts'
import { eventF1, tsbEventF1 } from '../protocols/event-f1.ts'
import { bestF1, pointAdjustedF1 } from '../protocols/f1.ts'
import type { Calibration, Felt } from '../protocols/operators.ts'
import { calibrate, feel, findAlerts } from '../protocols/operators.ts'
import { meanOf } from '../protocols/order.ts'
import { rangeBasedF1 } from '../protocols/range-based.ts'
import { ucrCorrect } from '../protocols/ucr.ts'
import { vus } from '../protocols/vus.ts'
import type { Scored } from './scored.ts'
import { alarmOf } from './scored.ts'

/** Widest buffer of VUS for frames of several columns. */
const WIDTH = 100

/** Figures of a ranking; F1 is at the best threshold, which takes the labels. */
export const RANKINGS = [
  'VUS-PR',
  'VUS-ROC',
  'AUC-PR',
  'AUC-ROC',
  'best F1',
  'event F1',
  'event F1, k = 7',
  'event-based F1 of TSB-AD',
  'range-based F1',
  'affiliation F1',
  'point-adjusted F1',
] as const
export type Ranking = (typeof RANKINGS)[number]

/** Budgets that must hold. */
export const BUDGETS = [
  { alarms: 1, per: '1d' },
  { alarms: 1, per: '1w' },
  { alarms: 1, per: '30d' },
] as const

/** What is known of a detector on one series; of the test part only. */
export interface Measured {
  /** Left out without an anomaly in the test part. */
  readonly rankings?: Readonly<Record<Ranking, number>>
  readonly felt: Felt
  /** Alarms of each budget on the stretches without anomalies, in the order of `BUDGETS`. */
  readonly calibrations: readonly Calibration[]
  /** Whether the highest score is at the anomaly, where there is just one. */
  readonly found?: boolean
  readonly rows: number
  readonly seconds: number
}

/** Rankings come from `score`; event F1 and alerts from `alarm`, where the detector keeps one. */
export function measure({ times, columns, labels, trainRows, step }: BenchSeries, scored: Scored): Measured {
  const all = Object.values(columns)
  const truth = labels.subarray(trainRows)
  const score = scored.score.subarray(trainRows)
  const alarm = alarmOf(scored)
  const felt = feel(times.subarray(trainRows), truth, toTest(findAlerts(times, alarm, trainRows), trainRows))
  const calibrations = BUDGETS.map(budget => calibrate(times, alarm, labels, trainRows, step, budget))
  const common = { felt, calibrations, rows: times.length, seconds: scored.seconds }
  const segments = segmentsOf(truth)
  if (segments.length === 0) return common
  const late = alarm.subarray(trainRows)
  const volume = vus(score, truth, all.length > 1 ? WIDTH : acfPeriod(all[0]!))
  return {
    ...common,
    ...(segments.length === 1 ? { found: ucrCorrect(score, segments[0]!) } : {}),
    rankings: {
      'VUS-PR': volume.pr,
      'VUS-ROC': volume.roc,
      'AUC-PR': aucPr(score, truth),
      'AUC-ROC': aucRoc(score, truth),
      'best F1': bestF1(score, truth),
      'event F1': eventF1(late, truth),
      'event F1, k = 7': eventF1(late, truth, 7),
      'event-based F1 of TSB-AD': tsbEventF1(late, truth),
      'range-based F1': rangeBasedF1(score, truth),
      'affiliation F1': affiliationF1(score, truth),
      'point-adjusted F1': pointAdjustedF1(score, truth),
    },
  }
}

function toTest(rows: readonly number[], from: number): number[] {
  return rows.map(row => row - from)
}

/** Means that give every series with an anomaly the same weight. */
export function meanRankings(all: readonly Measured[]): Readonly<Record<Ranking, number>> {
  const known = all.flatMap(({ rankings }) => (rankings ? [rankings] : []))
  return Object.fromEntries(RANKINGS.map(name => [name, meanOf(known.map(rankings => rankings[name]))])) as Record<
    Ranking,
    number
  >
}
