import { registry } from '../component.ts'
import { absence } from './absence.ts'
import type { Detector } from './detector.ts'
import { ewma } from './ewma.ts'
import { holtWinters } from './holt-winters.ts'
import { peerGroup } from './peer-group.ts'
import { seasonal } from './seasonal.ts'

/** The detectors, by type. */
export const detectors = registry<Detector>(seasonal, holtWinters, ewma, absence, peerGroup)
