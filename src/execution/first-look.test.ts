import { expect, it } from 'vitest'
import { MINUTE } from '../duration.ts'
import { fromValues } from '../frame/frame.ts'
import { computeFlow } from '../pipeline/compute-flow.ts'
import { flowPipeline } from '../pipeline/flow.ts'
import { fromFrames } from '../sources/memory.ts'
import { fromMemory } from '../stores/memory.ts'
import type { Run } from '../stores/store.ts'
import { at, POD, toyFlow } from '../testing/toy-watch.ts'
import { runWithHistory } from './first-look.ts'
import { flowRange } from './run-flow.ts'
import { openReader } from './store-reader.ts'

const config = toyFlow(
  {},
  { detect: [{ type: 'ewma', name: 'ewma' }], rule: { type: 'threshold', limit: 8 }, notify: ['people'], reexamine: 5 * MINUTE },
)

/** A flow over ten hours in which the given rows are far too high; its runs, one after the other. */
function watch(high: readonly number[]) {
  const store = fromMemory()
  const commits: Run[] = []
  const series = fromValues(
    Float64Array.from({ length: 600 }, (_, i) => at(i)),
    Float64Array.from({ length: 600 }, (_, i) => (high.includes(i) ? 900 : 100 + ((i * 7919) % 13))),
    POD,
  )
  const parts = {
    config,
    pipeline: flowPipeline(config, 600 * MINUTE, async (given, input) => computeFlow(given, input)),
    reader: openReader({ s: fromFrames([series]) }, store),
    store: {
      ...store,
      async commit(run: Run) {
        commits.push(run)
        return store.commit(run)
      },
    },
  }
  return {
    commits,
    async run(row: number) {
      const state = await store.flow('f')
      const range = flowRange(config, state?.watermark ?? NaN, at(row))
      return runWithHistory({ ...parts, now: () => at(row) }, range, new AbortController().signal)
    },
    told: async () =>
      (await store.outbox('people', Infinity)).map(({ kind, anomaly }) => [kind, (anomaly.start - at(0)) / MINUTE]),
  }
}

it('notifies nobody of what was over before the first run, and stores it', async () => {
  const { run, told, commits } = watch([400, 401, 402])
  const changes = await run(500)
  expect(changes.map(({ anomaly }) => (anomaly.start - at(0)) / MINUTE)).toContain(400)
  expect(await told()).toEqual([])
  expect(commits.map(({ silent }) => silent)).toEqual([true, undefined])
})

it('notifies people of what goes on at the first run', async () => {
  const { run, told } = watch([400, 401, 402, 498, 499, 500])
  await run(500)
  expect(await told()).toEqual([['opened', 498]])
})

it('looks at history only once', async () => {
  const { run, told, commits } = watch([505, 506, 507])
  await run(500)
  await run(508)
  expect(commits.map(({ silent }) => silent)).toEqual([true, undefined, undefined])
  expect(await told()).toEqual([['opened', 505]])
})
