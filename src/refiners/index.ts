import { registry } from '../component.ts'
import { merge } from './merge.ts'
import { minimumDifference } from './minimum-difference.ts'
import { minimumDuration } from './minimum-duration.ts'
import type { Refiner } from './refiner.ts'
import { shape } from './shape.ts'
import { side } from './side.ts'

export const refiners = registry<Refiner>(merge, minimumDifference, minimumDuration, shape, side)
