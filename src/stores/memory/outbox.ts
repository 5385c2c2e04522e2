import { seriesId } from '../../anomaly.ts'
import { StoreError } from '../../errors.ts'
import {
  asTold,
  byTime,
  FAILED_FOR_A_WHILE,
  KEEP_MESSAGES,
  kindToTell,
  messageKey,
  REFUSALS_OF_A_FAILING_CHANNEL,
} from '../outbox.ts'
import { byStart, withdrawn } from '../reconcile.ts'
import type { Accepted, Change, ChangeKind, ChannelState, Message, Notification, Store, StoredAnomaly } from '../store.ts'

interface Row {
  readonly id: number
  readonly key: string
  readonly channel: string
  readonly kind: ChangeKind
  readonly anomaly: StoredAnomaly
  readonly createdAt: number
  state: 'pending' | 'resend' | 'aside' | 'done'
  dueAt: number
  attempts: number
  doneAt: number
  error: string | undefined
}

interface Channel {
  delivered: number
  abandoned: number
  lastDeliveredAt: number
  lastError: string | undefined
  failingSince: number
  refusals: number
}

/** What the outbox asks of the rest of the store. */
interface Surroundings {
  /** The anomaly as it is now. */
  readonly anomaly: (id: string) => StoredAnomaly | undefined
  readonly anomaliesOf: (flow: string) => readonly StoredAnomaly[]
  /** The flow was scheduled once and is not any more. */
  readonly isRetired: (flow: string) => boolean
}

type Methods = Pick<
  Store,
  | 'outbox'
  | 'delivered'
  | 'retry'
  | 'setAside'
  | 'skip'
  | 'abandon'
  | 'channels'
  | 'notifications'
  | 'hasten'
  | 'endChannel'
  | 'dropChannel'
>

export interface MemoryOutbox extends Methods {
  /** Writes what the channels must hear of a change. */
  tell(change: Change, flowChannels: readonly string[], now: number): void
  prune(now: number): void
  /** Whether a channel must still hear of the anomaly. */
  isWaiting(anomaly: string): boolean
  /** Whether a channel was notified of the anomaly, or is to be. */
  knows(anomaly: string): boolean
  /** The anomaly was deleted. */
  forget(anomaly: string): void
  size(): number
}

/** Messages and what became of them, of the memory store. */
export function openMemoryOutbox({ anomaly, anomaliesOf, isRetired }: Surroundings): MemoryOutbox {
  const channels = new Map<string, Channel>()
  const rows = new Map<number, Row>()
  const about = new Map<string, Row[]>()
  /** By anomaly, then by channel and kind; `message` is the row that it was accepted of. */
  const accepted = new Map<string, Map<string, Accepted & { readonly channel: string; readonly message: number }>>()
  let nextMessage = 1

  const rowsAbout = (id: string, channel?: string) =>
    (about.get(id) ?? []).filter(row => channel === undefined || row.channel === channel)
  const rowOf = (id: number) => {
    const row = rows.get(id)
    if (!row) throw new StoreError(`message must be one of the outbox, got ${id}`)
    return { row, channel: channels.get(row.channel)! }
  }
  const acceptedOf = ({ anomaly, channel }: Row) =>
    [...(accepted.get(anomaly.id)?.values() ?? [])]
      .filter(one => one.channel === channel)
      .reduce<(Accepted & { message: number }) | undefined>((a, b) => (a && a.message > b.message ? a : b), undefined)

  /** Times in the future come from a clock that was wrong: what was last written, accepted or tried then is due now. */
  const isDue = ({ dueAt, createdAt, doneAt, attempts, channel }: Row, now: number) => {
    const isNew = attempts === 0 && Number.isNaN(doneAt)
    return (
      dueAt <= now || (isNew && createdAt > now) || doneAt > now || (attempts > 0 && channels.get(channel)!.failingSince > now)
    )
  }

  const isToldOpen = (id: string, channel: string) => {
    const last = rowsAbout(id, channel).findLast(({ state }) => state !== 'aside')
    return last?.kind === 'opened'
  }
  const stillOpen = ({ anomaly, channel }: Row) =>
    anomaliesOf(anomaly.flow).filter(
      other =>
        other.status === 'open' &&
        other.ignored === undefined &&
        other.id !== anomaly.id &&
        seriesId(other.labels) === seriesId(anomaly.labels) &&
        isToldOpen(other.id, channel),
    )

  const toMessage = (row: Row): Message => {
    const { id, key, channel, kind, createdAt, attempts, state } = row
    const last = acceptedOf(row)
    const newest = rowsAbout(row.anomaly.id, channel).at(-1)!
    const others = kind === 'opened' || kind === 'updated' ? [] : stillOpen(row)
    return {
      id,
      key,
      channel,
      kind,
      anomaly: state === 'pending' ? row.anomaly : asTold(anomaly(row.anomaly.id) ?? row.anomaly, kind),
      createdAt,
      attempts,
      ...(newest.id > id && { overtakenAt: newest.createdAt }),
      ...(state === 'aside' && { isSetAside: true as const }),
      ...(last && { accepted: toAccepted(last) }),
      ...(others.length > 0 && { stillOpen: others }),
    }
  }

  /** Writes what one channel must hear of a change; false when there is nothing to say. `isOfFlow`: it hears of beginnings too. */
  const tellOne = (change: Change, channel: string, isOfFlow: boolean, now: number): boolean => {
    const { id } = change.anomaly
    const mine = rowsAbout(id, channel)
    const kind = kindToTell(change, mine.at(-1)?.kind)
    if (!kind || (kind === 'opened' && !isOfFlow)) return false
    const key = messageKey(change.anomaly, kind)
    if (mine.some(row => row.key === key)) return false
    for (const row of mine) if (row.state === 'resend' || row.state === 'aside') row.state = 'done'
    const row: Row = {
      id: nextMessage++,
      key,
      channel,
      kind,
      anomaly: asTold(change.anomaly, kind),
      createdAt: now,
      state: 'pending',
      dueAt: now,
      attempts: 0,
      doneAt: NaN,
      error: undefined,
    }
    rows.set(row.id, row)
    about.set(id, [...rowsAbout(id), row])
    if (!channels.has(channel)) channels.set(channel, newChannel())
    return true
  }

  return {
    isWaiting: id => rowsAbout(id).some(({ state }) => state === 'pending'),
    knows: id => accepted.has(id) || rowsAbout(id).length > 0,
    forget: id => void accepted.delete(id),
    tell(change, flowChannels, now) {
      const { id, status } = change.anomaly
      const known = rowsAbout(id)
      if (status === 'open') for (const row of known) if (row.state === 'aside') row.dueAt = now
      for (const channel of new Set([...flowChannels, ...known.map(row => row.channel)]))
        tellOne(change, channel, flowChannels.includes(channel), now)
    },

    async outbox(channel, now, limit = 100, held = []) {
      const heads = new Set<string>()
      const due = [...rows.values()].filter(row => {
        if (row.channel !== channel || row.state === 'done' || held.includes(row.anomaly.flow)) return false
        if (row.state !== 'pending') return isDue(row, now) && !isRetired(row.anomaly.flow)
        if (heads.has(row.anomaly.id)) return false
        heads.add(row.anomaly.id)
        return isDue(row, now)
      })
      const rank = ({ state }: Row) => Number(state !== 'pending')
      return due
        .sort((a, b) => rank(a) - rank(b) || a.id - b.id)
        .slice(0, limit)
        .map(toMessage)
    },
    async delivered(id, at, again, identity) {
      const { row, channel } = rowOf(id)
      const last = acceptedOf(row)
      const isFirst = last?.message !== id
      if (isFirst) channel.delivered++
      if (anomaly(row.anomaly.id)) {
        const key = `${row.channel}\n${row.kind}`
        if (!accepted.has(row.anomaly.id)) accepted.set(row.anomaly.id, new Map())
        accepted.get(row.anomaly.id)!.set(key, {
          channel: row.channel,
          message: id,
          kind: row.kind,
          at: isFirst ? at : last.at,
          ...(identity !== undefined && { identity }),
        })
      }
      if (at - channel.failingSince >= FAILED_FOR_A_WHILE)
        for (const other of rows.values())
          if (other.channel === row.channel && other.attempts > 0 && other.dueAt > at) other.dueAt = at
      channel.lastDeliveredAt = at
      channel.lastError = undefined
      channel.failingSince = NaN
      channel.refusals = 0
      const isLast = rowsAbout(row.anomaly.id, row.channel).at(-1) === row
      row.state = again !== undefined && isLast ? 'resend' : 'done'
      row.dueAt = again ?? NaN
      row.doneAt = at
      row.attempts = 0
      row.error = undefined
    },
    async retry(id, at, again, error) {
      const { row, channel } = rowOf(id)
      row.attempts++
      row.dueAt = again
      row.error = error
      channel.lastError = error
      channel.failingSince = Number.isNaN(channel.failingSince) ? at : Math.min(channel.failingSince, at)
    },
    async setAside(id, at, again, error) {
      const { row, channel } = rowOf(id)
      const isLast = rowsAbout(row.anomaly.id, row.channel).at(-1) === row
      row.state = isLast ? 'aside' : 'done'
      row.attempts++
      row.dueAt = again ?? NaN
      row.doneAt = at
      row.error = error
      channel.lastError = error
      channel.refusals++
      if (channel.refusals >= REFUSALS_OF_A_FAILING_CHANNEL && Number.isNaN(channel.failingSince)) channel.failingSince = at
    },
    async skip(id, at) {
      const { row } = rowOf(id)
      row.state = 'done'
      row.doneAt = at
    },
    async abandon(id, at, error) {
      const { row, channel } = rowOf(id)
      row.state = 'done'
      row.doneAt = at
      row.error = error
      channel.abandoned++
      channel.lastError = error
    },

    async channels() {
      const all = [...rows.values()]
      return [...channels]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([channel, { delivered, abandoned, lastDeliveredAt, lastError, failingSince }]): ChannelState => {
          const pending = all.filter(row => row.channel === channel && row.state === 'pending')
          return {
            channel,
            pending: pending.length,
            oldestPendingAt: pending.length > 0 ? Math.min(...pending.map(row => row.createdAt)) : NaN,
            setAside: all.filter(row => row.channel === channel && row.state === 'aside').length,
            delivered,
            abandoned,
            lastDeliveredAt,
            lastError,
            failingSince,
          }
        })
    },
    async notifications(ids) {
      const list = ids.flatMap((id): Notification[] => [
        ...[...(accepted.get(id)?.values() ?? [])].map(({ channel, kind, at }) => ({
          anomaly: id,
          channel,
          kind,
          state: 'accepted' as const,
          at,
        })),
        ...rowsAbout(id).flatMap(({ channel, kind, state, createdAt, doneAt, error }): Notification[] =>
          state === 'pending' || state === 'aside'
            ? [
                {
                  anomaly: id,
                  channel,
                  kind,
                  ...(state === 'aside' ? { state: 'set aside', at: doneAt } : { state: 'pending', at: createdAt }),
                  ...(error !== undefined && { error }),
                },
              ]
            : [],
        ),
      ])
      return list.sort(byTime)
    },

    async hasten(channel, latest) {
      for (const row of rows.values())
        if (row.channel === channel && row.state !== 'done' && row.dueAt > latest) row.dueAt = latest
    },
    async endChannel(channel, because, at) {
      const open = [...about.keys()].flatMap(id => {
        const one = anomaly(id)
        return one?.status === 'open' && one.ignored === undefined ? [one] : []
      })
      return open.toSorted(byStart).filter(one => tellOne(withdrawn(one, at, because), channel, false, at)).length
    },
    async dropChannel(channel, because, at) {
      const waiting = [...rows.values()].filter(row => row.channel === channel && row.state !== 'done')
      const never = waiting.filter(row => row.state === 'pending')
      for (const row of waiting) row.state = 'done'
      for (const row of never) {
        row.doneAt = at
        row.error = because
      }
      const state = channels.get(channel)
      if (state && never.length > 0) {
        state.abandoned += never.length
        state.lastError = because
      }
      return never.length
    },

    prune(now) {
      for (const row of rows.values())
        if (
          row.doneAt < now - KEEP_MESSAGES &&
          (row.state === 'done' || row.state === 'aside') &&
          anomaly(row.anomaly.id)?.status !== 'open'
        ) {
          rows.delete(row.id)
          about.set(
            row.anomaly.id,
            rowsAbout(row.anomaly.id).filter(other => other !== row),
          )
        }
    },
    size: () => rows.size,
  }
}

function newChannel(): Channel {
  return { delivered: 0, abandoned: 0, lastDeliveredAt: NaN, lastError: undefined, failingSince: NaN, refusals: 0 }
}

function toAccepted({ kind, at, identity }: Accepted): Accepted {
  return { kind, at, ...(identity !== undefined && { identity }) }
}
