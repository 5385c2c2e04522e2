import { plural } from './format.ts'
import { picture } from './state.ts'
import { Time } from './time.tsx'

/** What is shown when nothing is odd: what is being watched, since when, and up to when it was looked at. */
export function Quiet() {
  const { status, flows, recent } = picture.value!
  const looked = Math.max(...flows.map(({ lastSuccessAt }) => lastSuccessAt ?? 0))
  const isImpaired = status.problems.length > 0 || flows.some(({ health }) => ['failing', 'late', 'no-data'].includes(health))
  const last = recent.find(({ ignored }) => ignored === null)
  return (
    <section class="quiet" aria-label="Nothing is odd">
      <svg viewBox="0 0 240 64" aria-hidden="true">
        <path
          class="band"
          d="M0 34C20 10 40 10 60 30s40 20 60 0 40-20 60 0 40 20 60 4v20c-20 12-40 12-60-4s-40-20-60 0-40 20-60 0-40-20-60 4Z"
        />
        <path class="tide" d="M0 44C20 22 40 20 60 40s40 20 60 0 40-20 60 0 40 20 60 6" />
      </svg>
      <div>
        {flows.length === 0 ? (
          <p class="lead">No flow is configured, so nothing is being watched.</p>
        ) : (
          <p class="lead">
            {looked === 0
              ? 'The first look is still to come.'
              : isImpaired && status.series === 0
                ? 'Nothing can be seen now.'
                : isImpaired
                  ? 'What can be seen follows its tide.'
                  : last
                    ? 'Everything follows its tide.'
                    : 'Everything has followed its tide so far.'}
          </p>
        )}
        {flows.length > 0 && (
          <p>
            {plural(status.series, 'series', 'series')} in {plural(flows.length, 'flow')}, watched since{' '}
            <Time at={status.startedAt} />
            {looked > 0 && (
              <>
                , last looked at <Time at={looked} relative />
              </>
            )}
            .
            {last && (
              <>
                {' '}
                The last odd thing ended <Time at={last.end} relative />.
              </>
            )}
          </p>
        )}
        {flows.length > 0 && (
          <ul class="chips">
            {flows.map(({ name, summary, expr }) => (
              <li class="chip" key={name} title={summary ?? expr}>
                {name}
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  )
}
