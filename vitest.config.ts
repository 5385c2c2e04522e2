import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts', 'bench/**/*.test.ts', 'lab/**/*.test.ts'],
    exclude: ['**/*.peers.test.ts', '**/node_modules/**'],
    testTimeout: 20_000,
  },
})
