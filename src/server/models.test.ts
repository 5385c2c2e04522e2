import { describe, expect, it } from 'vitest'
import { FAKE_NOW, fakeModel, fakeServerParts, learnedWorld } from '../testing/fake-server-parts.ts'
import { makeApp } from './app.ts'
import { ModelListWire, ModelWire, ProblemWire, StatusWire } from './wire.ts'

const FIRST = { job: 'coredns', server: 'dns://:53' }
const PATH = '/api/v1/models/coredns-latency/lstm'

const appOf = (world = learnedWorld()) => makeApp(fakeServerParts(world))
const post = (path: string, body?: unknown, world = learnedWorld(), headers: Record<string, string> = {}) =>
  appOf(world).request(path, {
    method: 'POST',
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
const refuse = async (status: number, ...request: Parameters<typeof post>) => {
  const response = await post(...request)
  expect(response.status).toBe(status)
  return ProblemWire.parse(await response.json()).error
}

describe('models', () => {
  it('are listed, newest first, with all that is known of them', async () => {
    const { models, total } = ModelListWire.parse(await (await appOf().request('/api/v1/models')).json())
    expect(models.map(({ series, version, status, usable }) => [series, version, status, usable])).toEqual([
      ['{job="coredns",server="dns://:53"}', 5, 'refused', true],
      ['{job="coredns",server="dns://:53"}', 4, 'in force', true],
      ['{job="coredns",server="dns://:5353"}', 1, 'in force', true],
      ['{job="coredns",server="dns://:53"}', 3, 'retired', true],
      ['{job="coredns",server="dns://:53"}', 2, 'retired', false],
    ])
    expect([total, models[0].inForceSince, models[0].validation, models[0].current]).toEqual([5, null, 0.52, 0.44])
    const some = ModelListWire.parse(await (await appOf().request('/api/v1/models?flow=coredns-up&limit=1')).json())
    expect(some).toEqual({ models: [], total: 0 })
  })

  it.each(['limit=0', 'limit=10001', 'limit=x', 'flow='])('refuse %s', async query =>
    expect((await appOf().request(`/api/v1/models?${query}`)).status).toBe(400),
  )

  it('are taken back', async () => {
    const world = learnedWorld()
    const response = await post(`${PATH}/3/restore`, { workload: FIRST }, world)
    expect(response.status).toBe(200)
    expect(ModelWire.parse(await response.json())).toMatchObject({ version: 3, status: 'in force', inForceSince: FAKE_NOW })
    expect(world.models.map(({ version, status }) => `${version} ${status}`)).toEqual([
      '5 refused',
      '4 retired',
      '1 in force',
      '3 in force',
      '2 retired',
    ])
  })

  it('are taken back without a workload when there is one only', async () => {
    const world = learnedWorld()
    world.models = world.models.filter(({ workload }) => workload.server === FIRST.server)
    expect((await post(`${PATH}/5/restore`, undefined, world)).status).toBe(200)
    expect(world.models[0].status).toBe('in force')
  })

  it.each([
    ['/api/v1/models/none/lstm/3/restore', 404, 'flow must be one of coredns-latency, coredns-errors, coredns-up; got "none"'],
    ['/api/v1/models/coredns-latency/gru/3/restore', 404, 'detector must be one of seasonal, lstm; got "gru"'],
    ['/api/v1/models/coredns-latency/seasonal/3/restore', 404, 'workload must be one of (there are none); got '],
    [`${PATH}/9/restore`, 404, 'version must be one of 2, 3, 4, 5; got 9'],
    [`${PATH}/4/restore`, 409, 'version must be one that is not in force, got 4'],
    [`${PATH}/2/restore`, 409, 'version must be one of the flow as it is configured now, got 2 of another'],
    [`${PATH}/0/restore`, 400, 'version: must be a whole number from 1'],
    [`${PATH}/x/restore`, 400, 'version: must be a whole number from 1'],
  ] as const)('refuse POST %s with %i', async (path, status, message) => {
    expect((await refuse(status, path, { workload: FIRST })).message).toContain(message)
  })

  it('refuse a workload that is not known, missing or no labels', async () => {
    expect((await refuse(404, `${PATH}/3/restore`, { workload: { job: 'x' } })).message).toContain(
      'workload must be one of {job="coredns",server="dns://:53"}, {job="coredns",server="dns://:5353"}; got "{job=\\"x\\"}"',
    )
    expect((await refuse(409, `${PATH}/3/restore`)).message).toContain('workload must be one of')
    expect((await refuse(400, `${PATH}/3/restore`, { workload: 'x' })).message).toContain('workload')
    expect((await refuse(400, `${PATH}/3/restore`, { work: {} })).message).toContain('work')
    // What is not JSON is not passed over, though the workload may be left out.
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
    expect((await refuse(415, `${PATH}/3/restore`, { workload: FIRST }, learnedWorld(), form)).message).not.toBe('')
  })

  it('are changed by nobody but our own pages and programs', async () => {
    const world = learnedWorld()
    const theirs = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }
    expect((await post(`${PATH}/3/restore`, { workload: FIRST }, world, theirs)).status).toBe(403)
    expect((await post(`${PATH}/3/restore`, { workload: FIRST }, world, { Host: 'evil.example' })).status).toBe(403)
    expect(world.models).toEqual(learnedWorld().models)
  })

  it('say null for an error that is none', async () => {
    const world = learnedWorld()
    const { current: _, ...first } = fakeModel(1)
    world.models = [{ ...first, validation: NaN }]
    const { models } = ModelListWire.parse(await (await appOf(world).request('/api/v1/models')).json())
    expect([models[0].validation, models[0].current]).toEqual([null, null])
  })
})

it('the status shows the fits that run, how many wait, and which failed', async () => {
  const { fits } = StatusWire.parse(await (await appOf().request('/api/v1/status')).json())
  expect(fits).toEqual({
    waiting: 2,
    failed: [
      {
        flow: 'coredns-latency',
        detector: 'lstm',
        series: '{job="coredns",server="dns://:8053"}',
        error: 'a fit must end within its deadline of 10m, got no result',
        failures: 3,
        until: FAKE_NOW + 120_000,
      },
    ],
    running: [
      {
        flow: 'coredns-latency',
        detector: 'lstm',
        series: '{job="coredns",server="dns://:5353"}',
        reason: 'schedule',
        startedAt: FAKE_NOW - 20_000,
        done: 0.64,
      },
    ],
  })
})
