import { createSocket, type Socket } from 'node:dgram'
import { createServer } from 'node:http'
import { chooseClass, MIX, type QueryClass, STORM } from './classes.ts'
import { type Curve, fromDrift, fromSeed, poisson, rateAt } from './curve.ts'
import { encodeQuery } from './wire.ts'

/** What the load can be told while it runs: a multiple of everything, and queries per second of the storm. */
export interface LoadKnobs {
  readonly multiple: number
  readonly storm: number
}

export interface LoadOptions {
  readonly targets: readonly number[]
  readonly metrics: number
  readonly curve: Curve
  readonly seed: number
}

const TICK = 10
/** How long glibc waits for an answer. */
const TIMEOUT = 5000
const SOCKETS = 4
const RCODE_NAMES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']

/** One local port's questions in flight; ids are used in turn, so that an id is free again long before its turn comes. */
class Client {
  readonly #socket: Socket
  readonly #since = new Float64Array(65536)
  readonly #waiting = new Set<number>()
  #next = 0

  constructor(onAnswer: (rcode: number, ms: number) => void) {
    this.#socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 })
    this.#socket.on('message', message => {
      const id = message.readUInt16BE(0)
      if (!this.#waiting.delete(id)) return
      onAnswer(message[3]! & 15, performance.now() - this.#since[id]!)
    })
    // A replica that is gone answers with ICMP; its questions time out like lost ones.
    this.#socket.on('error', () => {})
    this.#socket.bind(0, '127.0.0.1')
  }

  ask(port: number, name: string, type: Parameters<typeof encodeQuery>[2]) {
    const id = this.#next
    this.#next = (id + 1) & 0xffff
    this.#since[id] = performance.now()
    this.#waiting.add(id)
    this.#socket.send(encodeQuery(id, name, type), port, '127.0.0.1', () => {})
  }

  /** Gives up on old questions and says how many. Sets keep the order of insertion, so the oldest come first. */
  expire(): number {
    const limit = performance.now() - TIMEOUT
    let count = 0
    for (const id of this.#waiting) {
      if (this.#since[id]! > limit) break
      this.#waiting.delete(id)
      count++
    }
    return count
  }
}

function run({ targets, metrics, curve, seed }: LoadOptions) {
  const random = fromSeed(seed)
  const drift = fromDrift(random)
  const sent: Record<string, number> = {}
  const answers: Record<string, number> = {}
  let timeouts = 0
  let seconds = 0
  let answered = 0
  let knobs: LoadKnobs = { multiple: 1, storm: 0 }
  const clients = Array.from(
    { length: SOCKETS },
    () =>
      new Client((rcode, ms) => {
        const name = RCODE_NAMES[rcode] ?? 'other'
        answers[name] = (answers[name] ?? 0) + 1
        answered++
        seconds += ms / 1000
      }),
  )
  const send = (count: number, choose: () => QueryClass) => {
    for (; count > 0; count--) {
      const each = choose()
      const { name, type } = each.draw(random)
      sent[each.name] = (sent[each.name] ?? 0) + 1
      clients[Math.floor(random() * SOCKETS)]!.ask(targets[Math.floor(random() * targets.length)]!, name, type)
    }
  }
  const start = performance.now()
  let last = start
  let noise = 1
  let second = -1
  setInterval(() => {
    const now = performance.now()
    // After a stall the lost time is not made up for: a burst would be a fault of the lab.
    const elapsed = Math.min(now - last, 10 * TICK) / 1000
    last = now
    if (Math.floor(now / 1000) !== second) {
      second = Math.floor(now / 1000)
      noise = drift()
    }
    send(poisson(rateAt(curve, now - start) * noise * knobs.multiple * elapsed, random), () => chooseClass(MIX, random))
    if (knobs.storm > 0) send(poisson(knobs.storm * elapsed, random), () => STORM)
  }, TICK)
  setInterval(() => {
    for (const client of clients) timeouts += client.expire()
  }, 250)
  const table = (name: string, label: string, counts: Record<string, number>) =>
    `# TYPE ${name} counter\n${Object.entries(counts)
      .map(([key, value]) => `${name}{${label}="${key}"} ${value}\n`)
      .join('')}`
  createServer((_, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4')
    response.end(
      `${table('lab_queries_total', 'class', sent)}${table('lab_answers_total', 'rcode', answers)}` +
        `# TYPE lab_timeouts_total counter\nlab_timeouts_total ${timeouts}\n` +
        `# TYPE lab_answer_seconds summary\nlab_answer_seconds_sum ${seconds}\nlab_answer_seconds_count ${answered}\n`,
    )
  }).listen(metrics, '127.0.0.1', () => process.send?.({ ready: true }))
  process.on('message', (change: Partial<LoadKnobs>) => {
    knobs = { ...knobs, ...change }
  })
  process.on('disconnect', () => process.exit(0))
}

if (import.meta.main) run(JSON.parse(process.argv[2]!) as LoadOptions)
