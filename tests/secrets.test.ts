import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { readConfiguration } from '../src/cli/read-configuration.ts'
import { openStore } from '../src/cli/serve.ts'
import { type Service, startService } from '../src/execution/service.ts'
import { makeApp } from '../src/server/app.ts'
import { fakePrometheus, serveSeries } from '../src/testing/fake-prometheus.ts'
import { PATIENCE } from '../src/testing/patience.ts'

/** Every secret of the configuration below; each is different, so that a leak says where it comes from. */
const SECRETS = {
  paramFile: 'secret-of-a-param-file-1',
  paramEnvironment: 'secret of a/param & env 2',
  header: 'secret-of-a-header-3',
  password: 'secret"of-a-password-4',
  passwordFile: 'secret-of-a-password-file-5',
  token: 'secret-of-a-token-6',
  tokenFile: 'secret-of-a-token-file-7',
  path: 'secret-of-a-path-8',
  query: 'secret-of-a-query-9',
  signature: 'secret-of-a-signature-10',
  signatureFile: 'secret-of-a-signature-file-11',
}
const spellings = Object.entries(SECRETS).flatMap(([name, secret]) => {
  const texts = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]
  if (name.startsWith('password')) texts.push(Buffer.from(`me:${secret}`).toString('base64'))
  return texts.map(text => [name, text] as const)
})

/** Names of the secrets that stand in a text, in whatever spelling. */
function leaks(text: string): string[] {
  return [...new Set(spellings.filter(([, spelling]) => text.includes(spelling)).map(([name]) => name))]
}

const FLOW = 'every: 1s, delay: 0s, lookback: 2m, detect: { type: ewma }, rule: { type: threshold, limit: 6 }'
const CONFIGURATION = `
store: { type: sqlite, path: tidewatch.db }
server: { listen: '127.0.0.1:0' }
sources:
  good:
    type: prometheus
    url: http://good.test
    partial: warn
    params: { token: { file: param }, key: '\${SECRET_PARAM}', dedup: 'true' }
    headers: { X-Tenant: ${SECRETS.header} }
    basicAuth: { username: me, password: '${SECRETS.password}' }
  refusing:
    type: prometheus
    url: http://refusing.test
    retries: 0
    params: { token: { file: param }, key: '\${SECRET_PARAM}' }
    bearerTokenFile: token
  broken:
    type: prometheus
    url: http://broken.test
    retries: 0
    basicAuth: { username: me, passwordFile: password }
notifiers:
  hook: { type: webhook, url: 'http://refusing.test/services/${SECRETS.path}?key=${SECRETS.query}', secret: ${SECRETS.signature} }
  signed: { type: webhook, url: http://broken.test/${SECRETS.path}, secretFile: signature }
  alerts: { type: alertmanager, urls: [http://refusing.test, http://broken.test], bearerToken: ${SECRETS.token} }
flows:
  - { name: good, query: { source: good, expr: rps, step: 1s }, notify: [hook, signed, alerts], ${FLOW} }
  - { name: refusing, query: { source: refusing, expr: rps, step: 1s }, ${FLOW} }
  - { name: broken, query: { source: broken, expr: rps, step: 1s }, ${FLOW} }
`

/**
 * The other side repeats all that it was sent in each of its answers, and the secrets in it in every spelling. Its values are anomalous from
 * `started` on, and grow so fast that nothing gets used to them, whenever the first run is.
 */
function gossip(started: number): typeof fetch {
  const series = {
    labels: { __name__: 'rps' },
    value: (time: number) => (time < started ? 100 + ((time / 1000) % 7) : 9000 * 1.5 ** ((time - started) / 1000)),
  }
  const { fetch: serve } = fakePrometheus(serveSeries([series]))
  return async (input, init) => {
    const sent = [String(input), ...new Headers(init?.headers).values(), String(init?.body).replaceAll('+', '%20')].join(' ')
    const known = leaks(sent)
    const said = [sent, ...spellings.flatMap(([name, spelling]) => (known.includes(name) ? [spelling] : []))].join(' ')
    const { hostname } = new URL(String(input))
    if (hostname === 'broken.test') throw new TypeError('fetch failed', { cause: new Error(`cannot send ${said}`) })
    if (hostname === 'refusing.test') return Response.json({ status: 'error', errorType: 'x', error: said }, { status: 403 })
    const answer = (await (await serve(input, init)).json()) as object
    return Response.json({ ...answer, warnings: [said], infos: [said] })
  }
}

describe('planted secrets', () => {
  const log: string[] = []
  let folder: string
  let service: Service
  const file = () => join(folder, 'tidewatch.yaml')

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'secrets-'))
    const { paramFile, passwordFile, tokenFile, signatureFile } = SECRETS
    const files = { param: paramFile, password: passwordFile, token: tokenFile, signature: signatureFile }
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), `${text}\n`)
    await writeFile(file(), CONFIGURATION)
    process.env.SECRET_PARAM = SECRETS.paramEnvironment
    const configuration = await readConfiguration(file())
    service = await startService(configuration, openStore(configuration, folder, { now: Date.now, log: () => {} }), folder, {
      now: Date.now,
      random: Math.random,
      fetch: gossip(Date.now()),
      sleep: async (ms, signal) => void (await wait(ms, undefined, { signal })),
      log: (level, message) => log.push(`${level} ${message}`),
    })
    const failed = async () => {
      const channels = await service.store.channels()
      const flows = await service.store.flows()
      return [
        channels.filter(({ lastError }) => lastError !== undefined).length,
        flows.filter(({ failures }) => failures > 0).length,
        service.health().sources.filter(({ error }) => error !== undefined).length,
      ]
    }
    await vi.waitFor(async () => expect(await failed()).toEqual([3, 2, 2]), PATIENCE)
  })
  afterAll(async () => {
    await service.close()
    delete process.env.SECRET_PARAM
    await rm(folder, { recursive: true })
  })

  const openApp = () =>
    makeApp({
      store: service.store,
      configuration: service.configuration,
      health: service.health,
      reload: async () => service.reconfigure(await readConfiguration(file())),
      metrics: service.metrics,
      now: Date.now,
      version: 'test',
      log: line => log.push(line),
    })

  it('are in no answer of the API, no metric and no page', async () => {
    const app = openApp()
    const ask = async (path: string) => (await app.request(`http://127.0.0.1${path}`)).text()
    const { paths } = JSON.parse(await ask('/api/v1/openapi.json')) as { paths: Record<string, object> }
    const anomalies = await service.store.anomalies()
    expect(anomalies.length).toBeGreaterThan(0)
    const names = [...service.configuration().flows.map(({ name }) => name), ...anomalies.map(({ id }) => id)]
    const asked = Object.keys(paths).flatMap(path =>
      path.includes('{') ? names.map(name => path.replace(/\{\w+\}/g, name)) : [path],
    )
    const answers = await Promise.all([...asked, '/', '/metrics'].map(async path => [path, await ask(path)] as const))
    expect(answers.map(([path, text]) => [path, leaks(text)]).filter(([, names]) => names!.length > 0)).toEqual([])
    const said = answers.map(([, text]) => text).join()
    // The requests are shown, and parameters that are no secrets with them.
    expect(said).toContain('***')
    expect(said).toContain('dedup=true')
    expect(said).toContain('token=***')
  })

  it('are in no line of the log', () => {
    expect(log.join('\n')).toContain('***')
    expect(leaks(log.join('\n'))).toEqual([])
  })

  it('are in no file of the store', async () => {
    const stored = (await readdir(folder)).filter(name => name.startsWith('tidewatch.db'))
    expect(stored).not.toEqual([])
    const bytes = await Promise.all(stored.map(name => readFile(join(folder, name), 'latin1')))
    expect(leaks(bytes.join())).toEqual([])
  })

  it('are not in the configuration when it is printed', () => {
    // The path of a webhook is plain there; what prints it is tested above.
    const printed = [inspect(service.configuration(), { depth: 9, showHidden: true }), JSON.stringify(service.configuration())]
    expect(leaks(printed.join()).filter(name => name !== 'path' && name !== 'query')).toEqual([])
  })

  it('are in no fault of a configuration', async () => {
    const broken = CONFIGURATION.replace("basicAuth: { username: me, password: '", "basicAuth: '")
      .replace("4' }", "4'")
      .replace(/bearerToken: (\S+)/, 'bearerToken: [$1]')
      .replace('http://refusing.test/services', 'ftp://refusing.test/services')
      .replace('headers: { X-Tenant: ', 'headers: ')
      .replace('-3 }', '-3')
      .replace('dedup: ', 'dedup: { a: ')
      .replace("'true' }", `'${SECRETS.query}' } }`)
    await writeFile(file(), broken)
    const error = await readConfiguration(file()).catch((error: Error) => error)
    const message = (error as Error).message
    expect(message.split('\n').map(line => line.replace(/^.*:\d+:\d+ ([^:]*): .*/, '$1'))).toEqual([
      'sources.good.params.dedup',
      'sources.good.headers',
      'sources.good.basicAuth',
      'notifiers.hook.url',
      'notifiers.alerts.bearerToken',
    ])
    expect(leaks(message)).toEqual([])
  })
})
