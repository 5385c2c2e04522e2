import type { RecordType } from './wire.ts'

export interface Query {
  readonly name: string
  readonly type: RecordType
}

/** One kind of query and its share of the load. */
export interface QueryClass {
  readonly name: string
  readonly share: number
  draw(random: () => number): Query
}

/** A rank from 0 to `count - 1` by Pareto's law: a few names get most of the queries. */
export function popular(count: number, random: () => number, alpha = 1.1): number {
  return Math.min(count - 1, Math.floor((1 - random()) ** (-1 / alpha)) - 1)
}

export function randomLabel(random: () => number): string {
  let label = ''
  for (let left = 8 + Math.floor(random() * 5); left > 0; left--) label += String.fromCharCode(97 + Math.floor(random() * 26))
  return label
}

const service = (random: () => number) => `svc${popular(200, random)}.ns${Math.floor(random() * 5)}.svc.cluster.local`

/** What the pods of a cluster ask for all day: services, names missed in the search path (`ndots:5`), names outside. */
export const MIX: readonly QueryClass[] = [
  { name: 'service', share: 0.45, draw: random => ({ name: service(random), type: 'A' }) },
  { name: 'search', share: 0.24, draw: random => ({ name: `www${popular(60, random)}.ok.test.svc.cluster.local`, type: 'A' }) },
  {
    name: 'external',
    share: 0.28,
    draw: random => ({ name: `www${popular(400, random, 0.7)}.ok.test`, type: random() < 0.25 ? 'AAAA' : 'A' }),
  },
  { name: 'missing', share: 0.02, draw: random => ({ name: `old${popular(100, random)}.nx.test`, type: 'A' }) },
  { name: 'text', share: 0.01, draw: random => ({ name: `spf${popular(20, random)}.ok.test`, type: 'TXT' }) },
]

/** Names that nobody has, asked of the upstream each time. */
export const STORM: QueryClass = {
  name: 'storm',
  share: 0,
  draw: random => ({ name: `${randomLabel(random)}.nx.test`, type: 'A' }),
}

/** Draws a class by its share. */
export function chooseClass(classes: readonly QueryClass[], random: () => number): QueryClass {
  let left = random() * classes.reduce((sum, { share }) => sum + share, 0)
  for (const each of classes) {
    left -= each.share
    if (left < 0) return each
  }
  return classes[classes.length - 1]!
}
