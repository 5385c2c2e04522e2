import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { FlowWire } from './api.ts'
import { formatSpan, plural } from './format.ts'
import { Models } from './models.tsx'
import type { Picture } from './state.ts'
import { Time } from './time.tsx'

/** Health of the watch itself: flows, sources, channels. */
export function Watch({ picture }: { picture: Picture }) {
  const { status, flows, sources, channels, models } = picture
  return (
    <section class="watch" aria-labelledby="watch">
      <h2 id="watch">The watch</h2>
      <Group name="Flows" none="No flow is configured.">
        {flows.map(flow => (
          <Row
            key={flow.name}
            name={flow.name}
            health={flow.health}
            error={flow.lastError}
            warnings={warningsOf(flow)}
            note={<code>{flow.expr}</code>}
            below={
              <Models
                models={models.filter(model => model.flow === flow.name)}
                fits={status.fits.running.filter(fit => fit.flow === flow.name)}
                failed={status.fits.failed.filter(fit => fit.flow === flow.name)}
              />
            }
          >
            <span>{plural(flow.series, 'series', 'series')}</span>
            <span>{flow.cron ?? `every ${formatSpan(flow.every)}`}</span>
            <span>
              {flow.lastSuccessAt === null ? (
                'no good run yet'
              ) : (
                <>
                  good run <Time at={flow.lastSuccessAt} relative />
                </>
              )}
            </span>
            {flow.request && <Copy text={flow.request} of={flow.name} />}
          </Row>
        ))}
      </Group>
      <div class="pair">
        <Group name="Sources" none="No source is configured.">
          {sources.map(source => (
            <Row
              key={source.name}
              name={source.name}
              health={source.checkedAt === null ? 'waiting' : source.ok ? 'ok' : 'failing'}
              error={source.error}
            >
              <span>{source.type}</span>
              <span>
                {source.checkedAt === null ? (
                  'not asked yet'
                ) : (
                  <>
                    asked <Time at={source.checkedAt} relative />
                  </>
                )}
              </span>
            </Row>
          ))}
        </Group>
        <Group name="Channels" none="No channel is configured, so nobody is notified.">
          {channels.map(channel => (
            <Row
              key={channel.name}
              name={channel.name}
              health={channel.health}
              error={channel.health === 'failing' ? channel.lastError : null}
            >
              <span>{channel.type}</span>
              <span>{channel.delivered} delivered</span>
              {channel.failingSince !== null && (
                <span>
                  failing since <Time at={channel.failingSince} />
                </span>
              )}
              {channel.pending > 0 && <span>{channel.pending} waiting</span>}
              {channel.setAside > 0 && (
                <span title="Their content was refused; each is tried again when its anomaly changes">
                  {channel.setAside} set aside
                </span>
              )}
              {channel.abandoned > 0 && <span>{channel.abandoned} given up</span>}
              {channel.lastDeliveredAt !== null && (
                <span>
                  last <Time at={channel.lastDeliveredAt} relative />
                </span>
              )}
            </Row>
          ))}
        </Group>
      </div>
    </section>
  )
}

function Group({ name, none, children }: { name: string; none: string; children: ComponentChildren[] }) {
  return (
    <div class="group">
      <h3>{name}</h3>
      {children.length === 0 ? <p class="none">{none}</p> : <ul>{children}</ul>}
    </div>
  )
}

function Row(props: {
  name: string
  health: string
  error: string | null
  warnings?: readonly string[]
  note?: ComponentChildren
  below?: ComponentChildren
  children: ComponentChildren
}) {
  const { name, health, error, warnings = [], note, below, children } = props
  return (
    <li class={`row ${health}`}>
      <span class="row-name">
        <span class="dot" aria-hidden="true" />
        <b>{name}</b>
        <span class="health">{health.replace('-', ' ')}</span>
      </span>
      {note && <span class="note">{note}</span>}
      <span class="row-facts">{children}</span>
      {error && <p class="error">{error}</p>}
      {warnings.map(warning => (
        <p class="warning" key={warning}>
          {warning}
        </p>
      ))}
      {below}
    </li>
  )
}

const MOST_WARNINGS = 3

/** What the last run says of the data that it read. */
function warningsOf({ health, lastRun }: FlowWire): string[] {
  const warnings = [
    ...(health === 'no-data' ? ['The query found no series with data: look at its metric, labels and range.'] : []),
    ...(lastRun?.diagnostics ?? []).flatMap(({ level, message }) => (level === 'warning' ? [message] : [])),
  ]
  const more = warnings.length - MOST_WARNINGS
  return more <= 0 ? warnings : [...warnings.slice(0, MOST_WARNINGS), `${plural(more, 'more warning')} of this run in the API`]
}

function Copy({ text, of }: { text: string; of: string }) {
  const [state, setState] = useState<'copy curl' | 'copied' | 'copy failed'>('copy curl')
  const copy = async () => {
    setState((await write(text)) ? 'copied' : 'copy failed')
    setTimeout(setState, 2000, 'copy curl')
  }
  return (
    <button type="button" class="copy" onClick={copy} title={text} aria-label={`Copy the last query of ${of} as curl`}>
      <span aria-live="polite">{state}</span>
    </button>
  )
}

/** The clipboard is closed to pages that are not on https or this machine; the old way still works there. */
async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement('textarea')
    area.value = text
    document.body.append(area)
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    return done
  }
}
