import { dirname, resolve } from 'node:path'
import { ConfigError } from '../errors.ts'
import { type Service, startService } from '../execution/service.ts'
import type { World } from '../execution/world.ts'
import { isLoopback } from '../http/loopback.ts'
import type { Configuration, ServerConfig } from '../pipeline/configuration.ts'
import { makeApp } from '../server/app.ts'
import { type Fetch, type ListenOptions, listen } from '../server/listen.ts'
import { stores } from '../stores/index.ts'
import type { Store } from '../stores/store.ts'
import { readConfiguration } from './read-configuration.ts'
import { listenToStopSignals } from './stop-signals.ts'
import { VERSION } from './version.ts'
import { realWorld } from './world.ts'

/** `tidewatch serve --config FILE`: runs until a signal ends it. SIGHUP and `POST /-/reload` read the file again. */
export async function run({ config: file }: { readonly config: string }): Promise<void> {
  const world = realWorld()
  const folder = dirname(resolve(file))
  const configuration = await readConfiguration(file)
  const start = async () => startService(configuration, openStore(configuration, folder, world), folder, world)
  await serveUntilSignal(configuration, folder, start, service => reloadAndLog(service, file, world))
}

export function openStore(configuration: Configuration, folder: string, { now, log }: Pick<World, 'now' | 'log'>): Store {
  return stores[configuration.store.type]!.create(configuration.store.config, { folder, now, log })
}

/**
 * Starts a service and serves its API and page; SIGHUP reloads, SIGTERM and SIGINT end it, also while it starts. Resolves when all is closed. The port
 * is taken first, so that a second server on it starts nothing; whatever fails closes what was opened and is thrown.
 */
export async function serveUntilSignal(
  { server }: Configuration,
  folder: string,
  start: (signal: AbortSignal) => Promise<Service>,
  reload: (service: Service) => Promise<void>,
): Promise<void> {
  const world = realWorld()
  const stop = listenToStopSignals(world.log)
  let answer: Fetch = () => new Response('Tidewatch is starting.\n', { status: 503, headers: { 'retry-after': '1' } })
  const open: (() => Promise<void>)[] = []
  const starting = Promise.withResolvers<Service>()
  // From the beginning: who reloads in the middle of a start must not end it.
  const forget = reloadOnSignal(async () => reload(await starting.promise))
  try {
    const listening = await listen({ fetch: (...request) => answer(...request) }, listenOptions(server, folder, world))
    open.push(listening.close)
    const service = await start(stop.signal)
    open.push(service.close)
    if (stop.signal.aborted) return
    const reloadService = () => reload(service)
    answer = appOf(service, reloadService, world).fetch
    world.log(
      'info',
      `Tidewatch ${VERSION} watches ${service.configuration().flows.length} flows; page and API on ${listening.url}`,
    )
    warnOfOpenDoors(service.configuration().server, world)
    starting.resolve(service)
    await untilAborted(stop.signal)
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    // The server first: nobody is answered from a store that is closed.
    for (const close of open) await close()
    stop.dispose()
    forget()
  }
}

function listenOptions({ host, port, tls, maxConnections }: ServerConfig, folder: string, { log }: World): ListenOptions {
  return {
    host,
    port,
    log: line => log('info', line),
    ...(tls ? { tls: { certFile: resolve(folder, tls.certFile), keyFile: resolve(folder, tls.keyFile) } } : {}),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  }
}

function warnOfOpenDoors({ host, auth, tls }: ServerConfig, { log }: World): void {
  if (isLoopback(host)) return
  if (!auth) log('warning', 'server.insecure: anybody who reaches this machine may read all and reload the configuration')
  else if (!tls && !auth.proxy)
    log('warning', 'server.auth without server.tls: credentials are sent in plain text unless something before it has TLS')
}

/** ms; what a reader sees is at most so much older than it could be. */
const SHARE_ANSWERS_FOR = 250

function appOf(service: Service, reload: () => Promise<void>, { now, log }: World) {
  const parts = {
    store: service.store,
    configuration: service.configuration,
    health: service.health,
    reload,
    metrics: service.metrics,
    now,
    version: VERSION,
    log: (line: string) => log('error', line),
  }
  return makeApp(parts, { shareFor: SHARE_ANSWERS_FOR })
}

/** However it is asked for, the log says what became of it. */
async function reloadAndLog(service: Service, file: string, { log }: Pick<World, 'log'>): Promise<void> {
  try {
    await service.reload(() => readConfiguration(file))
    log('info', 'configuration reloaded')
  } catch (error) {
    const { message, stack } = error as Error
    log('error', `configuration not changed:\n${error instanceof ConfigError ? message : stack}`)
    throw error
  }
}

/** Reloads at each SIGHUP, until what it returns is called. */
function reloadOnSignal(reload: () => Promise<void>): () => void {
  const onSignal = () => void reload().catch(() => {})
  process.on('SIGHUP', onSignal)
  return () => void process.off('SIGHUP', onSignal)
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
