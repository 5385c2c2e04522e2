import { type ChildProcess, fork, spawn } from 'node:child_process'
import { accessSync, constants, openSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** What the machine lacks for the lab; the command ends with exit code 3. */
export class MissingError extends Error {}

/** Finds a program in the folders of `PATH` and those given besides; undefined when it is nowhere. */
export function findProgram(names: readonly string[], folders: readonly string[] = []): string | undefined {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...folders])
    for (const name of names) {
      const file = join(folder, name)
      try {
        accessSync(file, constants.X_OK)
        return file
      } catch {
        // Not here.
      }
    }
  return undefined
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export interface Running {
  readonly name: string
  readonly log: string
  readonly child: ChildProcess
  /** Ends the process; resolves when it is gone. A deaf one is killed after two seconds. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** Starts a program that is ended with this process; what it prints goes to `<folder>/<name>.log`. */
export function start(folder: string, name: string, program: string, args: readonly string[], cwd = folder): Running {
  const log = join(folder, `${name}.log`)
  const out = openSync(log, 'a')
  return keep(name, log, spawn(program, args, { cwd, stdio: ['ignore', out, out] }))
}

/** Starts a module of the lab as a child that says `ready` and is told things by `send`. */
export async function startModule(folder: string, name: string, module: string, args: readonly string[]): Promise<Running> {
  const log = join(folder, `${name}.log`)
  const out = openSync(log, 'a')
  const running = keep(name, log, fork(module, args, { stdio: ['ignore', out, out, 'ipc'] }))
  await new Promise<void>((resolve, reject) => {
    running.child.once('message', () => resolve())
    running.child.once('exit', code => reject(new Error(`${name} ended with ${code} before it was ready, see ${log}`)))
  })
  return running
}

function keep(name: string, log: string, child: ChildProcess): Running {
  running.add(child)
  child.once('exit', () => running.delete(child))
  child.once('error', () => running.delete(child))
  return {
    name,
    log,
    child,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise<void>(resolve => child.once('exit', () => resolve()))
      child.kill(signal)
      const deaf = globalThis.setTimeout(() => child.kill('SIGKILL'), 2000)
      await gone
      clearTimeout(deaf)
    },
  }
}

/** Resolves when the address answers 2xx; throws when it does not within `limit` ms or `alive` turns false. */
export async function waitFor(url: string, alive: () => boolean = () => true, limit = 20_000): Promise<void> {
  for (const end = Date.now() + limit; Date.now() < end; await sleep(100)) {
    if (!alive()) throw new Error(`the process behind ${url} ended`)
    try {
      if ((await fetch(url, { signal: AbortSignal.timeout(1000) })).ok) return
    } catch {
      // Not up yet.
    }
  }
  throw new Error(`${url} did not answer within ${limit / 1000} s`)
}

/** Throws when something already listens on one of the TCP ports. */
export async function assertFree(ports: readonly number[]): Promise<void> {
  for (const port of ports)
    await new Promise<void>((resolve, reject) => {
      const server = createServer()
      server.once('error', () => reject(new Error(`port ${port} is in use; give another --ports BASE`)))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve()))
    })
}
