import { AnomalyCard } from './anomaly-card.tsx'
import type { AnomalyWire } from './api.ts'
import { formatDay } from './format.ts'
import { Header } from './header.tsx'
import { Quiet } from './quiet.tsx'
import { connection, linked, linkedId, now, picture } from './state.ts'
import { Watch } from './watch.tsx'

export function App() {
  const seen = picture.value
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to what is odd
      </a>
      <Header />
      <main id="main" tabIndex={-1} aria-busy={!seen && connection.value === 'loading'}>
        {connection.value === 'down' && <Down />}
        {seen ? <Anomalies /> : connection.value === 'loading' && <Loading />}
        {seen && <Watch picture={seen} />}
      </main>
      <footer>
        <span>Tidewatch {seen?.status.version}</span>
        <a href="./api/v1/openapi.json">API</a>
        <a href="./metrics">Metrics</a>
      </footer>
    </>
  )
}

function Anomalies() {
  const { open, recent } = picture.value!
  return (
    <>
      <Linked />
      {open.length > 0 && (
        <section aria-labelledby="open">
          <h2 id="open">Odd now</h2>
          {[...open].sort(tellFirst).map(anomaly => (
            <AnomalyCard key={anomaly.id} anomaly={anomaly} />
          ))}
        </section>
      )}
      {open.length === 0 && <Quiet />}
      {recent.length > 0 && (
        <section aria-labelledby="recent">
          <h2 id="recent">Recently odd</h2>
          {byDay(recent).map(([day, anomalies]) => (
            <div class="day" key={day}>
              <h3 class="day-name">{day}</h3>
              {anomalies.map(anomaly => (
                <AnomalyCard key={anomaly.id} anomaly={anomaly} />
              ))}
            </div>
          ))}
        </section>
      )}
    </>
  )
}

/** Those that people are told of before those that they are not, the strongest first. */
function tellFirst(a: AnomalyWire, b: AnomalyWire): number {
  return Number(a.ignored !== null) - Number(b.ignored !== null) || (b.strength ?? 0) - (a.strength ?? 0)
}

function byDay(anomalies: readonly AnomalyWire[]): [string, AnomalyWire[]][] {
  const days = new Map<string, AnomalyWire[]>()
  for (const anomaly of anomalies) {
    const day = formatDay(anomaly.start, now.value)
    days.set(day, [...(days.get(day) ?? []), anomaly])
  }
  return [...days]
}

/** The anomaly of the address, when it is in neither list. */
function Linked() {
  const found = linked.value
  if (!found || linkedId.value === undefined) return null
  return (
    <section aria-labelledby="linked">
      <h2 id="linked">From your link</h2>
      {'missing' in found ? (
        <p class="notice" role="status">
          {found.missing} <a href="#/">Show what is odd now</a>
        </p>
      ) : (
        <AnomalyCard anomaly={found} />
      )}
    </section>
  )
}

function Loading() {
  return (
    <div role="status" class="loading">
      <span class="hidden">Reading what is odd…</span>
      {[0, 1].map(i => (
        <div class="card skeleton" key={i} aria-hidden="true">
          <i class="short" />
          <i class="long" />
          <i class="block" />
        </div>
      ))}
    </div>
  )
}

function Down() {
  return (
    <p class="notice trouble" role="alert">
      <strong>Tidewatch does not answer.</strong> {picture.value ? 'What you see is what was known last. ' : ''}
      Trying again every few seconds.
    </p>
  )
}

/** The hash belongs to the address of an anomaly, so the link moves the focus itself. */
function skip(event: Event) {
  event.preventDefault()
  document.querySelector<HTMLElement>('#main')?.focus()
}
