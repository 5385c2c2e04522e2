/** Sizes in text carry a unit, `64MiB`; in memory they are bytes. */

const UNITS: Readonly<Record<string, number>> = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 }

/** Bytes of `512KiB`, `64MB` or `1.5GiB`. Units are powers of 1024 with or without the `i`, as in the options of Prometheus. */
export function parseSize(text: string): number {
  const [, number, prefix = ''] = /^(\d+(?:\.\d+)?)\s?(?:([KMGT])i?)?B$/i.exec(text.trim()) ?? []
  if (number === undefined)
    throw new TypeError(`must be a size with a unit like 512KiB, 64MiB or 1GiB, got ${JSON.stringify(text)}`)
  return Math.round(Number(number) * UNITS[`${prefix.toUpperCase()}B`]!)
}

/** `64 MiB`, `1.5 GiB`, `17 bytes`: at most one digit behind the point. */
export function formatSize(bytes: number): string {
  let value = bytes
  let unit = 'bytes'
  for (const next of ['KiB', 'MiB', 'GiB', 'TiB']) {
    if (value < 1024) break
    value /= 1024
    unit = next
  }
  return `${Math.round(value * 10) / 10} ${unit}`
}
