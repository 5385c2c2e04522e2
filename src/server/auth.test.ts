import { Registry } from 'prom-client'
import { beforeAll, describe, expect, it } from 'vitest'
import { hashPassword, hashToken } from '../password.ts'
import type { AuthConfig } from '../pipeline/configuration.ts'
import { calmWorld, fakeServerParts } from '../testing/fake-server-parts.ts'
import { makeApp } from './app.ts'

const TOKEN = 'token-of-the-scraper'
const HOST = '203.0.113.7'
let auth: AuthConfig

beforeAll(async () => {
  auth = {
    basic: { ann: await hashPassword('correct horse', Buffer.from('0123456789abcdef')) },
    bearer: { scraper: hashToken(TOKEN) },
    proxy: { header: 'X-Forwarded-User', from: ['10.0.0.0/8'] },
    open: ['health'],
  }
})

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

/** A server beyond loopback, and how it is asked from an address. */
function open(some: Partial<AuthConfig> = {}) {
  const world = calmWorld()
  const server = { ...world.configuration.server, host: '0.0.0.0', auth: { ...auth, ...some } }
  world.configuration = { ...world.configuration, server }
  const metrics = new Registry()
  const app = makeApp({ ...fakeServerParts(world), metrics })
  const ask = async (path: string, headers: Record<string, string> = {}, from = HOST, method = 'GET') =>
    app.request(
      path,
      { method, headers: { Host: '198.51.100.1', ...headers } },
      { incoming: { socket: { remoteAddress: from } } },
    )
  const refused = async () =>
    (await metrics.getMetricsAsJSON()).flatMap(({ values }) => values.map(each => [each.labels.reason, each.value]))
  return { ask, world, refused }
}

describe('without credentials', () => {
  it.each([
    '/',
    '/api/v1/status',
    '/api/v1/anomalies',
    '/api/v1/events',
    '/api/v1/openapi.json',
    '/metrics',
    '/assets/a.js',
    '/nothing',
  ])('%s is not given', async path => {
    const response = await open().ask(path)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Basic realm="Tidewatch", charset="UTF-8", Bearer realm="Tidewatch"')
    expect(await response.json()).toEqual({ error: { code: 'credentials', message: 'must have the credentials of server.auth' } })
  })
  it.each<[string, Partial<AuthConfig>, string[]]>([
    ['a password or a proxy', {}, ['Load this page again to enter your user and password.', 'through the proxy']],
    ['a proxy', { basic: {} }, ['<p>Open it through the proxy']],
  ])('a browser is shown a page that says how to get in, by %s', async (_, some, texts) => {
    const response = await open(some).ask('/', { Accept: 'text/html,*/*;q=0.8' })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toMatch(/^(Basic|Bearer) /)
    const page = await response.text()
    for (const text of texts) expect(page).toContain(text)
  })
  it('nothing is reloaded', async () => {
    const { ask, world } = open()
    let reloads = 0
    world.reload = async () => void reloads++
    expect((await ask('/-/reload', {}, HOST, 'POST')).status).toBe(401)
    expect(reloads).toBe(0)
    expect((await ask('/-/reload', { Authorization: basic('ann:correct horse') }, HOST, 'POST')).status).toBe(200)
    expect(reloads).toBe(1)
  })
  it('health is open, and what else the configuration opens', async () => {
    expect((await open().ask('/-/healthy')).status).toBe(200)
    expect((await open().ask('/-/ready')).status).toBe(200)
    expect((await open({ open: [] }).ask('/-/healthy')).status).toBe(401)
    expect((await open({ open: ['metrics'] }).ask('/metrics')).status).toBe(200)
    expect((await open({ open: ['metrics'] }).ask('/api/v1/status')).status).toBe(401)
  })
})

describe('credentials', () => {
  it.each([
    ['a password', () => basic('ann:correct horse'), 200],
    ['a wrong password', () => basic('ann:correct'), 401],
    ['an unknown user', () => basic('bob:correct horse'), 401],
    ['a name of every object', () => basic('constructor:x'), 401],
    ['no colon', () => basic('ann'), 401],
    ['no base64', () => 'Basic \u00e4', 401],
    ['a token', () => `Bearer ${TOKEN}`, 200],
    ['a token of another scheme', () => `Token ${TOKEN}`, 401],
    ['the hash of a token', () => `Bearer ${hashToken(TOKEN)}`, 401],
    ['an empty token', () => 'Bearer ', 401],
  ])('of %s', async (_, header, status) => {
    expect((await open().ask('/api/v1/status', { Authorization: header() })).status).toBe(status)
  })
  it('are those of the configuration in force', async () => {
    const { ask, world } = open()
    const given = { Authorization: basic('ann:correct horse') }
    expect((await ask('/api/v1/status', given)).status).toBe(200)
    world.configuration = {
      ...world.configuration,
      server: {
        ...world.configuration.server,
        auth: { ...auth, basic: { ann: await hashPassword('another one', Buffer.alloc(16)) } },
      },
    }
    expect((await ask('/api/v1/status', given)).status).toBe(401)
  })
})

describe('the header of a proxy', () => {
  const user = { 'X-Forwarded-User': 'ann' }
  it.each(['10.1.2.3', '::ffff:10.1.2.3'])('is believed from %s', async from => {
    expect((await open().ask('/api/v1/status', user, from)).status).toBe(200)
  })
  it.each(['11.1.2.3', '127.0.0.1', '::1', ''])('is not believed from %j', async from => {
    expect((await open().ask('/api/v1/status', user, from)).status).toBe(401)
  })
  it('must name somebody', async () => {
    expect((await open().ask('/api/v1/status', { 'X-Forwarded-User': '' }, '10.1.2.3')).status).toBe(401)
    expect((await open().ask('/api/v1/status', { 'X-Forwarded-For': '10.1.2.3', ...user }, HOST)).status).toBe(401)
  })
})

describe('guessing', () => {
  it('has to wait longer and longer, also with the right password then, and is counted', async () => {
    const { ask, world, refused } = open()
    const guess = async (password: string, from = HOST) =>
      ask('/api/v1/status', { Authorization: basic(`ann:${password}`) }, from)
    for (let i = 0; i < 6; i++) expect((await guess(`wrong ${i}`)).status).toBe(401)
    const waiting = await guess('correct horse')
    expect([waiting.status, waiting.headers.get('retry-after')]).toEqual([429, '1'])
    expect((await guess('correct horse', '203.0.113.8')).status).toBe(200)
    world.now += 1000
    expect((await guess('wrong again')).status).toBe(401)
    expect((await guess('wrong once more')).headers.get('retry-after')).toBe('2')
    expect(await refused()).toEqual([
      ['credentials', 7],
      ['rate', 2],
    ])
  })

  it('does not lock out who was right before', async () => {
    const { ask } = open()
    const given = { Authorization: basic('ann:correct horse') }
    expect((await ask('/api/v1/status', given)).status).toBe(200)
    for (let i = 0; i < 7; i++) await ask('/api/v1/status', { Authorization: 'Bearer wrong' })
    expect((await ask('/api/v1/status', { Authorization: `Bearer ${TOKEN}` })).status).toBe(429)
    expect((await ask('/api/v1/status', given)).status).toBe(200)
  })

  it('does not lock out a scraper whose token was right before, until the token is exchanged', async () => {
    const { ask, world } = open()
    const scrape = async () => (await ask('/metrics', { Authorization: `Bearer ${TOKEN}` })).status
    expect(await scrape()).toBe(200)
    for (let i = 0; i < 7; i++) await ask('/metrics', { Authorization: `Bearer wrong ${i}` })
    expect(await scrape()).toBe(200)
    const { server } = world.configuration
    const exchanged = { ...auth, bearer: { scraper: hashToken('another token') } }
    world.configuration = { ...world.configuration, server: { ...server, auth: exchanged } }
    expect(await scrape()).toBe(429)
  })

  it('is not what a browser does that asks without credentials first', async () => {
    const { ask, refused } = open()
    for (let i = 0; i < 20; i++) expect((await ask('/api/v1/status')).status).toBe(401)
    expect((await ask('/api/v1/status', { Authorization: `Bearer ${TOKEN}` })).status).toBe(200)
    expect(await refused()).toEqual([['credentials', 20]])
  })
})
