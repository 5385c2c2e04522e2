import { useEffect, useRef } from 'preact/hooks'
import { anomalyAddress } from './address.ts'
import type { AnomalyWire } from './api.ts'
import { Chart } from './chart.tsx'
import { formatNumber, formatSpan } from './format.ts'
import { linkedId, now, SELF_WATCH } from './state.ts'
import { Time } from './time.tsx'

/** All that a person asks of one anomaly. */
export function AnomalyCard({ anomaly }: { anomaly: AnomalyWire }) {
  const card = useRef<HTMLElement>(null)
  const isLinked = linkedId.value === anomaly.id
  useEffect(() => {
    if (!isLinked) return
    card.current?.scrollIntoView({ block: 'start' })
    card.current?.focus({ preventScroll: true })
  }, [isLinked])

  const open = anomaly.status === 'open'
  const title = `anomaly-${anomaly.id}`
  return (
    <article
      ref={card}
      class={`card ${open ? 'open' : 'ended'} ${anomaly.ignored === null ? '' : 'ignored'} ${isLinked ? 'linked' : ''}`}
      aria-labelledby={title}
      tabIndex={-1}
    >
      <div class="meta">
        <span class={`badge ${open ? 'odd' : ''}`}>{open ? 'open' : anomaly.status}</span>
        {anomaly.shape && <span class="shape">{anomaly.shape.replaceAll('-', ' ')}</span>}
        {anomaly.annotations.severity && open && <span class="shape">{anomaly.annotations.severity}</span>}
        <a class="when" href={anomalyAddress(anomaly.id)} aria-label="Link to this anomaly">
          <Time at={beginOf(anomaly)} /> · <Time at={beginOf(anomaly)} relative />
        </a>
      </div>
      <h3 class="sentence" id={title}>
        {anomaly.sentence ?? `${anomaly.series} is not as expected.`}
      </h3>
      {anomaly.flow !== SELF_WATCH && (
        <>
          <Chart anomaly={anomaly} />
          <Numbers anomaly={anomaly} />
        </>
      )}
      <dl class="facts">
        <Fact name="flow">{anomaly.flow}</Fact>
        <Fact name="detector">{anomaly.detector}</Fact>
        <Fact name="series">
          <ul class="chips">
            {Object.entries(anomaly.labels).map(([name, value]) => (
              <li class="chip" key={name}>
                <b>{name === '__name__' ? 'metric' : name}</b> {value}
              </li>
            ))}
            {Object.keys(anomaly.labels).length === 0 && <li class="chip">the only one of its flow</li>}
          </ul>
        </Fact>
        {anomaly.annotations.owner && <Fact name="owner">{anomaly.annotations.owner}</Fact>}
        {anomaly.annotations.runbook && (
          <Fact name="runbook">
            <Runbook address={anomaly.annotations.runbook} />
          </Fact>
        )}
        {anomaly.withdrawnBecause !== null && <Fact name="withdrawn">{anomaly.withdrawnBecause}</Fact>}
        <Fact name="notified">
          <Delivery anomaly={anomaly} />
        </Fact>
      </dl>
    </article>
  )
}

/** Epoch ms. Missing data is anomalous only after a while; it begins with the last sample, as its sentence says. */
function beginOf({ numbers, start }: AnomalyWire): number {
  return numbers.since ?? start
}

function Numbers({ anomaly }: { anomaly: AnomalyWire }) {
  const { current, expected, lower, upper, strength, ongoing, end } = anomaly
  const start = beginOf(anomaly)
  const duration = (ongoing ? Math.max(end, now.value) : end) - start
  const band = lower === null && upper === null ? '–' : `${formatNumber(lower)} … ${formatNumber(upper)}`
  return (
    <dl class="numbers">
      <div class="strong">
        <dt>{anomaly.status === 'open' ? 'At its peak' : 'Peak'}</dt>
        <dd>{current === null ? 'no data' : formatNumber(current)}</dd>
      </div>
      <div>
        <dt>Expected</dt>
        <dd>{formatNumber(expected)}</dd>
      </div>
      <div>
        <dt>Band</dt>
        <dd>{band}</dd>
      </div>
      <div title="Multiples of the limit: 1 is just strange enough">
        <dt>Strength</dt>
        <dd>{strength === null ? '–' : `${formatNumber(strength)}×`}</dd>
      </div>
      <div>
        <dt>Since</dt>
        <dd>
          <Time at={start} />
        </dd>
      </div>
      <div>
        <dt>{ongoing ? 'For' : 'Lasted'}</dt>
        <dd>{formatSpan(duration)}</dd>
      </div>
    </dl>
  )
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** Who accepted a message about it and when, and who has not yet. */
function Delivery({ anomaly }: { anomaly: AnomalyWire }) {
  const { ignored, notified, undelivered } = anomaly
  if (notified.length === 0 && undelivered.length === 0) return <>nobody{ignored !== null && `: ${ignored}`}</>
  return (
    <ul class="chips">
      {notified.map(({ channel, kind, at }) => (
        <li class="chip" key={`${channel} ${kind}`}>
          <b>{channel}</b> {kind} <Time at={at} />
        </li>
      ))}
      {undelivered.map(({ channel, kind, state, error }) => (
        <li class={`chip ${error === null ? '' : 'bad'}`} key={`${channel} ${kind} ${state}`} title={error ?? undefined}>
          <b>{channel}</b> {kind},{' '}
          {state === 'set aside' ? 'refused, set aside' : error === null ? 'to be sent' : 'not accepted yet'}
        </li>
      ))}
    </ul>
  )
}

/** A link only where it leads to a web page; anything else is text. */
function Runbook({ address }: { address: string }) {
  if (!/^https?:\/\//i.test(address)) return <>{address}</>
  return (
    <a href={address} rel="noreferrer noopener" target="_blank">
      {address.replace(/^https?:\/\//i, '')}
    </a>
  )
}
