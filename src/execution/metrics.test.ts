import { readFileSync } from 'node:fs'
import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { describeMetrics, describeTraining } from './metrics.ts'

it('every metric has its row in docs/metrics.md, and no other has', async () => {
  const registry = new Registry()
  describeMetrics(registry, { version: '' })
  describeTraining(registry, () => ({ waiting: 0, running: [], failed: [] }))
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
  const rows = page.split('\n').flatMap(line =>
    line.startsWith('| `tidewatch_')
      ? [
          line
            .split('|')
            .map(cell => cell.trim())
            .slice(1, -1),
        ]
      : [],
  )
  const registered = await registry.getMetricsAsJSON()
  const wanted = registry
    .getMetricsAsArray()
    .map(metric => metric as unknown as { name: string; help: string; labelNames: string[] })
    .filter(({ name }) => name.startsWith('tidewatch_'))
    .map(({ name, help, labelNames }) => {
      const type = registered.find(one => one.name === name)!.type as unknown as string
      return [`\`${name}\``, type, labelNames.map(label => `\`${label}\``).join(', '), help]
    })
  expect(rows.toSorted()).toEqual(wanted.toSorted())
})

it('the fits of models are those of the moment at which somebody asks', async () => {
  const registry = new Registry()
  let waiting = 3
  const fit = { flow: 'f', detector: 'toy', workload: {}, reason: 'first', startedAt: 0, done: 0 } as const
  describeTraining(registry, () => ({ waiting, running: [fit, fit], failed: [] }))
  const values = async () => (await registry.metrics()).split('\n').filter(line => line.startsWith('tidewatch_'))
  expect(await values()).toEqual(['tidewatch_model_fits_waiting 3', 'tidewatch_model_fits_running 2'])
  waiting = 0
  expect((await values())[0]).toBe('tidewatch_model_fits_waiting 0')
})

it('the ready-made alerts ask for metrics that are there', () => {
  const registry = new Registry()
  describeMetrics(registry, { version: '' })
  const names = registry.getMetricsAsArray().map(({ name }) => name)
  const rules = readFileSync(new URL('../../deploy/prometheus-rules.yaml', import.meta.url), 'utf8')
  const asked = rules.match(/tidewatch_\w+/g)!
  expect(asked.length).toBeGreaterThan(8)
  for (const name of asked) expect(names).toContain(name)
})
