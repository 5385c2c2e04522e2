import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sources } from '../../sources/index.ts'
import { capture } from '../../testing/capture.ts'
import { AUTHORITY, CLIENT, SERVER } from '../../testing/certificates.ts'
import { type FakeRequest, serveSeries } from '../../testing/fake-prometheus.ts'
import { main } from '../main.ts'
import { readConfiguration } from '../read-configuration.ts'

const PASSWORD = 'pass/word-1'
const TOKEN = 'token-of-the-team-2'
const never = new AbortController().signal

/** What a request must show to be answered. */
type Demand = (request: FakeRequest, client: string | undefined) => boolean

const DEMANDS = {
  basic: ({ headers }) => headers.authorization === `Basic ${btoa(`me:${PASSWORD}`)}`,
  bearer: ({ headers }) => headers.authorization === `Bearer ${TOKEN}`,
  tenant: ({ headers }) => headers['x-scope-orgid'] === 'team',
  key: ({ headers }) => headers['x-api-key'] === TOKEN,
  param: ({ params }) => params.token === TOKEN && params.dedup === 'true',
  certificate: (_, client) => client === 'tidewatch',
  nothing: () => true,
} satisfies Record<string, Demand>

/** A Prometheus of ten minutes that answers 401 to those who do not show what it demands, in the first part of the path. */
async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
  let text = ''
  for await (const chunk of request) text += chunk
  const url = new URL(request.url!, 'http://fake')
  const [, demand, path] = /^\/(\w+)(\/.*)$/.exec(url.pathname)!
  const asked: FakeRequest = {
    method: request.method!,
    path: path!,
    params: Object.fromEntries(request.method === 'POST' ? new URLSearchParams(text) : url.searchParams),
    headers: request.headers as Record<string, string>,
  }
  const client = (request.socket as TLSSocket).getPeerCertificate?.().subject?.CN as string | undefined
  const isAllowed: Demand = DEMANDS[demand as keyof typeof DEMANDS]
  // A rude server repeats what it was sent.
  if (!isAllowed(asked, client)) return { status: 401, body: `who is ${asked.headers.authorization} ${text}` }
  const start = Date.now() - 600_000
  const up = { labels: { __name__: 'up' }, value: (time: number) => (time < start ? undefined : 1) }
  const answered = serveSeries([up])(asked)
  return answered instanceof Error || answered === 'hang' ? { status: 500, body: '' } : { status: 200, ...answered }
}

const listener: RequestListener = async (request, response) => {
  const { status, body } = await answer(request)
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

let folder: string
const servers: Server[] = []
const address = { plain: '', tls: '' }
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidewatch-connect-'))
  const files = {
    password: PASSWORD,
    token: TOKEN,
    'ca.pem': AUTHORITY.cert,
    'client.pem': CLIENT.cert,
    'client.key': CLIENT.key,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), `${text}\n`)
  const tls = { ...SERVER, ca: AUTHORITY.cert, requestCert: true, rejectUnauthorized: false }
  servers.push(createServer(listener), createTlsServer(tls, listener))
  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening')
  const [plain, secure] = servers.map(server => `127.0.0.1:${(server.address() as AddressInfo).port}`)
  Object.assign(address, { plain, tls: secure })
  process.env.TEST_API_KEY = TOKEN
  const source = `type: prometheus, url: 'http://${plain}/basic', basicAuth: { username: me, passwordFile: password }`
  writeFileSync(
    join(folder, 'configured.yaml'),
    `sources:\n  files: { ${source} }\n  plain: { type: prometheus, url: 'http://${plain}/bearer', bearerToken: ${TOKEN} }\n` +
      `  data: { type: csv, path: data.csv }\nflows: [{ name: up, query: { source: files, expr: up } }]\n`,
  )
})
afterAll(async () => {
  delete process.env.TEST_API_KEY
  for (const server of servers) {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
  rmSync(folder, { recursive: true })
})

/** Runs a command; in its words, `PLAIN` and `TLS` are the servers and `DIR` the folder. */
async function run(...words: string[]) {
  const terminal = capture()
  const fill = (word: string) =>
    word.replace('PLAIN', address.plain).replace('TLS', address.tls).replace('DIR', folder).replace('TOKEN', TOKEN)
  const code = await main(words.map(fill), terminal)
  return { code, out: terminal.outText(), err: terminal.errText(), all: terminal.outText() + terminal.errText() }
}

const TRUST = ['--ca-file', 'DIR/ca.pem', '--server-name', 'metrics.test']
/** What a source may demand, with the words that give it, and what the starter then refers to. */
const WAYS: readonly [string, readonly string[], RegExp][] = [
  ['a bearer token', ['http://PLAIN/bearer', '--bearer-token-file', 'DIR/token'], /bearerTokenFile: '.*token'/],
  [
    'a password',
    ['PLAIN/basic', '--basic-auth-user', 'me', '--basic-auth-password-file', 'DIR/password'],
    /basicAuth:\n {6}username: 'me'\n {6}passwordFile: '.*password'/,
  ],
  [
    'a password for the user of the address',
    ['http://me@PLAIN/basic', '--basic-auth-password-file', 'DIR/password'],
    /passwordFile/,
  ],
  ['a password in the address', ['http://me:pass%2Fword-1@PLAIN/basic'], /password: '\$\{TIDEWATCH_PASSWORD\}'/],
  ['a tenant', ['http://PLAIN/tenant', '-H', 'X-Scope-OrgID: team'], /X-Scope-OrgID: 'team'/],
  ['a header', ['http://PLAIN/key', '--header', 'X-Api-Key: TOKEN'], /X-Api-Key: '\$\{TEST_API_KEY\}'/],
  ['a header of a file', ['http://PLAIN/key', '-H', 'X-Api-Key: @DIR/token'], /X-Api-Key:\n {8}file: '.*token'/],
  [
    'parameters',
    ['http://PLAIN/param', '--param', 'dedup=true', '--param', 'token=@DIR/token'],
    /params:\n {6}dedup: 'true'\n {6}token:\n {8}file: '.*token'/,
  ],
  ['trust in its authority', ['https://TLS/nothing', ...TRUST], /tls:\n {6}caFile: '.*ca.pem'\n {6}serverName: 'metrics.test'/],
  ['blind trust', ['TLS/nothing', '--insecure-skip-verify'], /insecureSkipVerify: true/],
  [
    'a certificate',
    ['https://TLS/certificate', ...TRUST, '--cert-file', 'DIR/client.pem', '--key-file', 'DIR/client.key'],
    /certFile: '.*client.pem'\n {6}keyFile: '.*client.key'/,
  ],
  ['what a configuration says', ['--source', 'files', '--config', 'DIR/configured.yaml'], /passwordFile: '.*password'/],
  ['a secret of a configuration', ['--source', 'plain', '-c', 'DIR/configured.yaml'], /bearerToken: '\$\{TEST_API_KEY\}'/],
]
const asOption = (words: readonly string[]) => (words[0]!.startsWith('-') ? words : ['--url', ...words])

describe.each(WAYS)('a source that demands %s', (_, words, reference) => {
  it('answers detect and explore', async () => {
    const detect = await run('detect', ...asOption(words), '--expr', 'up', '--start', '5m', '--step', '15s')
    expect(detect).toMatchObject({ code: 0, out: 'Nothing odd in 1 series.\n' })
    const explore = await run(
      'explore',
      ...asOption(words),
      '--match',
      'up',
      '--since',
      '5m',
      '--step',
      '15s',
      '--html',
      'DIR/page.html',
    )
    expect(explore.code).toBe(0)
    const page = readFileSync(join(folder, 'page.html'), 'utf8')
    for (const text of [detect.all, explore.all, page]) expect(text).not.toMatch(/pass(\/|%2F)word-1|token-of-the-team/)
  })

  it('is scanned, and the starter carries what was used, which works', async () => {
    const file = join(folder, `${crypto.randomUUID()}.yaml`)
    const { code, all } = await run('scan', ...words, '--out', file, '--json')
    expect(code).toBe(0)
    const starter = readFileSync(file, 'utf8')
    expect(starter).toMatch(reference)
    expect(all + starter).not.toMatch(/pass(\/|%2F)word-1|token-of-the-team/)
    const unset = /set (TIDEWATCH_\w+) in the environment/.exec(all)?.[1]
    if (unset) process.env[unset] = PASSWORD
    expect(await run('check', 'config', file)).toMatchObject({ code: 0 })
    const { config } = (await readConfiguration(file)).sources.prometheus!
    if (unset) delete process.env[unset]
    const needs = { fetch, now: Date.now, sleep: async () => {}, folder }
    await sources.prometheus!.create(config, needs).check(never)
  })
})

describe('a command that cannot reach its source', () => {
  it('says which options say who asks', async () => {
    expect(await run('scan', 'http://PLAIN/bearer')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/got 401 .*; say who asks: --bearer-token-file, --basic-auth-user with .*, or --header like/),
    })
  })

  it('says which of the given ones to check, and repeats no password', async () => {
    const { code, all } = await run('scan', 'http://me:wrong-password-3@PLAIN/basic')
    expect(code).toBe(1)
    expect(all).toMatch(/hint: the password in the address stays in the history of the shell/)
    expect(all).toMatch(/prometheus at http:\/\/127\.0\.0\.1:\d+\/basic must answer with success, got 401/)
    expect(all).not.toContain('wrong-password-3')
    expect(all).not.toContain(btoa('me:wrong-password-3'))
    expect((await run('detect', '--url', 'http://PLAIN/basic', '--expr', 'up', '--bearer-token-file', 'DIR/token')).err).toMatch(
      /got 401 .*; check --bearer-token-file$/m,
    )
  })

  it('says which option of TLS may help', async () => {
    expect((await run('scan', 'https://TLS/nothing')).err).toMatch(/--ca-file must hold the authority/)
    expect((await run('scan', 'https://TLS/nothing', '--ca-file', 'DIR/ca.pem')).err).toMatch(/--server-name must be a name/)
  })

  it.each([
    [['scan'], 'must have URL or --source, got neither'],
    [['scan', 'http://x', '--source', 'y'], 'must have either URL or --source, got both'],
    [['scan', 'http://x', '--config', 'y'], '--config must come with --source, got none'],
    [['scan', '--source', 'x', '--ca-file', 'y'], '--source must come without --ca-file'],
    [['scan', '--source', 'file', '-c', 'DIR/configured.yaml'], '--source must be one of files, plain, data in'],
    [['scan', '--source', 'data', '-c', 'DIR/configured.yaml'], 'must be of the type prometheus, got "data" of the type csv'],
    [['scan', '--source', 'x', '-c', 'DIR/none.yaml'], 'must be a readable file'],
    [['scan', 'http://x', '--ca-file', 'y'], '--ca-file must come with an https address, got http://x'],
    [['scan', 'x', '--ca-file', 'DIR/none'], '--ca-file must be a readable file, got ENOENT for'],
    [['scan', 'x', '--cert-file', 'y'], '--cert-file and --key-file must come together'],
    [['scan', 'x', '--basic-auth-user', 'me'], 'a user must come with a password: --basic-auth-password-file, got none'],
    [['scan', 'x', '--basic-auth-password-file', 'y'], 'a password must come with a user: --basic-auth-user, got none'],
    [['scan', 'a:hidden@x', '--bearer-token-file', 'DIR/token'], 'must have one of a user with password and --bearer-token-file'],
    [['scan', 'a:hidden@x', '--basic-auth-user', 'b'], 'the user must come once'],
    [['scan', 'a:hidden@x', '--basic-auth-password-file', 'b'], 'the password must come once'],
    [['scan', 'x', '-H', 'hidden'], "--header must be like 'name: value', got something else"],
    [['scan', 'x', '-H', 'a b: hidden'], "--header must be like 'name: value', got something else"],
    [['scan', 'x', '-H', 'a: @DIR/none'], '--header a must be a readable file, got ENOENT'],
    [['scan', 'x', '-H', 'a(b: hidden'], '--header a(b: must be the name of a header'],
    [['scan', 'x', '--param', 'hidden'], '--param must be like name=value, got something else'],
    [['scan', 'http://a:hidden@x:y'], 'URL must be an address like http://127.0.0.1:9090, got "http://***@x:y"'],
    [['scan', 'http://x/?token=hidden'], 'URL must end with its path, got a query; --param gives parameters'],
    [['explore', 'file.csv', '--source', 'x'], 'must have either FILE or --url (or --source)'],
    [['detect', '--source', 'x', '-c', 'DIR/configured.yaml'], '--url or --source must come with --expr'],
  ])('%j: %s', async (words, message) => {
    const { code, all } = await run(...words)
    expect({ code, all }).toEqual({ code: 2, all: expect.stringContaining(message) })
    expect(all).not.toContain('hidden')
  })
})
