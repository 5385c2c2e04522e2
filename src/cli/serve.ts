import { dirname, resolve } from 'node:path'
import { ConfigError } from '../errors.ts'
import { type Service, startService } from '../execution/service.ts'
import type { Configuration } from '../pipeline/configuration.ts'
import { makeApp } from '../server/app.ts'
import { listen } from '../server/listen.ts'
import { stores } from '../stores/index.ts'
import type { Store } from '../stores/store.ts'
import { readConfiguration } from './read-configuration.ts'
import { VERSION } from './version.ts'
import { realWorld } from './world.ts'

/** `tidewatch serve --config FILE`: runs until a signal ends it. SIGHUP and `POST /-/reload` read the file again. */
export async function run({ config: file }: { readonly config: string }): Promise<void> {
  const world = realWorld()
  const folder = dirname(resolve(file))
  const configuration = await readConfiguration(file)
  const store = openStore(configuration, folder, world.now)
  const service = await startService(configuration, store, folder, world)
  const reload = () => service.reload(() => readConfiguration(file))
  await serveUntilSignal(service, reload)
}

export function openStore(configuration: Configuration, folder: string, now: () => number): Store {
  return stores[configuration.store.type]!.create(configuration.store.config, { folder, now })
}

/** Serves API and page of a service; SIGHUP reloads, SIGTERM and SIGINT end it. Resolves when all is closed. */
export async function serveUntilSignal(service: Service, reload: () => Promise<void>): Promise<void> {
  const { host, port } = service.configuration().server
  const world = realWorld()
  const app = makeApp({
    store: service.store,
    configuration: service.configuration,
    health: service.health,
    reload,
    metrics: service.metrics,
    now: world.now,
    version: VERSION,
    log: line => world.log('error', line),
  })
  const server = await listen(app, { host, port })
  world.log('info', `Tidewatch ${VERSION} watches ${service.configuration().flows.length} flows; page and API on ${server.url}`)

  process.on('SIGHUP', () => {
    reload().then(
      () => world.log('info', 'configuration reloaded'),
      (error: Error) =>
        world.log('error', `configuration not changed:\n${error instanceof ConfigError ? error.message : error.stack}`),
    )
  })
  await new Promise<void>(done => {
    const stop = () => done()
    process.once('SIGTERM', stop)
    process.once('SIGINT', stop)
  })
  world.log('info', 'stopping')
  await server.close()
  await service.close()
}
