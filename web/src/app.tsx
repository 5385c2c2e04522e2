import { AnomalyCard } from './anomaly-card.tsx'
import type { AnomalyWire, StatusWire } from './api.ts'
import { formatDay } from './format.ts'
import { Header } from './header.tsx'
import { Quiet } from './quiet.tsx'
import { connection, linked, linkedId, now, picture, refusal, SELF_WATCH } from './state.ts'
import { Time } from './time.tsx'
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
        {connection.value === 'refused' && <Refused />}
        {seen && <Impaired problems={seen.status.problems} />}
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
  const { open: all, recent } = picture.value!
  // What is wrong with the watch itself stands above, with its reasons.
  const open = all.filter(({ flow }) => flow !== SELF_WATCH)
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

/** Parts of the watch that do not work: what they would find is not seen, so that this stands above what is seen. */
function Impaired({ problems }: { problems: StatusWire['problems'] }) {
  if (problems.length === 0) return null
  return (
    <section class="notice trouble" role="alert" aria-labelledby="impaired">
      <h2 id="impaired">The watch is impaired</h2>
      <ul>
        {problems.map(({ component, name, reason, since }) => (
          <li key={`${component} ${name}`}>
            The {component}
            {component !== name && (
              <>
                {' '}
                <b>{name}</b>
              </>
            )}{' '}
            {reason}{' '}
            <span class="since">
              (since <Time at={since} />)
            </span>
          </li>
        ))}
      </ul>
    </section>
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

/** It answers, but not with what was asked for: the credentials are not valid any more, say. */
function Refused() {
  const { status, message } = refusal.value!
  return (
    <p class="notice trouble" role="alert">
      <strong>{status === 401 ? 'Your credentials are not accepted.' : `Tidewatch answers with the error ${status}.`}</strong>{' '}
      {status === 401 ? 'Load this page again to enter them.' : `${message}.`}{' '}
      {picture.value ? 'What you see is what was known last.' : ''}
    </p>
  )
}

/** The hash belongs to the address of an anomaly, so the link moves the focus itself. */
function skip(event: Event) {
  event.preventDefault()
  document.querySelector<HTMLElement>('#main')?.focus()
}
