import { plural } from './format.ts'
import { connection, picture } from './state.ts'
import { Time } from './time.tsx'

/** Name, state in a sentence, and what is watched. */
export function Header() {
  const { mood, sentence, detail } = describeState()
  const seen = picture.value
  return (
    <header class={`top ${mood}`}>
      <div class="wide">
        <div class="bar">
          <a class="name" href="#/" aria-label="Tidewatch, what is odd now">
            <svg viewBox="0 0 32 20" aria-hidden="true">
              <path d="M2 9c5 0 5-6 9-6s5 6 10 6 5-6 9-6" />
              <path d="M2 16c5 0 5-5 9-5s5 5 10 5 5-5 9-5" opacity=".55" />
            </svg>
            Tidewatch
          </a>
          <Line />
        </div>
        <h1 aria-live="polite">
          <span class="mood" aria-hidden="true" />
          {sentence}
        </h1>
        <p class="detail">
          {detail}
          {seen && (
            <>
              {detail && ' '}
              Watching {plural(seen.status.series, 'series', 'series')} in {plural(seen.status.flows.total, 'flow')} since{' '}
              <Time at={seen.status.startedAt} />.
            </>
          )}
        </p>
      </div>
      <svg class="waves" viewBox="0 0 2400 60" preserveAspectRatio="none" aria-hidden="true">
        <path class="far" d={wave(22, 9)} />
        <path class="near" d={wave(38, 7)} />
      </svg>
    </header>
  )
}

function Line() {
  const words = { loading: 'connecting', live: 'live', polling: 'every few seconds', refused: 'refused', down: 'no answer' }
  return (
    <span class={`line ${connection.value}`} title="How this page follows the server">
      {words[connection.value]}
    </span>
  )
}

/** The sentence above all: anomalies first, then trouble of the watch itself, which could hide them. */
function describeState(): { mood: 'calm' | 'odd' | 'trouble' | 'unknown'; sentence: string; detail: string } {
  const seen = picture.value
  if (connection.value === 'down') return { mood: 'trouble', sentence: 'No answer from the watch', detail: '' }
  if (connection.value === 'refused') return { mood: 'trouble', sentence: 'The watch does not answer this page', detail: '' }
  if (!seen) return { mood: 'unknown', sentence: 'Looking at the water…', detail: '' }
  const { open, ready, reasons, problems, flows, sources, channels } = seen.status
  const withoutData = seen.flows.filter(({ health }) => health === 'no-data').length
  const broken = [
    flows.failing > 0 && `${plural(flows.failing, 'flow')} failing`,
    sources.failing > 0 && `${plural(sources.failing, 'source')} not answering`,
    channels.failing > 0 && `${plural(channels.failing, 'channel')} not delivering`,
    withoutData > 0 && `${plural(withoutData, 'flow')} without data`,
  ].filter(part => part !== false)
  const isImpaired = broken.length > 0 || problems.length > 0
  const blind = broken.length > 0 ? `Not all can be seen or reported: ${broken.join(', ')}.` : ''
  if (open > 0)
    return { mood: 'odd', sentence: open === 1 ? 'One thing is odd now' : `${open} things are odd now`, detail: blind }
  if (!ready)
    return { mood: 'trouble', sentence: 'The watch is not ready', detail: problems.length > 0 ? '' : `${reasons.join('; ')}.` }
  if (isImpaired) return { mood: 'trouble', sentence: 'Nothing odd is seen', detail: blind }
  return { mood: 'calm', sentence: 'Nothing is odd now', detail: '' }
}

/** Three times the width of the view, so that it can drift by one period without an edge. */
function wave(height: number, size: number): string {
  const period = 300
  const crests = Array.from({ length: 10 }, (_, i) => {
    const x = i * period
    return `C${x + 75} ${height - size} ${x + 75} ${height - size} ${x + 150} ${height} S${x + 225} ${height + size} ${x + 300} ${height}`
  })
  return `M0 ${height} ${crests.join(' ')} V60 H0Z`
}
