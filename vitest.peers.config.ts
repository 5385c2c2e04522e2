import { defineConfig } from 'vitest/config'

/** Tests that talk to real Prometheus, Alertmanager, VictoriaMetrics, CoreDNS and Chromium; one file at a time, because they share ports and cores. */
export default defineConfig({
  test: {
    include: ['src/**/*.peers.test.ts', 'tests/**/*.peers.test.ts', 'lab/**/*.peers.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    fileParallelism: false,
  },
})
