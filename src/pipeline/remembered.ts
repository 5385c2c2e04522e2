import type { Registry } from '../component.ts'
import type { Detector, State } from '../detectors/detector.ts'
import { detectors } from '../detectors/index.ts'
import type { Snapshot } from '../stores/store.ts'
import type { FlowConfig, Part } from './configuration.ts'
import { configurationHash } from './configuration-hash.ts'
import type { Life } from './presence.ts'
import { readState } from './state.ts'

/**
 * The state of one series under one detector. `seen`: time of the newest row that had a value. `configuration`: hash of all that the stream is of, since
 * what another one learned is of no use. `rows`: how many with a value were learned, where it may be a fit that is made of them.
 */
export interface Remembered extends State {
  readonly stream: State
  readonly rule: State
  readonly seen: number
  readonly transform?: State
  readonly configuration?: string
  readonly rows?: number
  /** Time of the first row that had a value. */
  readonly since?: number
  /** First and last row with data, for a detector of missing data. */
  readonly life?: Life
  /** Names of the columns, in the places that the stream knows them at; where several are looked at together. */
  readonly columns?: readonly string[]
}

/** What earlier versions remembered says only that the series was there. */
export function lifeBefore(before: Remembered | undefined): Life | undefined {
  return before && (before.life ?? { first: -Infinity, last: before.seen })
}

/** The state of a detector's stream in a snapshot; undefined when it is of another configuration or cannot be read. */
export function streamState(
  state: Uint8Array,
  config: FlowConfig,
  detector: Part,
  family: Registry<Detector> = detectors,
): State | undefined {
  const remembered = readState(state).state as Remembered | undefined
  return remembered?.configuration === configurationHash(config, detector, family) ? remembered.stream : undefined
}

/** Whether what snapshots of a flow remember is of this configuration; all of one detector are of the same. */
export function fits(snapshots: readonly Snapshot[], config: FlowConfig, family: Registry<Detector> = detectors): boolean {
  return config.detect.every(part => {
    const one = snapshots.find(({ detector, state }) => detector === part.name && readState(state).state)
    return !one || streamState(one.state, config, part, family) !== undefined
  })
}
