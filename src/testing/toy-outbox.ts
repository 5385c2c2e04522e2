import type { Anomaly } from '../anomaly.ts'
import { DAY, HOUR, MINUTE } from '../duration.ts'
import { DeliveryError } from '../errors.ts'
import type { Notifier } from '../notifiers/notifier.ts'
import { type Attempt, type Delivered, deliver, type Outbox, type OutboxOptions } from '../responding/outbox.ts'
import { fromMemory } from '../stores/memory.ts'
import type { Change, Message, Store } from '../stores/store.ts'
import { exampleMessage } from './notifier-laws.ts'

export const START = Date.UTC(2026, 0, 5, 10)

/** A notifier that keeps what it was sent; `answer` throws what it refuses with, `identity` is what it knows all messages by. */
export function fromAnswer(
  answer: (message: Message, signal: AbortSignal) => unknown = () => {},
  resend?: Notifier['resend'],
  identity?: string,
): { readonly sent: Message[]; readonly notifier: Notifier; keys(): string[] } {
  const sent: Message[] = []
  const notifier: Notifier = {
    ...(resend ? { resend } : {}),
    async send(message, signal) {
      sent.push(message)
      await answer(message, signal)
      return identity
    },
  }
  return { sent, notifier, keys: () => sent.map(message => message.key) }
}

export interface ToyWorld {
  readonly store: Store
  /** Clock and chance, and what the outbox reported. */
  readonly world: { now: number; random: number; errors: string[]; attempts: Attempt[]; held: string[] }
  readonly parts: Outbox
  pass(signal?: AbortSignal): Promise<Delivered>
  commit(anomalies: readonly Anomaly[]): Promise<readonly Change[]>
  /** Commits a run that finds each of the series anomalous, since START and with the score, still or not. */
  find(series: readonly number[], some?: { score?: number; ongoing?: boolean }): Promise<readonly Change[]>
}

/** A store in memory whose clock stands still, and channels whose outbox is sent pass by pass. */
export function openWorld(
  channels: Readonly<Record<string, Notifier>>,
  options: Partial<OutboxOptions> = {},
  changes: Partial<Store> = {},
): ToyWorld {
  const store: Store = { ...fromMemory(), ...changes }
  const world = { now: START, random: 0.5, errors: [] as string[], attempts: [] as Attempt[], held: [] as string[] }
  const parts = {
    store,
    channels,
    now: () => world.now,
    random: () => world.random,
    held: () => world.held,
    onAttempt: (_channel: string, attempt: Attempt) => void world.attempts.push(attempt),
    onError: (channel: string, error: Error) => void world.errors.push(`${channel}: ${error.message}`),
    options,
  }
  const commit = (anomalies: readonly Anomaly[]) =>
    store.commit({
      flow: 'dns',
      range: { start: START - HOUR, end: START + HOUR },
      startedAt: world.now,
      finishedAt: world.now,
      anomalies,
      mergeGap: 0,
      watermark: NaN,
      snapshots: [],
      forgotten: [],
      points: [],
      keepPoints: DAY,
      diagnostics: [],
      channels: Object.keys(channels),
      annotations: {},
      series: anomalies.length,
    })
  return {
    store,
    world,
    parts,
    commit,
    pass: (signal = new AbortController().signal) => deliver({ ...parts, signal }),
    find: (series, { score = 5, ongoing = true } = {}) => commit(series.map(name => anomalyOf(String(name), score, ongoing))),
  }
}

export function anomalyOf(name: string, score: number, ongoing: boolean): Anomaly {
  const {
    id: _,
    version: __,
    flow: ___,
    status: ____,
    openedAt: _____,
    updatedAt: ______,
    annotations: _______,
    ...anomaly
  } = exampleMessage().anomaly
  return { ...anomaly, labels: { series: name }, start: START, end: START + MINUTE, peak: START, score, ongoing }
}

/** What a pass did; what is not named it did not do. */
export const did = (some: Partial<Delivered>): Delivered => ({
  delivered: 0,
  retried: 0,
  setAside: 0,
  skipped: 0,
  abandoned: 0,
  ...some,
})

export const refused = () => new DeliveryError('no such label', { about: 'message', reason: '400' })
export const forNow = (retryAfter?: number) =>
  new DeliveryError('busy', { about: 'channel', reason: '503', ...(retryAfter === undefined ? {} : { retryAfter }) })
