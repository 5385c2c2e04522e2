import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { readConfiguration } from '../../src/cli/read-configuration.ts'
import { openStore } from '../../src/cli/serve.ts'
import { keepHeapSmall } from '../../src/cli/small-heap.ts'
import { startService } from '../../src/execution/service.ts'
import { STEP } from './load.ts'

/** What the process of the service needs at one time of its clock. */
export interface Sample {
  /** ms of the service's clock since its start. */
  readonly time: number
  readonly bytes: number
  readonly rss: number
  /** The most that the process ever held. */
  readonly peak: number
}

/** Bytes of a store with all that SQLite keeps beside it. */
export function storeBytes(path: string): number {
  return ['', '-wal', '-shm'].reduce((sum, end) => sum + (statSync(path + end, { throwIfNoEntry: false })?.size ?? 0), 0)
}

/** The configuration of the bench: one flow with everything that is the default. */
export function configurationText(url: string, expr: string, port: number): string {
  return `
sources: { prom: { type: prometheus, url: '${url}' } }
server: { listen: '127.0.0.1:${port}' }
flows:
  - { name: footprint, every: 2s, query: { source: prom, expr: ${expr}, step: 2s }, delay: 0s }
`
}

/** Runs the service on a clock that goes on by a step as soon as the flow has run; sends a sample each minute of that clock. */
async function main(url: string, expr: string, start: number, length: number): Promise<void> {
  // As `serve` does.
  keepHeapSmall()
  const folder = mkdtempSync(join(tmpdir(), 'tidewatch-footprint-'))
  const path = join(folder, 'tidewatch.db')
  const file = join(folder, 'tidewatch.yaml')
  const clock = openClock(start)
  const { now } = clock
  writeFileSync(file, configurationText(url, expr, 0))
  const configuration = await readConfiguration(file)
  const store = openStore(configuration, folder, { now, log: () => {} })
  const service = await startService(configuration, store, folder, {
    now,
    random: () => 0.5,
    fetch,
    sleep: clock.sleep,
    log: (level, message) => level === 'error' && console.error(message),
  })
  for (; now() < start + length; clock.goOn(STEP)) {
    while (!(((await store.flow('footprint'))?.nextRunAt ?? NaN) > now())) await wait(5)
    if ((now() - start) % 60_000 === 0) process.send!(sample(now() - start, path))
  }
  process.send!(sample(length, path))
  await service.close()
  rmSync(folder, { recursive: true })
  process.disconnect()
}

/**
 * A clock that stands still until it is told to go on. Sleeps of less than a step take a real moment, so that the scheduler sees each step; longer ones
 * take as long by this clock, so that the watch does its work no more often than it would.
 */
function openClock(start: number) {
  let time = start
  const sleeping = new Set<{ readonly until: number; readonly wake: () => void }>()
  return {
    now: () => time,
    goOn(ms: number) {
      time += ms
      for (const one of sleeping) if (one.until <= time) one.wake()
    },
    async sleep(ms: number, signal: AbortSignal): Promise<void> {
      if (ms < STEP) return wait(10, undefined, { signal })
      signal.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const stop = () => reject(signal.reason)
      const sleeper = { until: time + ms, wake: resolve }
      sleeping.add(sleeper)
      signal.addEventListener('abort', stop, { once: true })
      try {
        await promise
      } finally {
        sleeping.delete(sleeper)
        signal.removeEventListener('abort', stop)
      }
    },
  }
}

function sample(time: number, path: string): Sample {
  return { time, bytes: storeBytes(path), rss: process.memoryUsage.rss(), peak: process.resourceUsage().maxRSS * 1024 }
}

const [url, expr, start, length] = process.argv.slice(2)
if (import.meta.main) await main(url!, expr!, Number(start), Number(length))
