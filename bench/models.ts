import type { Row } from './bench.ts'
import * as boostedTrees from './boosted-trees.ts'
import * as networks from './networks.ts'

export const summary = 'models that learn, beside PyTorch and XGBoost from PyPI on one thread'

export async function run(): Promise<readonly Row[]> {
  return [...(await networks.run()), ...(await boostedTrees.run())]
}
