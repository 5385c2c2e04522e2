/** A secret shorter than this is replaced as a whole word only: a tenant called `1` must not spoil every number of a message. */
const SHORT = 8

/** The text with `***` wherever one of the secrets stands, also as JSON, as an address and as a form spell it. */
export function redact(text: string, secrets: readonly string[]): string {
  const spellings = new Set(secrets.flatMap(spell))
  // The longest first, so that a secret that holds another one leaves nothing behind.
  const longestFirst = [...spellings].filter(Boolean).toSorted((a, b) => b.length - a.length)
  return longestFirst.reduce(
    (rest, secret) => (secret.length < SHORT ? replaceWords(rest, secret) : rest.replaceAll(secret, '***')),
    text,
  )
}

/** What is secret of an address whose path or query is a token, as those of Slack are: all behind the host, and its longer parts alone. */
export function secretsOfAddress(address: string): string[] {
  const { pathname, search, searchParams } = new URL(address)
  const parts = [...pathname.split('/').map(decodePart), ...searchParams.values()].filter(part => part.length >= 16)
  return [...(pathname === '/' ? [] : [pathname, pathname + search]), ...parts]
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function spell(secret: string): string[] {
  const form = new URLSearchParams({ secret }).toString().slice('secret='.length)
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed()), form]
}

/** Replaces the word where no letter or digit stands beside it. */
function replaceWords(text: string, word: string): string {
  const parts = text.split(word)
  return parts
    .map((part, i) => {
      const next = parts[i + 1]
      if (next === undefined) return part
      const isWord = !isLetter(part.at(-1)) && !isLetter(next[0])
      return part + (isWord ? '***' : word)
    })
    .join('')
}

function isLetter(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_]/u.test(character)
}
