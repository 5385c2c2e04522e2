import { writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { findProgram, MissingError, type Running, start, waitFor } from './processes.ts'

/** The CoreDNS binary: `$COREDNS_BIN`, else on `PATH`, else where `go install` puts it. Throws `MissingError`. */
export function findCoreDNS(): string {
  const found = process.env.COREDNS_BIN || findProgram(['coredns'], [join(homedir(), 'go/bin')])
  if (!found)
    throw new MissingError(
      'coredns was not found on PATH, in $COREDNS_BIN or in ~/go/bin. With Go: go install github.com/coredns/coredns@v1.14.0',
    )
  return found
}

export interface ReplicaPorts {
  readonly dns: number
  readonly health: number
  readonly ready: number
  readonly metrics: number
}

/** A cluster-like Corefile: services by template, everything else to the upstream. */
export function writeCorefile({ dns, health, ready, metrics }: ReplicaPorts, upstream: number): string {
  return `.:${dns} {
    bind 127.0.0.1
    errors
    health 127.0.0.1:${health}
    ready 127.0.0.1:${ready}
    prometheus 127.0.0.1:${metrics}
    template IN A cluster.local {
        match "^svc[0-9]+\\.ns[0-9]+\\.svc\\.cluster\\.local\\.$"
        answer "{{ .Name }} 5 IN A 10.96.1.1"
        fallthrough
    }
    template IN ANY cluster.local {
        rcode NXDOMAIN
        authority "cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5"
    }
    forward . 127.0.0.1:${upstream} {
        max_concurrent 2000
    }
    cache 30
    loadbalance
}
`
}

/** One CoreDNS process that can be killed and started again. */
export interface Replica {
  readonly name: string
  readonly ports: ReplicaPorts
  /** Kills the process as the kernel does when memory is out: no farewell. */
  kill(): Promise<void>
  /** Starts a fresh process and resolves when it is ready. */
  revive(): Promise<void>
  stop(): Promise<void>
}

/** Starts one replica and resolves when it is ready. */
export async function startReplica(
  folder: string,
  name: string,
  binary: string,
  ports: ReplicaPorts,
  upstream: number,
): Promise<Replica> {
  const corefile = join(folder, `Corefile.${name}`)
  writeFileSync(corefile, writeCorefile(ports, upstream))
  let process: Running
  const revive = async () => {
    process = start(folder, name, binary, ['-conf', corefile])
    await waitFor(`http://127.0.0.1:${ports.ready}/ready`, () => process.child.exitCode === null)
  }
  await revive()
  return { name, ports, revive, kill: () => process.stop('SIGKILL'), stop: () => process.stop() }
}
