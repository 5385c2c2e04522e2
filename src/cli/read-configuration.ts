import { dirname, resolve } from 'node:path'
import { calendars } from '../calendars/index.ts'
import { detectors } from '../detectors/index.ts'
import { ConfigError } from '../errors.ts'
import { notifiers } from '../notifiers/index.ts'
import type { Configuration } from '../pipeline/configuration.ts'
import { loadConfiguration } from '../pipeline/load-configuration.ts'
import { MAX_TEXT } from '../pipeline/parse-yaml.ts'
import { refiners } from '../refiners/index.ts'
import { rules } from '../rules/index.ts'
import { sources } from '../sources/index.ts'
import { stores } from '../stores/index.ts'
import { transforms } from '../transforms/index.ts'
import { readText } from './read-text.ts'

/** Calendars, certificates and secrets that the configuration names. */
const MAX_NAMED_FILE = 16 * 2 ** 20

/** Reads and checks a configuration file; throws `ConfigError` with every fault, also when the file cannot be read. */
export async function readConfiguration(file: string): Promise<Configuration> {
  let text: string
  try {
    text = readText(file, MAX_TEXT)
  } catch (error) {
    throw new ConfigError([
      { file, line: 0, column: 0, path: '', message: `must be a readable file, got ${describeError(error)}` },
    ])
  }
  const folder = dirname(resolve(file))
  return loadConfiguration(text, {
    file,
    env: process.env,
    readFile: path => readText(resolve(folder, path), MAX_NAMED_FILE),
    families: { sources, notifiers, stores, calendars, transforms, detectors, rules, refiners },
  })
}

/** `ENOENT` says more than the sentence around it, which repeats the path. */
function describeError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}
