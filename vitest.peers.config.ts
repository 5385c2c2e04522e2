import { defineConfig } from 'vitest/config'

/** Tests that talk to real Prometheus, Alertmanager, VictoriaMetrics, CoreDNS and Chromium; one file at a time, because they share the cores. */
export default defineConfig({
  test: {
    include: ['src/**/*.peers.test.ts', 'tests/**/*.peers.test.ts', 'lab/**/*.peers.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
    fileParallelism: false,
  },
})
