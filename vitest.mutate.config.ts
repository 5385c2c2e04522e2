import { defineConfig } from 'vitest/config'

/** The tests of `npm run mutate -- FOLDER`: those that stand in the folder, so that each part is held by tests of its own, or fewer by `--tests`. */
export default defineConfig({
  test: {
    include: JSON.parse(process.env.MUTATE_TESTS ?? '["src/**/*.test.ts"]'),
    exclude: ['**/*.peers.test.ts', '**/node_modules/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 5_000 } },
  },
})
