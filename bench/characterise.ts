import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { realTerminal, showProgress } from '../src/cli/terminal.ts'
import type { Component } from '../src/component.ts'
import type { Detector } from '../src/detectors/detector.ts'
import { detectors } from '../src/detectors/index.ts'
import type { BenchOptions, Row } from './bench.ts'
import { measureCost } from './characterising/cost.ts'
import { findAll } from './characterising/find.ts'
import type { Character } from './characterising/page.ts'
import {
  describeCharacter,
  describeIndex,
  generatedPart,
  indexRow,
  replaceGenerated,
  shareOf,
  startPage,
} from './characterising/page.ts'
import { drawPicture } from './characterising/picture.ts'
import type { Kindred } from './characterising/tides.ts'
import { COLUMNS } from './characterising/tides.ts'

export const summary = 'what each detector finds and misses, and what it costs; writes docs/detectors (--only TYPE)'

const DOCS = resolve(import.meta.dirname, '../docs/detectors')

const TIDAL: Kindred = { width: 1, tidal: true }
const STILL: Kindred = { width: 1, tidal: false }
const TOGETHER: Kindred = { width: COLUMNS, tidal: true }
/** What a detector is made for, where that is not a single series with a tide; it stands first, and is drawn. */
const MADE_FOR: Readonly<Record<string, readonly Kindred[]>> = {
  'peer-group': [TOGETHER],
  'vector-autoregressive': [TOGETHER, TIDAL, STILL],
  'principal-components': [TOGETHER, TIDAL, STILL],
  'change-point': [STILL, TIDAL],
  'cumulative-sum': [STILL, TIDAL],
}

/** Configurations of detectors whose first example is for other series, or smaller than the default so that laws are quick. */
const CONFIGURED: Readonly<Record<string, object>> = {
  'absolute-change': { change: 10 },
  'lstm-autoencoder': {},
  'vae-lstm': {},
  lstm: {},
  gru: {},
  rnn: {},
  htm: {},
}

/** Tries, times and draws each detector with the first of its examples, and writes the generated parts of its page and of the index. */
export async function run({ only }: BenchOptions): Promise<readonly Row[]> {
  const parts = Object.values(detectors).filter(({ type }) => only === undefined || type === only)
  const progress = showProgress(realTerminal().err, () => performance.now())
  const characters: Character[] = []
  await mkdir(join(DOCS, 'pictures'), { recursive: true })
  for (const [i, part] of parts.entries()) {
    progress.say(`characterise: ${part.type}, ${i + 1} of ${parts.length}`)
    const detector = part.create(part.config.parse(CONFIGURED[part.type] ?? part.examples[0]))
    const character = characterise(part.type, detector)
    characters.push(character)
    await writePage(part, character)
    await writeFile(join(DOCS, 'pictures', `${part.type}.svg`), drawPicture(part.type, detector, character.trials[0]!.kindred))
  }
  progress.end()
  const index = join(DOCS, 'README.md')
  const text = await readFile(index, 'utf8')
  const rows = describeIndex(generatedPart(text), characters.map(indexRow), Object.keys(detectors))
  await writeFile(index, replaceGenerated(text, rows))
  return characters.flatMap(asRows)
}

function characterise(type: string, { open, multivariate = false }: Detector): Character {
  if (!open) throw new RangeError(`${type} must be a stream to be characterised`)
  const all = MADE_FOR[type] ?? (multivariate ? [TIDAL, STILL, TOGETHER] : [TIDAL, STILL])
  const trials = all.map(kindred => ({ kindred, ...findAll(open, kindred) }))
  const costs = [...new Set(all.map(({ width }) => width))].map(width => measureCost(open, width))
  return { type, trials, costs }
}

async function writePage(part: Component<Detector, any>, character: Character): Promise<void> {
  const file = join(DOCS, `${part.type}.md`)
  const page = existsSync(file) ? await readFile(file, 'utf8') : startPage(part)
  await writeFile(file, replaceGenerated(page, describeCharacter(character, part)))
}

/** Of the first trial: shares of all noises and of medium and strong anomalies. */
function asRows({ type, trials, costs }: Character): Row[] {
  const trial = trials[0]!
  const alarms = Object.values(trial.falseAlarms)
  return [
    ...[...new Set(trial.all.map(({ kind }) => kind))].map(kind => ({
      name: `${type}: ${kind} found`,
      value: shareOf(trial, kind),
      unit: '',
    })),
    { name: `${type}: false alarms`, value: alarms.reduce((a, b) => a + b, 0) / alarms.length, unit: 'a week' },
    ...costs.flatMap(({ width, time, bytes }) => [
      { name: `${type}: row of ${width}`, value: time, unit: 'µs' },
      { name: `${type}: state for ${width}`, value: bytes, unit: 'bytes' },
    ]),
  ]
}
