import { effect } from '@preact/signals'
import { ApiError, readAnomaly } from './api.ts'
import { linked, linkedId, picture } from './state.ts'

/** Keeps `linkedId` and `linked` true to the address: `#/anomalies/ID`. */
export function followAddress(): void {
  const look = () => {
    const [, id] = /^#\/anomalies\/([^/]+)$/.exec(location.hash) ?? []
    linked.value = undefined
    linkedId.value = id === undefined ? undefined : decode(id)
  }
  addEventListener('hashchange', look)
  look()

  effect(() => {
    const id = linkedId.value
    const { open, recent } = picture.value ?? {}
    if (id === undefined || !open || !recent) return
    if ([...open, ...recent].some(anomaly => anomaly.id === id)) linked.value = undefined
    else readLinked(id)
  })
}

async function readLinked(id: string): Promise<void> {
  try {
    const anomaly = await readAnomaly(id)
    if (linkedId.value === id) linked.value = anomaly
  } catch (error) {
    const gone = error instanceof ApiError && (error.status === 404 || error.status === 400)
    if (linkedId.value === id)
      linked.value = { missing: gone ? 'There is no such anomaly; it may be older than what is kept.' : 'It could not be read.' }
  }
}

export function anomalyAddress(id: string): string {
  return `#/anomalies/${encodeURIComponent(id)}`
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
