interface Tested {
  readonly fileName: string
  readonly status: string
  readonly mutatorName: string
  readonly replacement?: string
  readonly location: { readonly start: { readonly line: number; readonly column: number } }
}

/** What Stryker knows of a place in the code, by its parser. */
interface Place {
  isStatement(): boolean
  isBlockStatement(): boolean
  readonly parentPath: Place | null
  traverse(visitor: { readonly BlockStatement: (inner: { stop(): void }) => void }): void
}

let statements = 0
const every = Number(process.env.MUTATE_SAMPLE ?? 1)

/** A statement of a block that has no block of its own. */
function isSmall(place: Place): boolean {
  if (!place.isStatement() || place.isBlockStatement() || !place.parentPath?.isBlockStatement()) return false
  let hasBlock = false
  place.traverse({
    BlockStatement(inner) {
      hasBlock = true
      inner.stop()
    },
  })
  return !hasBlock
}

export const strykerPlugins = [
  {
    /** Leaves out all but every so many of the small statements, where all of them would take too long. */
    kind: 'Ignore',
    name: 'sample',
    value: {
      shouldIgnore: (place: Place) => (isSmall(place) && statements++ % every !== 0 ? 'not in the sample' : undefined),
    },
  },
  {
    /** Says of each change that no test notices at once, not only at the end: runs may take an hour. */
    kind: 'Reporter',
    name: 'survivors',
    value: {
      onMutantTested({ fileName, status, mutatorName, replacement = '', location: { start } }: Tested) {
        if (status !== 'Survived' && status !== 'NoCoverage' && status !== 'Timeout') return
        const place = `${fileName.replace(/.*?(src\/.*)/, '$1')}:${start.line}:${start.column}`
        console.error(`${place} ${status}: ${mutatorName} → ${replacement.split('\n')[0]}`)
      },
    },
  },
]
