import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { listenToStopSignals } from './stop-signals.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function setUp() {
  const lines: string[] = []
  const codes: number[] = []
  const ending = Object.assign(new EventEmitter(), { exit: (code: number) => void codes.push(code) })
  return { lines, codes, ending, stop: listenToStopSignals((_level, line) => lines.push(line), ending) }
}

describe('signals that stop a server', () => {
  it('ask it to stop, and leave it its time', () => {
    const { lines, codes, ending, stop } = setUp()
    expect(stop.signal.aborted).toBe(false)
    ending.emit('SIGTERM')
    expect(stop.signal.aborted).toBe(true)
    vi.advanceTimersByTime(19_999)
    stop.dispose()
    vi.advanceTimersByTime(60_000)
    expect(codes).toEqual([])
    expect(lines).toEqual(['stopping'])
  })

  it('end the process when something does not close', () => {
    const { lines, codes, ending } = setUp()
    ending.emit('SIGINT')
    vi.advanceTimersByTime(20_000)
    expect(codes).toEqual([1])
    expect(lines).toEqual(['stopping', 'stopped at once: not everything ended within 20s'])
  })

  it('end the process at once when they come twice', () => {
    const { lines, codes, ending } = setUp()
    ending.emit('SIGINT')
    ending.emit('SIGTERM')
    expect(codes).toEqual([1])
    expect(lines).toEqual(['stopping', 'stopped at once: a second signal came'])
  })
})
