import { createSocket } from 'node:dgram'
import { decodeQuestion, encodeReply, RCODES } from './wire.ts'

/** What the upstream can be told while it runs. Times in ms, `drop`, `servfail` and `nx` are probabilities. */
export interface UpstreamKnobs {
  readonly delay: number
  readonly jitter: number
  readonly drop: number
  readonly servfail: number
  readonly nx: number
  readonly bytes: number
  readonly ttl: number
}

export const CALM: UpstreamKnobs = { delay: 4, jitter: 6, drop: 0, servfail: 0, nx: 0, bytes: 120, ttl: 5 }

/** Decides the answer's code: `*.sf.test` fails, `*.nx.test` does not exist, and the root name (the health check) always succeeds. */
export function decideCode(name: string, knobs: Pick<UpstreamKnobs, 'servfail' | 'nx'>, random: () => number): number {
  if (name === '') return RCODES.NOERROR
  if (name.endsWith('.sf.test') || random() < knobs.servfail) return RCODES.SERVFAIL
  return name.endsWith('.nx.test') || random() < knobs.nx ? RCODES.NXDOMAIN : RCODES.NOERROR
}

/** A UDP name server whose delay, losses and codes are changed by messages of its parent. */
function serve(port: number) {
  let knobs = CALM
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 })
  socket.on('message', (query, peer) => {
    const question = decodeQuestion(query)
    if (!question || Math.random() < knobs.drop) return
    const rcode = decideCode(question.name, knobs, Math.random)
    const reply = encodeReply(query, question, { rcode, ttl: knobs.ttl, bytes: knobs.bytes })
    const delay = knobs.delay + Math.random() * knobs.jitter
    // A zero timer costs a millisecond.
    if (delay < 1) socket.send(reply, peer.port, peer.address)
    else setTimeout(() => socket.send(reply, peer.port, peer.address), delay)
  })
  socket.bind(port, '127.0.0.1', () => process.send?.({ ready: true }))
  process.on('message', (change: Partial<UpstreamKnobs>) => {
    knobs = { ...knobs, ...change }
  })
  process.on('disconnect', () => process.exit(0))
}

if (import.meta.main) serve(Number(process.argv[2]))
