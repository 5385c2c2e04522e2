import { describe, expect, it } from 'vitest'
import { findSet } from './data/nab.ts'
import { checkGolden } from './nab.ts'

const folder = findSet(process.env.TIDEWATCH_DATA, 'nab', 'combined_windows.json')
if (folder === undefined)
  console.warn('SKIPPED: the published NAB results are not checked, TIDEWATCH_DATA does not name the folder of the data sets')

describe('the NAB scorer', () => {
  it.skipIf(folder === undefined)('gives published results what the original gives them, to four decimals', async () => {
    const rows = await checkGolden(folder!)
    expect(rows).toHaveLength(6)
    for (const { value, goal } of rows) expect(value.toFixed(4)).toBe(goal!.toFixed(4))
  })
})
