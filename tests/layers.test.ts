import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

/** The order of imports: a folder may import itself, the words (`src/*.ts`) and what stands before it. This table is the architecture diagram. */
const LAYERS = [
  'math',
  'frame',
  'calendars',
  'kernels',
  'models',
  'transforms',
  'detectors',
  'rules',
  'refiners',
  'http',
  'sources',
  'stores',
  'notifiers',
  'actions',
  'pipeline',
  'incidents',
  'responding',
  'feedback',
  'execution',
  'packs',
  'server',
  'cli',
]
/** Testing is for authors of any layer; it may import every contract. The words, and the library's front, belong to no layer. */
const FREE = new Set(['testing', ''])

const root = resolve(import.meta.dirname, '..')
const sources = globSync('src/**/*.ts', { cwd: root }).filter(file => !file.endsWith('.test.ts'))

export function brokenImports(files: readonly { path: string; text: string }[]): string[] {
  const broken: string[] = []
  for (const { path, text } of files) {
    const from = folderOf(path)
    if (FREE.has(from)) continue
    if (!LAYERS.includes(from)) broken.push(`${path} stands in a folder that has no place in the order`)
    for (const [statement, target] of text.matchAll(/^(?:import|export)\s[^;]*?from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/gm)) {
      const file = target ?? /'(.+)'/.exec(statement)![1]!
      const to = folderOf(join(dirname(path), file))
      if (FREE.has(to) ? to === 'testing' : LAYERS.indexOf(to) > LAYERS.indexOf(from)) broken.push(`${path} imports ${file}`)
    }
    if (from === 'math' && /from '\.\.\/(?!math\/)/.test(text)) broken.push(`${path} must import nothing outside math`)
  }
  return broken
}

function folderOf(path: string): string {
  const parts = path.split('/')
  return parts.length > 2 ? parts[1]! : ''
}

const read = (path: string) => ({ path, text: readFileSync(join(root, path), 'utf8') })

describe('layers', () => {
  it('are imported downwards only', () => {
    expect(brokenImports(sources.map(read))).toEqual([])
  })

  it('catch an arrow that points up', () => {
    expect(brokenImports([{ path: 'src/math/a.ts', text: "import { x } from '../cli/x.ts'" }])).toContain(
      'src/math/a.ts imports ../cli/x.ts',
    )
  })
})

describe('clock, randomness, environment and network', () => {
  const below = sources.filter(file => !/^src\/(cli|server|testing)\//.test(file))
  it.each([
    ['Date.now()', /\bDate\.now\(\)|\bnew Date\(\)/],
    ['Math.random', /\bMath\.random\b/],
    ['process.env', /\bprocess\.env\b/],
    ['global fetch', /\bglobalThis\.fetch\b/],
  ])('%s is used in cli and server only', (_, pattern) => {
    const users = below.filter(file => pattern.test(stripComments(readFileSync(join(root, file), 'utf8'))))
    expect(users.map(file => relative(root, join(root, file)))).toEqual([])
  })
})

describe('patterns of users', () => {
  it('are compiled in src/pattern.ts only, whose engine does not backtrack', () => {
    const users = sources.filter(file => /\bnew RegExp\(|\bRegExp\(/.test(stripComments(readFileSync(join(root, file), 'utf8'))))
    expect(users).toEqual([])
  })
})

function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}
