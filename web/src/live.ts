import type { AnomalyWire } from './api.ts'
import { ApiError, readAnomalies, readChannels, readFlows, readModels, readSources, readStatus } from './api.ts'
import { connection, now, picture, refusal } from './state.ts'

/** A safety net under the event stream, and the rhythm without it. */
const POLL_LIVE = 60_000
const POLL_BLIND = 8_000
const MOST_OPEN = 200
const MOST_RECENT = 60

/** Reads the picture now: after a change that was made here. */
export let refresh = () => {}

/** Reads the picture now, on every change that the server tells of, and now and then. */
export function followServer(): void {
  let told = false
  let behind = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let reading: Promise<void> | undefined
  let again = false

  const readAll = async () => {
    try {
      const [status, open, resolved, withdrawn, flows, sources, channels, models] = await Promise.all([
        readStatus(),
        readAnomalies('open', MOST_OPEN),
        readAnomalies('resolved', MOST_RECENT),
        readAnomalies('withdrawn', MOST_RECENT),
        readFlows(),
        readSources(),
        readChannels(),
        readModels(),
      ])
      behind = status.now - Date.now()
      now.value = status.now
      const recent = merge(resolved, withdrawn)
      picture.value = { status, open, recent, flows, sources, channels, models }
      connection.value = told ? 'live' : 'polling'
    } catch (error) {
      refusal.value = error instanceof ApiError ? { status: error.status, message: error.message } : undefined
      connection.value = refusal.value ? 'refused' : 'down'
    }
  }

  /** Changes that come while reading are read once more after it, not side by side. */
  refresh = () => {
    if (reading) {
      again = true
      return
    }
    clearTimeout(timer)
    reading = readAll().then(() => {
      reading = undefined
      timer = setTimeout(refresh, again ? 200 : told && connection.value === 'live' ? POLL_LIVE : POLL_BLIND)
      again = false
    })
  }

  const listen = () => {
    const events = new EventSource('./api/v1/events')
    events.addEventListener('ping', () => {
      const back = !told
      told = true
      if (back) refresh()
    })
    events.addEventListener('change', refresh)
    events.addEventListener('error', () => {
      const lost = told
      told = false
      if (lost) refresh()
      if (events.readyState === EventSource.CLOSED) setTimeout(listen, POLL_BLIND)
    })
  }

  refresh()
  listen()
  addEventListener('online', refresh)
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && refresh())
  setInterval(() => {
    now.value = Date.now() + behind
  }, 5_000)
}

/** What is over, newest first; of what was withdrawn, only what has a reason to read or somebody was notified of. */
function merge(resolved: readonly AnomalyWire[], withdrawn: readonly AnomalyWire[]): AnomalyWire[] {
  const worthReading = withdrawn.filter(({ withdrawnBecause, notified }) => withdrawnBecause !== null || notified.length > 0)
  return [...resolved, ...worthReading].sort((a, b) => b.start - a.start).slice(0, MOST_RECENT)
}
