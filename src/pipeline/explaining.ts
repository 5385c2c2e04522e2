import type { Registry } from '../component.ts'
import type { Detector } from '../detectors/detector.ts'
import { SourceError } from '../errors.ts'
import type { FlowConfig } from './configuration.ts'
import { missingDataOf } from './member.ts'
import { explainMissing, missingCases, needsTarget } from './missing-data.ts'
import { WITNESSES } from './missing-view.ts'
import type { Findings, Reader } from './pipeline.ts'
import { isLive } from './presence.ts'
import { namesTarget } from './targets.ts'

/** Stored anomalies that are read to see what was said of missing series. */
const MOST_STORED = 10_000

/** Looks at all missing series of a flow together; asks for their targets only when some are missing now. */
export function explainer(
  config: FlowConfig,
  family?: Registry<Detector>,
): (findings: Findings, reader: Reader, signal: AbortSignal) => Promise<Findings> {
  const kinds = missingDataOf(config, family)
  const { source, step } = config.query
  return async (findings, reader, signal) => {
    const own = findings.anomalies.filter(({ detector }) => kinds.has(detector))
    if (own.length === 0) return findings
    const start = own.reduce((least, anomaly) => Math.min(least, anomaly.start), findings.range.start)
    const filter = { flow: config.name, range: { start, end: findings.range.end }, includeIgnored: true, limit: MOST_STORED }
    const missing = { config, kinds, findings, stored: await reader.read({ kind: 'anomalies', filter }, signal) }
    const cases = missingCases(missing)
    const asked = cases.filter(needsTarget).map(({ anomaly }) => anomaly.labels)
    if (!asked.some(namesTarget)) return explainMissing(missing, cases, [])
    const time = findings.range.end - step
    const live = findings.presences.filter(presence => isLive(presence, time, step)).slice(0, WITNESSES)
    const series = [...asked, ...live.map(({ labels }) => labels)]
    try {
      return explainMissing(missing, cases, await reader.read({ kind: 'targets', source, series, time }, signal))
    } catch (error) {
      if (!(error instanceof SourceError)) throw error
      const message = `the targets of missing series are not known: ${error.message}`
      const explained = explainMissing(missing, cases, [])
      return { ...explained, diagnostics: [...explained.diagnostics, { level: 'warning', message }] }
    }
  }
}
