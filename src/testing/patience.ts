/** For `vi.waitFor` in hooks, where `expect.poll` must not be used: it only ends what hangs, however busy the machine is. */
export const PATIENCE = { timeout: 240_000, interval: 100 }
