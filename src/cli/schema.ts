import { calendars } from '../calendars/index.ts'
import { detectors } from '../detectors/index.ts'
import { notifiers } from '../notifiers/index.ts'
import { configurationJsonSchema } from '../pipeline/json-schema.ts'
import { refiners } from '../refiners/index.ts'
import { rules } from '../rules/index.ts'
import { sources } from '../sources/index.ts'
import { stores } from '../stores/index.ts'
import { transforms } from '../transforms/index.ts'
import type { Terminal } from './terminal.ts'

/** `tidewatch schema`: the JSON Schema of a configuration file. */
export function run({ out }: Terminal): void {
  const families = { sources, notifiers, stores, calendars, transforms, detectors, rules, refiners }
  out.write(`${JSON.stringify(configurationJsonSchema(families), null, 2)}\n`)
}
