import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts', 'bench/**/*.test.ts', 'lab/**/*.test.ts'],
    exclude: ['**/*.peers.test.ts', '**/node_modules/**'],
    // The default leaves one core idle, which on two is half of the machine.
    maxWorkers: availableParallelism(),
    // A test fails by what it sees, never by how busy the machine is: these only end what hangs.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
  },
})
