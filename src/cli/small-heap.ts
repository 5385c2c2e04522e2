import { setFlagsFromString } from 'node:v8'

/**
 * How much (percent) the heap may grow beyond what was in use after the last full collection before the next one. A service makes a few MB of garbage with
 * each run; by default V8 lets it pile up to hundreds of MB, since it collects in as little time as it can. With less than 50 it collects all the time.
 */
const MOST_GROWTH = 50

/**
 * Keeps the heaps of all threads near the size of what is in use. The part for young objects stays at the size that it has when the process starts; by
 * default it grows to 64 MiB, most of them empty, in a process that answers a few requests a second. To be called before anything large is loaded.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString(`--heap-growing-percent=${MOST_GROWTH}`)
}
