import { z } from 'zod'
import { component } from '../component.ts'
import { InputError } from '../errors.ts'
import { clamp } from '../math/clamp.ts'
import { fromCells } from './from-cells.ts'
import type { Transform } from './transform.ts'

const config = z.strictObject({
  lower: z.number().optional().describe('what is below it becomes it'),
  upper: z.number().optional().describe('what is above it becomes it'),
})

/** Keeps values inside bounds that everybody knows of: a share is not above 1, whatever a division of late samples says. */
export const clip = component<Transform, typeof config>({
  type: 'clip',
  summary: 'Moves values beyond a bound to the bound.',
  config,
  examples: [{ lower: 0 }, { lower: 90, upper: 110 }],
  create({ lower = -Infinity, upper = Infinity }) {
    if (lower === -Infinity && upper === Infinity) throw new InputError('must have a lower or an upper bound, got none')
    if (!(lower < upper)) throw new InputError(`must have lower below upper, got ${lower} and ${upper}`)
    return fromCells({ lookback: 0, start: () => ({}), apply: (_, __, value) => clamp(value, lower, upper) })
  },
})
