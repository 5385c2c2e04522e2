import { defineConfig } from 'vitest/config'

/** The tests of `npm run mutate -- FOLDER`: those that stand in the folder, so that each part is held by tests of its own, or fewer by `--tests`. */
export default defineConfig({
  test: {
    include: JSON.parse(process.env.MUTATE_TESTS ?? '["src/**/*.test.ts"]'),
    exclude: ['**/*.peers.test.ts', '**/node_modules/**'],
    // What is loaded stays loaded from one change to the next; a change is chosen while the tests run.
    isolate: false,
    testTimeout: Number(process.env.MUTATE_TEST_TIMEOUT ?? 60_000),
    hookTimeout: 60_000,
    expect: { poll: { timeout: 5_000 } },
  },
})
