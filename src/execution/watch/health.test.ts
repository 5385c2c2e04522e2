import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE } from '../../duration.ts'
import type { ChannelState, FlowState } from '../../stores/store.ts'
import { calmWorld } from '../../testing/fake-server-parts.ts'
import { channelHealth, flowHealth } from './health.ts'

const NOW = 100 * HOUR
const run = calmWorld().runs[0]!

describe('a flow', () => {
  const health = (some: Partial<FlowState> = {}, startedAt?: number) =>
    flowHealth(
      { every: 5 * MINUTE },
      {
        flow: 'a',
        watermark: NOW,
        horizon: NaN,
        nextRunAt: NOW + MINUTE,
        lastRun: run,
        lastSuccessAt: NOW - MINUTE,
        failures: 0,
        ...some,
      },
      NOW,
      startedAt,
    )

  it('is well, or waits for its first run', () => {
    expect(health()).toBe('ok')
    expect(health({ lastRun: undefined })).toBe('waiting')
    expect(flowHealth({ every: MINUTE }, undefined, NOW)).toBe('waiting')
  })

  it('fails when its last run did, whatever else holds', () => {
    expect(health({ failures: 1 })).toBe('failing')
    expect(health({ failures: 1, nextRunAt: NOW - HOUR })).toBe('failing')
  })

  it('is late when it did not run for two of its periods and a minute, since the start of the process', () => {
    expect(health({ nextRunAt: NOW - 11 * MINUTE })).toBe('ok')
    expect(health({ nextRunAt: NOW - 11 * MINUTE - 1 })).toBe('late')
    expect(health({ nextRunAt: NOW - HOUR }, NOW - 11 * MINUTE)).toBe('ok')
    expect(health({ nextRunAt: NOW - HOUR }, NOW - 11 * MINUTE - 1)).toBe('late')
  })

  it('has no data when its last run found none', () => {
    expect(health({ lastRun: { ...run, series: 0 } })).toBe('no-data')
  })
})

describe('a channel', () => {
  const health = (some: Partial<ChannelState> = {}) =>
    channelHealth({
      channel: 'oncall',
      pending: 0,
      oldestPendingAt: NaN,
      setAside: 0,
      delivered: 0,
      abandoned: 0,
      lastDeliveredAt: NaN,
      lastError: undefined,
      failingSince: NaN,
      ...some,
    })

  it('is idle until it is sent something', () => {
    expect(channelHealth(undefined)).toBe('idle')
    expect(health()).toBe('idle')
  })

  it.each(['pending', 'setAside', 'delivered', 'abandoned'] as const)('is well with messages that are %s', key => {
    expect(health({ [key]: 1 })).toBe('ok')
  })

  it('fails while it accepts nothing', () => {
    expect(health({ delivered: 5, failingSince: NOW })).toBe('failing')
  })
})
