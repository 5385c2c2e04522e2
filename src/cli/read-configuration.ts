import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { calendars } from '../calendars/index.ts'
import { detectors } from '../detectors/index.ts'
import { ConfigError } from '../errors.ts'
import { notifiers } from '../notifiers/index.ts'
import type { Configuration } from '../pipeline/configuration.ts'
import { loadConfiguration } from '../pipeline/load-configuration.ts'
import { refiners } from '../refiners/index.ts'
import { rules } from '../rules/index.ts'
import { sources } from '../sources/index.ts'
import { stores } from '../stores/index.ts'
import { transforms } from '../transforms/index.ts'

/** Reads and checks a configuration file; throws `ConfigError` with every fault, also when the file cannot be read. */
export async function readConfiguration(file: string): Promise<Configuration> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError([
      { file, line: 0, column: 0, path: '', message: `must be a readable file, got ${(error as Error).message}` },
    ])
  }
  const folder = dirname(resolve(file))
  return loadConfiguration(text, {
    file,
    env: process.env,
    readFile: path => readFileSync(resolve(folder, path), 'utf8'),
    families: { sources, notifiers, stores, calendars, transforms, detectors, rules, refiners },
  })
}
