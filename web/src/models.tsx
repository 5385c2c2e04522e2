import { useState } from 'preact/hooks'
import { ApiError, type FailedFitWire, type FitWire, type ModelWire, restoreModel } from './api.ts'
import { formatNumber, formatSpan, plural } from './format.ts'
import { refresh } from './live.ts'
import { Time } from './time.tsx'

interface Learned {
  readonly models: readonly ModelWire[]
  readonly fits: readonly FitWire[]
  readonly failed: readonly FailedFitWire[]
}

/** What the learned detectors of one flow have learned, what is being fitted and what could not be; nothing where there is nothing. */
export function Models({ models, fits, failed }: Learned) {
  if (models.length === 0 && fits.length === 0 && failed.length === 0) return null
  const workloads = byWorkload(models)
  const inForce = models.filter(({ status }) => status === 'in force').length
  return (
    <div class="models">
      {fits.map(fit => (
        <Fit key={`${fit.detector} ${fit.series}`} fit={fit} />
      ))}
      {failed.map(({ detector, series, error, until }) => (
        <p class="error" key={`${detector} ${series}`}>
          {detector} of <code>{series}</code> was not fitted: {error}; again <Time at={until} relative />
        </p>
      ))}
      {workloads.length > 0 && (
        <details>
          <summary>{plural(inForce, 'model')} in force</summary>
          {workloads.map(([name, versions]) => (
            <Workload key={name} versions={versions} />
          ))}
        </details>
      )}
    </div>
  )
}

const WHY = { first: 'first fit', schedule: 'on schedule', drift: 'after drift' } as const

function Fit({ fit }: { fit: FitWire }) {
  const share = Math.round(100 * fit.done)
  return (
    <p class="fit">
      <span>
        fitting <b>{fit.detector}</b> of <code>{fit.series}</code>, {WHY[fit.reason]}, since <Time at={fit.startedAt} relative />
      </span>
      <span class="fit-done">
        <progress value={fit.done} max={1} aria-label={`Fit of ${fit.detector} of ${fit.series}`} />
        {share} %
      </span>
    </p>
  )
}

/** The models of one workload, newest first. */
function Workload({ versions }: { versions: readonly ModelWire[] }) {
  const { detector, series } = versions[0]!
  return (
    <section class="workload" aria-label={`Models of ${detector} of ${series}`}>
      <h4>
        {detector} of <code>{series}</code>
      </h4>
      <ul>
        {versions.map(model => (
          <Version key={model.version} model={model} />
        ))}
      </ul>
    </section>
  )
}

function Version({ model }: { model: ModelWire }) {
  const { version, status, usable, reason, createdAt, inForceSince, rows, start, end, validation, current } = model
  const isInForce = status === 'in force'
  return (
    <li class={isInForce ? 'version in-force' : 'version'}>
      <span class="version-name">
        <span class="dot" aria-hidden="true" />
        <b>{version}</b>
        <span class="health">{status}</span>
      </span>
      <span class="row-facts">
        <span>{WHY[reason]}</span>
        <span>
          {isInForce && inForceSince !== null ? (
            <>
              since <Time at={inForceSince} />
            </>
          ) : (
            <Time at={createdAt} />
          )}
        </span>
        <span>
          {plural(rows, 'row')} of {formatSpan(end - start)}
        </span>
        <span title="Error on rows that the fit had not learned, against that of the model then in force; lower is better">
          error {formatNumber(validation)}
          {current !== null && <> against {formatNumber(current)}</>}
        </span>
        {!usable && <span>of another configuration</span>}
      </span>
      {!isInForce && usable && <TakeBack model={model} />}
    </li>
  )
}

function TakeBack({ model }: { model: ModelWire }) {
  const [state, setState] = useState<'idle' | 'asking' | { readonly refused: string }>('idle')
  const ask = async () => {
    setState('asking')
    try {
      await restoreModel(model)
      refresh()
      setState('idle')
    } catch (error) {
      setState({ refused: error instanceof ApiError ? error.message : 'The server did not answer.' })
    }
  }
  return (
    <>
      <button
        type="button"
        class="copy"
        disabled={state === 'asking'}
        onClick={ask}
        aria-label={`Put model ${model.version} of ${model.detector} of ${model.series} in force`}
      >
        put in force
      </button>
      {typeof state === 'object' && (
        <p class="error" role="alert">
          {state.refused}
        </p>
      )}
    </>
  )
}

function byWorkload(models: readonly ModelWire[]): [string, ModelWire[]][] {
  const workloads = new Map<string, ModelWire[]>()
  for (const model of models) {
    const name = `${model.detector} ${model.series}`
    workloads.set(name, [...(workloads.get(name) ?? []), model])
  }
  return [...workloads].sort(([a], [b]) => (a < b ? -1 : 1))
}
