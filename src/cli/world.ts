import { setTimeout as wait } from 'node:timers/promises'
import type { World } from '../execution/world.ts'
import { VERSION } from './version.ts'

const ICON = { info: ' ', warning: '!', error: '✗' } as const

/** The real clock, network and terminal. Log lines go to standard error. */
export function realWorld(): World {
  return {
    version: VERSION,
    now: Date.now,
    random: Math.random,
    fetch: globalThis.fetch,
    sleep: async (ms, signal) => {
      await wait(ms, undefined, { signal })
    },
    log: (level, message) => console.error(`${new Date().toISOString()} ${ICON[level]} ${message}`),
  }
}
