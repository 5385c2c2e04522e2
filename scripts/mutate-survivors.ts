interface Tested {
  readonly fileName: string
  readonly status: string
  readonly mutatorName: string
  readonly replacement?: string
  readonly location: { readonly start: { readonly line: number; readonly column: number } }
}

/** A reporter of Stryker that says of each change that no test notices at once, not only at the end: runs may take an hour. */
export const strykerPlugins = [
  {
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
