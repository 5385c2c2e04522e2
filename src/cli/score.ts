import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Stream } from '../detectors/detector.ts'
import { detectors } from '../detectors/index.ts'
import { perColumn } from '../detectors/per-column.ts'
import { InputError } from '../errors.ts'
import { readTable, type Table } from '../sources/table/read-table.ts'
import { fileLimit } from './file-limit.ts'
import { makePart } from './part-option.ts'
import { showProgress, type Terminal } from './terminal.ts'

export interface ScoreOptions {
  readonly file: string
  readonly trainRows: number
  /** File to write; `-` is standard output. */
  readonly out: string
  readonly detector: string
  /** `score` ranks and may be smoothed; `alarm` is what rules judge. */
  readonly as: 'score' | 'alarm'
  /** Bytes. */
  readonly maxSize?: number
}

/** Rows between two looks at the clock. */
const CHUNK = 2000

/** `tidewatch score`: a CSV with the header `score` (or `alarm`) and one causal score for each row of the input, in its order. */
export async function run(options: ScoreOptions, terminal: Terminal): Promise<void> {
  const { made } = makePart(detectors, '--detector', options.detector)
  const table = await readTable(options.file, { ignore: ['label'], ...fileLimit(options.maxSize) })
  const { times } = table
  if (options.trainRows > times.length)
    throw new InputError(`--train-rows must be at most the ${times.length} rows of ${options.file}, got ${options.trainRows}`)
  for (const warning of table.warnings) terminal.err.write(`${options.file}: ${warning}\n`)
  const columns = Object.keys(table.columns).length
  const detector = columns > 1 && !made.multivariate ? perColumn(made) : made
  if (!detector.open) throw new InputError(`--detector must go row by row, got ${options.detector}`)

  const progress = showProgress(terminal.err, () => performance.now())
  const rows = scoreRows(detector.open(), table, options.trainRows, options.as)
  const text = async function* () {
    yield `${options.as}\n`
    let done = 0
    let lines = ''
    for (const score of rows) {
      lines += `${score}\n`
      if (++done % CHUNK > 0) continue
      yield lines
      lines = ''
      progress.say(`${done} of ${times.length} rows scored`)
    }
    yield lines
  }
  if (options.out === '-') await writeAll(terminal.out, text())
  else await pipeline(text(), createWriteStream(options.out))
  progress.end()
  if (options.out !== '-')
    terminal.err.write(`${times.length} rows scored, the first ${options.trainRows} for training, into ${options.out}\n`)
}

/** The score of each row given those before it; 0 for the rows of the training and where the stream is undecided. */
export function* scoreRows(
  stream: Stream,
  table: Pick<Table, 'times' | 'columns' | 'step'>,
  trainRows: number,
  as: ScoreOptions['as'] = 'score',
): Generator<number> {
  const times = ascending(table.times, table.step)
  const columns = Object.values(table.columns)
  const row = new Float64Array(columns.length)
  for (let i = 0; i < times.length; i++) {
    for (let c = 0; c < columns.length; c++) row[c] = columns[c][i]
    const said = i < trainRows ? undefined : stream.score(times[i], row)
    const score = (as === 'alarm' ? said?.alarm : undefined) ?? said?.score ?? 0
    yield Number.isFinite(score) ? score : 0
    stream.learn(times[i], row)
  }
}

/** Times as they are where they ascend; one that repeats or goes back is a ms after the row before it, so that every row keeps its score. */
export function ascending(times: Float64Array, step: number): Float64Array {
  const out = Float64Array.from(times)
  for (let i = 0; i < out.length; i++) {
    if (Number.isNaN(out[i])) out[i] = i === 0 ? 0 : out[i - 1] + (step > 0 ? step : 1)
    if (i > 0 && out[i] <= out[i - 1]) out[i] = out[i - 1] + 1
  }
  return out
}

async function writeAll(stream: Writable, chunks: AsyncIterable<string>): Promise<void> {
  for await (const chunk of chunks) if (!stream.write(chunk)) await once(stream, 'drain')
}
