import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Component } from '../../src/component.ts'
import type { Detector } from '../../src/detectors/detector.ts'
import { perColumn } from '../../src/detectors/per-column.ts'

const DETECTORS = resolve(import.meta.dirname, '../../src/detectors')

/** A detector as an option names it: a type, `{"type": …}` as JSON, or a module that exports one component. */
export interface DetectorChoice {
  readonly type: string
  readonly config: Readonly<Record<string, unknown>>
  /** Module that holds it. */
  readonly path: string
}

/** Throws `RangeError` when there is no such detector. */
export function pickDetector(text: string): DetectorChoice {
  const { type, ...config }: { type: string } = text.trim().startsWith('{') ? JSON.parse(text) : { type: text }
  const path = /\.[jt]s$/.test(type) ? resolve(type) : findModule(type)
  if (path === undefined || !existsSync(path))
    throw new RangeError(`--detector must be one of ${types().join(', ')}, got ${type}`)
  return { type, config, path }
}

/** The types of all detectors, found in their files, so that a detector can be measured before it is in the table. */
export function types(): string[] {
  return modules()
    .flatMap(path => [...readFileSync(path, 'utf8').matchAll(TYPE)].map(match => match[1]!))
    .sort()
}

const TYPE = /component\(\{\s*type: '([a-z-]+)'/g

function findModule(type: string): string | undefined {
  return modules().find(path => [...readFileSync(path, 'utf8').matchAll(TYPE)].some(match => match[1] === type))
}

function modules(): string[] {
  return globSync('**/*.ts', { cwd: DETECTORS })
    .filter(path => !path.endsWith('.test.ts'))
    .map(path => join(DETECTORS, path))
}

/** Loads the detector for frames of so many columns; one that looks at a single column runs on each. */
export async function makeDetector({ type, config, path }: DetectorChoice, columns: number): Promise<Detector> {
  const exports: Record<string, unknown> = await import(pathToFileURL(path).href)
  const parts = Object.values(exports).filter(isComponent)
  const part = parts.find(part => part.type === type) ?? parts[0]
  if (!part) throw new RangeError(`${path} must export a component`)
  const detector: Detector = part.create(part.config.parse(config))
  return columns > 1 && !detector.multivariate ? perColumn(detector) : detector
}

function isComponent(value: unknown): value is Component<Detector, any> {
  return typeof value === 'object' && value !== null && 'create' in value && 'config' in value && 'type' in value
}

/** Changes when the detector, its configuration or anything that its module imports changes. */
export function fingerprint({ type, config, path }: DetectorChoice): string {
  return fingerprintModules([path, join(DETECTORS, 'per-column.ts')], JSON.stringify([type, config]))
}

/** Changes with the text of these modules and of what they import. */
export function fingerprintModules(paths: readonly string[], text = ''): string {
  const hash = createHash('sha256').update(text)
  const seen = new Set<string>()
  const queue = [...paths]
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (seen.has(path) || !existsSync(path)) continue
    seen.add(path)
    const code = readFileSync(path, 'utf8')
    hash.update(code)
    for (const [, target] of code.matchAll(/from '(\.[^']+|\/[^']+)'/g)) queue.push(resolve(dirname(path), target!))
  }
  return hash.digest('hex').slice(0, 16)
}
