import { registry } from '../component.ts'
import { clip } from './clip.ts'
import { deseasonalise } from './deseasonalise.ts'
import { difference } from './difference.ts'
import { fill } from './fill.ts'
import { log } from './log.ts'
import { logit } from './logit.ts'
import { rate } from './rate.ts'
import { resample } from './resample.ts'
import { smooth } from './smooth.ts'
import type { Transform } from './transform.ts'

/** The transforms, by type. */
export const transforms = registry<Transform>(clip, deseasonalise, difference, fill, log, logit, rate, resample, smooth)
