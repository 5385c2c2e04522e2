import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { main } from '../cli/main.ts'
import { readConfiguration } from '../cli/read-configuration.ts'
import { alertmanager } from '../notifiers/alertmanager.ts'
import { prometheus } from '../sources/prometheus.ts'
import { capture } from '../testing/capture.ts'
import { AUTHORITY, CLIENT, SERVER, STRANGER } from '../testing/certificates.ts'
import { freePorts } from '../testing/free-ports.ts'
import { exampleMessage } from '../testing/notifier-laws.ts'
import { PATIENCE } from '../testing/patience.ts'

/** A real Prometheus and a real Alertmanager that ask for a password and for a certificate. */

const [prometheusPort, alertmanagerPort] = await freePorts(2)
const PORTS = { prometheus: prometheusPort!, alertmanager: alertmanagerPort! }
const PASSWORD = 'correct-horse'
const ROTATED = 'battery-staple'
const HASHES = {
  [PASSWORD]: '$2b$04$X2yZYIxOILLw6APzIWDs2OY.aBOSNN.HG.I1fC12bFdpWqz6slOJu',
  [ROTATED]: '$2b$04$OS5C1GtrrK76BPixPJ36FOZIFVk/2CUlzRFAArjleAkr0eEyO1UxC',
}
const never = new AbortController().signal

let folder: string
const running: ChildProcess[] = []
const at = (name: string) => join(folder, name)

/** Both servers read this file for each request. */
const allow = (password: keyof typeof HASHES) =>
  writeFile(
    at('web.yml'),
    `tls_server_config: { cert_file: server.pem, key_file: server.key, client_ca_file: ca.pem, client_auth_type: RequireAndVerifyClientCert }
basic_auth_users: { me: '${HASHES[password]}' }
`,
  )

const CONNECTION = {
  basicAuth: { username: 'me', passwordFile: 'password' },
  tls: { caFile: 'ca.pem', serverName: 'metrics.test', certFile: 'client.pem', keyFile: 'client.key' },
}
const openSource = (connection: object = CONNECTION) => {
  const url = `https://127.0.0.1:${PORTS.prometheus}`
  const needs = { fetch, now: Date.now, sleep: async () => {}, folder }
  return prometheus.create(prometheus.config.parse({ url, retries: 0, ...connection }), needs)
}
const openNotifier = (connection: object = CONNECTION) => {
  const urls = [`https://127.0.0.1:${PORTS.alertmanager}`]
  const needs = { fetch, now: Date.now, log: () => {}, externalUrl: 'http://tidewatch.example', folder }
  return alertmanager.create(alertmanager.config.parse({ urls, ...connection }), needs)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidewatch-protected-'))
  const pairs = { ca: AUTHORITY, server: SERVER, client: CLIENT, stranger: STRANGER }
  for (const [name, { cert, key }] of Object.entries(pairs)) {
    await writeFile(at(`${name}.pem`), cert)
    await writeFile(at(`${name}.key`), key)
  }
  await writeFile(at('password'), PASSWORD)
  await allow(PASSWORD)
  await writeFile(at('alertmanager.yml'), 'route: { receiver: none }\nreceivers: [{ name: none }]\n')
  await writeFile(
    at('prometheus.yml'),
    `global: { scrape_interval: 1s }
scrape_configs:
  - job_name: self
    scheme: https
    basic_auth: { username: me, password: ${PASSWORD} }
    tls_config: { ca_file: ca.pem, cert_file: client.pem, key_file: client.key, server_name: metrics.test }
    static_configs: [{ targets: ['127.0.0.1:${PORTS.prometheus}'] }]
`,
  )
  const start = (program: string, port: number, ...more: string[]) =>
    running.push(
      spawn(program, [`--web.config.file=${at('web.yml')}`, `--web.listen-address=127.0.0.1:${port}`, ...more], {
        stdio: 'ignore',
      }),
    )
  start('prometheus', PORTS.prometheus, `--config.file=${at('prometheus.yml')}`, `--storage.tsdb.path=${at('data')}`)
  start(
    'prometheus-alertmanager',
    PORTS.alertmanager,
    `--config.file=${at('alertmanager.yml')}`,
    `--storage.path=${at('alerts')}`,
    '--cluster.listen-address=',
  )
  const count = async () => {
    const { frames } = await openSource().latest({ expr: 'count_over_time(up[1m])', time: Date.now() }, never)
    return frames[0]?.columns.value[0] ?? 0
  }
  await vi.waitFor(async () => expect(await count()).toBeGreaterThanOrEqual(8), PATIENCE)
})
afterAll(async () => {
  for (const child of running) {
    child.kill()
    if (child.exitCode === null) await once(child, 'exit')
  }
  await rm(folder, { recursive: true })
})

async function run(...words: string[]) {
  const terminal = capture()
  const code = await main(words, terminal)
  return { code, out: terminal.outText(), err: terminal.errText() }
}
const trust = () => ['--ca-file', at('ca.pem'), '--server-name', 'metrics.test']
const certificate = () => ['--cert-file', at('client.pem'), '--key-file', at('client.key')]
const password = () => ['--basic-auth-user', 'me', '--basic-auth-password-file', at('password')]
const detect = (...words: string[]) =>
  run('detect', '--url', `https://127.0.0.1:${PORTS.prometheus}`, '--expr', 'up', '--start', '5s', ...words)

describe('the command line and a protected Prometheus', () => {
  it('reaches it with password and certificate', async () => {
    expect(await detect(...trust(), ...certificate(), ...password())).toMatchObject({
      code: 0,
      out: 'Nothing odd in 1 series.\n',
    })
  })

  it('says what is missing', async () => {
    expect((await detect()).err).toMatch(/--ca-file must hold the authority/)
    expect((await detect(...trust())).err).toMatch(/asks for a certificate that it accepts: --cert-file and --key-file/)
    expect((await detect(...trust(), ...certificate())).err).toMatch(/got 401 .*; check --cert-file$/m)
    const stranger = ['--cert-file', at('stranger.pem'), '--key-file', at('stranger.key')]
    expect((await detect(...trust(), ...stranger)).err).toMatch(/asks for a certificate that it accepts/)
  })

  it('scans it, and serves the starter', async () => {
    const file = at('tidewatch.yaml')
    const words = [...trust(), ...certificate(), ...password()]
    expect(await run('scan', `127.0.0.1:${PORTS.prometheus}`, '--out', file, ...words)).toMatchObject({ code: 0 })
    expect(await run('check', 'config', file)).toMatchObject({ code: 0 })
    expect(await readFile(file, 'utf8')).not.toContain(PASSWORD)
    const { config } = (await readConfiguration(file)).sources.prometheus!
    const source = prometheus.create(config as never, { fetch, now: Date.now, sleep: async () => {}, folder })
    await source.check(never)
    expect(await run('explore', '--source', 'prometheus', '--config', file, '--match', 'up', '--since', '5s')).toMatchObject({
      code: 0,
    })
  })
})

describe('a protected Alertmanager', () => {
  it('is notified with password and certificate, and not without', async () => {
    await openNotifier().send(exampleMessage(), never)
    const { basicAuth, tls } = CONNECTION
    await expect(openNotifier({ tls }).send(exampleMessage(), never)).rejects.toThrow(/got 401/)
    const { certFile: _, keyFile: __, ...anonymous } = tls
    await expect(openNotifier({ basicAuth, tls: anonymous }).send(exampleMessage(), never)).rejects.toThrow(
      /tls\.certFile and tls\.keyFile/,
    )
  })
})

it('a password that is rotated away and back is taken up by source and notifier, without a restart', async () => {
  const source = openSource()
  const notifier = openNotifier()
  await allow(ROTATED)
  await expect(source.check(never)).rejects.toThrow(/got 401/)
  await expect(notifier.send(exampleMessage(), never)).rejects.toThrow(/got 401/)
  await writeFile(at('password'), `${ROTATED}\n`)
  await source.check(never)
  await notifier.send(exampleMessage(), never)
})
