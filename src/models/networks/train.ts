import type { Random } from '../../math/random.ts'
import { learnBatch, type Network } from './network.ts'
import { initialise } from './parameters.ts'
import type { Rows } from './windows.ts'

export interface TrainOptions {
  readonly epochs: number
  readonly rate?: number
  /** Longest gradient. */
  readonly clip?: number
  /** Share of the windows, the last ones, that are not learned and decide which weights are kept; 0 for none. */
  readonly validation?: number
  /** Epochs without a better validation loss before training ends. */
  readonly patience?: number
  /** Most windows of an epoch, and of validation, drawn anew each time; all by default. */
  readonly windows?: number
  /** Goes on from the weights there are, which stay when nothing better is found. */
  readonly warm?: boolean
  /**
   * Truncated back-propagation: rows are cut into as many streams as a batch has windows, each goes on where its last window ended, and gradients
   * are cut there. Windows of other streams than whole ones are not used, nor is chance.
   */
  readonly streams?: boolean
  /** Asked before every batch; training ends when it says so. */
  readonly isOver?: () => boolean
  readonly random: Random
}

export interface Progress {
  readonly epoch: number
  readonly epochs: number
  readonly batch: number
  readonly batches: number
  /** Of the last batch. */
  readonly loss: number
}

export interface Trained {
  /** Epochs begun. */
  readonly epochs: number
  /** Batches learned. */
  readonly turns: number
  /** Mean of the last whole epoch; NaN without one. */
  readonly loss: number
  /** Loss of the weights that were kept; NaN without validation. */
  readonly validation: number
  readonly ended: 'epochs' | 'patience' | 'over'
}

/**
 * Learns windows that begin at `starts`, in stochastic order. Yields after every batch; whoever calls may stop at any time (`return`), and the best
 * weights so far are in the network then. Windows of validation that overlap learned ones are left out.
 */
export function* train(
  network: Network,
  rows: Rows,
  starts: ArrayLike<number>,
  options: TrainOptions,
): Generator<Progress, Trained> {
  const { epochs, rate = 0.001, clip = 5, validation: share = 0.15, patience = Infinity, streams = false, random } = options
  const { parameters, batch, span } = network
  const { weights, means, squares } = parameters
  if (!options.warm) initialise(parameters, random)
  means.fill(0)
  squares.fill(0)

  const cut = Math.floor(starts.length * (1 - share))
  const isClear = (place: number) => cut === 0 || starts[place] >= starts[cut - 1] + span
  const learned = streams ? [] : Array.from({ length: cut }, (_, i) => i)
  const held = share > 0 ? Array.from({ length: starts.length - cut }, (_, i) => cut + i).filter(isClear) : []
  const plan = streams ? layStreams(starts, cut, batch, span) : undefined
  const most = options.windows ?? Infinity
  const judged = pick(held, most, random)

  let best = judge()
  let kept = Float32Array.from(weights)
  let loss = NaN
  let turns = 0
  let epoch = 0
  let since = 0
  let ended: Trained['ended'] = 'epochs'
  try {
    training: for (; epoch < epochs; epoch++) {
      const used = plan ? plan.order : pick(learned, most, random)
      const batches = Math.ceil(used.length / batch)
      let sum = 0
      for (let i = 0; i < batches; i++) {
        if (options.isOver?.()) {
          ended = 'over'
          break training
        }
        network.carry = streams && i > 0
        if (network.load(rows, plan?.starts ?? starts, used, i * batch, Math.min(batch, used.length - i * batch)) === 0) continue
        const now = learnBatch(network, turns + 1, { rate, clip }, (epoch + i / batches) / epochs)
        if (!Number.isNaN(now)) turns++
        sum += now
        yield { epoch, epochs, batch: i, batches, loss: now }
      }
      loss = sum / batches
      if (held.length === 0) continue
      const said = judge()
      if (said < best || Number.isNaN(best)) {
        best = said
        kept = Float32Array.from(weights)
        since = 0
      } else if (++since >= patience) {
        ended = 'patience'
        break
      }
    }
  } finally {
    network.carry = false
    if (judged.length > 0 && !Number.isNaN(best)) weights.set(kept)
  }
  return { epochs: Math.min(epoch + (ended === 'epochs' ? 0 : 1), epochs), turns, loss, validation: best, ended }

  function judge(): number {
    network.carry = false
    let sum = 0
    let count = 0
    for (let from = 0; from < judged.length; from += batch) {
      const known = network.load(rows, starts, judged, from, Math.min(batch, judged.length - from))
      if (known > 0) sum += known * network.forward(1)
      count += known
    }
    return count > 0 ? sum / count : NaN
  }
}

/** So many of the items, in an order of chance. */
function pick(items: readonly number[], most: number, random: Random): number[] {
  const mixed = [...items]
  const count = Math.min(most, mixed.length)
  for (let i = 0; i < count; i++) {
    const other = i + Math.floor(random.next() * (mixed.length - i))
    const item = mixed[i]
    mixed[i] = mixed[other]
    mixed[other] = item
  }
  mixed.length = count
  return mixed
}

/** Windows that follow one another without a break in `batch` streams: those of one step of all streams are a batch. */
function layStreams(starts: ArrayLike<number>, cut: number, batch: number, span: number): { starts: number[]; order: number[] } {
  const first = starts[0] ?? 0
  // A forecaster reads one row less than it spans: the row it ends on is the first of the next window.
  const step = span - 1
  const all = cut > 0 ? starts[cut - 1] + span - first : 0
  const length = Math.floor((Math.floor(all / batch) - 1) / step)
  const laid: number[] = []
  for (let i = 0; i < length; i++)
    for (let stream = 0; stream < batch; stream++) laid.push(first + stream * Math.floor(all / batch) + i * step)
  return { starts: laid, order: laid.map((_, i) => i) }
}
