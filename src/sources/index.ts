import { registry } from '../component.ts'
import { csv } from './csv.ts'
import { memory } from './memory.ts'
import { prometheus } from './prometheus.ts'
import { recording } from './recording.ts'
import type { Source, SourceNeeds } from './source.ts'

/** All sources by type. */
export const sources = registry<Source, SourceNeeds>(prometheus, csv, recording, memory)
