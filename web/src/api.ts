import type {
  AnomalyWire,
  ChannelWire,
  ChartWire,
  FailedFitWire,
  FitWire,
  FlowWire,
  ModelWire,
  SourceWire,
  StatusWire,
} from '../../src/server/wire.ts'

export type { AnomalyWire, ChannelWire, ChartWire, FailedFitWire, FitWire, FlowWire, ModelWire, SourceWire, StatusWire }

/** An answer that is an error of the API, as opposed to no answer at all. */
export class ApiError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Longer than any answer takes; shorter than a person waits. */
const PATIENCE = 15_000

async function read<Answer>(path: string, options: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`./api/v1/${path}`, { ...options, signal: AbortSignal.timeout(PATIENCE) })
  if (response.ok) return (await response.json()) as Answer
  const body = (await response.json().catch(() => undefined)) as { error?: { message?: string } } | undefined
  throw new ApiError(response.status, body?.error?.message ?? response.statusText)
}

export const readStatus = () => read<StatusWire>('status')
export const readAnomalies = (status: AnomalyWire['status'], limit: number) =>
  read<{ anomalies: AnomalyWire[] }>(`anomalies?status=${status}&limit=${limit}&ignored=true`).then(({ anomalies }) => anomalies)
export const readAnomaly = (id: string) => read<AnomalyWire>(`anomalies/${encodeURIComponent(id)}`)
export const readChart = (id: string, points: number) =>
  read<ChartWire>(`anomalies/${encodeURIComponent(id)}/chart?points=${points}`)
export const readFlows = () => read<{ flows: FlowWire[] }>('flows').then(({ flows }) => flows)
export const readSources = () => read<{ sources: SourceWire[] }>('sources').then(({ sources }) => sources)
export const readChannels = () => read<{ channels: ChannelWire[] }>('channels').then(({ channels }) => channels)
/** The newest; those of a thousand workloads are for programs. */
export const readModels = () => read<{ models: ModelWire[] }>('models?limit=200').then(({ models }) => models)
export const restoreModel = ({ flow, detector, version, workload }: ModelWire) =>
  read<ModelWire>(`models/${encodeURIComponent(flow)}/${encodeURIComponent(detector)}/${version}/restore`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ workload }),
  })
