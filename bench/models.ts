import type { BenchOptions, Row } from './bench.ts'
import * as boostedTrees from './boosted-trees.ts'
import * as htm from './htm.ts'
import * as htmForecast from './htm-forecast.ts'
import * as htmHierarchy from './htm-hierarchy.ts'
import * as networks from './networks.ts'

type Run = (options: BenchOptions) => Promise<readonly Row[]>

const PARTS: Readonly<Record<string, Run>> = { networks: networks.run, 'boosted-trees': boostedTrees.run, htm: htm.run }
/** These take minutes and compare with nobody else's: only when asked for. */
const ABLATIONS: Readonly<Record<string, Run>> = { 'htm-hierarchy': htmHierarchy.run, 'htm-forecast': htmForecast.run }

export const summary = `models that learn, beside PyTorch and XGBoost from PyPI on one thread (--only ${Object.keys({ ...PARTS, ...ABLATIONS }).join(', ')}; the last ${Object.keys(ABLATIONS).length} only so)`

export async function run(options: BenchOptions): Promise<readonly Row[]> {
  const { only } = options
  const wanted = only === undefined ? PARTS : { [only]: { ...PARTS, ...ABLATIONS }[only] }
  const rows: Row[] = []
  for (const [name, part] of Object.entries(wanted)) {
    if (!part) throw new RangeError(`--only must be one of ${Object.keys({ ...PARTS, ...ABLATIONS }).join(', ')}, got ${name}`)
    rows.push(...(await part(options)))
  }
  return rows
}
