#!/usr/bin/env -S MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072 node --max-semi-space-size=2
// What must be known at the start of a process keeps the memory of a service small, by a third; docs/backup.md has figures. The flag (MiB) is the size of
// the heap for young objects. The variables are for glibc and do nothing elsewhere: all threads share one pool of memory, and what was freed goes back to the
// system (a block of 128 KiB at once) in place of being kept.
// Runs on old versions of Node too, to say what is missing. A development checkout brings its own Node.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const NEEDED = [24, 15]
const path = name => fileURLToPath(new URL(name, import.meta.url))

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])
}

if (isNewEnough(process.versions.node)) {
  const built = new URL('../dist/src/cli/main.js', import.meta.url)
  const source = new URL('../src/cli/main.ts', import.meta.url)
  // Sources win where both are, so that a stale build is never run in a checkout.
  const { runProcess } = await import(existsSync(source) ? source.href : built.href)
  await runProcess()
} else {
  const own = path('../node_modules/node/bin/node')
  if (existsSync(own) && !process.env.TIDEWATCH_NODE) {
    const child = spawn(own, ['--max-semi-space-size=2', path('./tidewatch.js'), ...process.argv.slice(2)], {
      stdio: 'inherit',
      env: { ...process.env, TIDEWATCH_NODE: own },
    })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
    child.on('error', error => {
      console.error(`tidewatch: ${error.message}`)
      process.exitCode = 1
    })
    child.on('exit', (code, signal) => {
      if (signal) process.removeAllListeners(signal)
      if (signal) process.kill(process.pid, signal)
      process.exitCode = code ?? 1
    })
  } else {
    console.error(`tidewatch: must run on Node ${NEEDED.join('.')} or later, got ${process.versions.node}`)
    process.exitCode = 1
  }
}
