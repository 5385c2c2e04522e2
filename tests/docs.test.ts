import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { optionsTable } from '../bench/characterising/options-table.ts'
import { BEGIN, END, generatedPart } from '../bench/characterising/page.ts'
import { readConfiguration } from '../src/cli/read-configuration.ts'
import { detectors } from '../src/detectors/index.ts'

const folder = join(import.meta.dirname, '../docs/detectors')
const index = readFileSync(join(folder, 'README.md'), 'utf8')

describe.each(Object.values(detectors))('the page of $type', ({ type, config }) => {
  const file = join(folder, `${type}.md`)
  const again = `write it, or let it be written: npm run bench -- characterise --only ${type}`
  const read = () => {
    expect(existsSync(file), again).toBe(true)
    return readFileSync(file, 'utf8')
  }

  it('has the options as they are', () =>
    expect(generatedPart(read()), again).toContain(`## Options\n\n${optionsTable(config)}\n`))

  it('says what it finds, what it costs, and shows it', () => {
    const generated = generatedPart(read())
    for (const title of ['## What it finds and misses', '## Cost', '## Picture']) expect(generated, again).toContain(title)
    expect(readFileSync(join(folder, 'pictures', `${type}.svg`), 'utf8')).toMatch(/^<svg [\s\S]*class="value"[\s\S]*<\/svg>\n$/)
  })

  it('has its mathematics, and when to use it, from a person', () => {
    const page = read()
    const mathematics = page.slice(page.indexOf('## Mathematics'), page.indexOf(BEGIN))
    const use = page.slice(page.indexOf(END))
    expect(mathematics).toMatch(/## Mathematics\n\n[\s\S]{100,}/)
    expect(mathematics).toContain('```')
    expect(use).toMatch(/## When to use it\n\n[\s\S]{50,}/)
  })

  it('is in the index', () => expect(generatedPart(index)).toContain(`| [${type}](${type}.md)`))
})

it('there is no page of a detector that is no more', () => {
  const pages = readdirSync(folder).flatMap(name => (name.endsWith('.md') && name !== 'README.md' ? [name.slice(0, -3)] : []))
  const pictures = readdirSync(join(folder, 'pictures')).map(name => name.slice(0, -4))
  for (const type of [...pages, ...pictures]) expect(Object.keys(detectors)).toContain(type)
})

it('the configuration of docs/connecting.md loads without a fault', async () => {
  const [, text] = /```yaml\n([\s\S]*?)```/.exec(readFileSync(join(folder, '../connecting.md'), 'utf8'))!
  const place = mkdtempSync(join(tmpdir(), 'tidewatch-docs-'))
  for (const [, file] of text!.matchAll(/\.\/([\w.-]+)/g)) writeFileSync(join(place, file!), 'https://hooks.example/secret\n')
  writeFileSync(join(place, 'tidewatch.yaml'), `${text}flows: [{ name: up, query: { expr: up }, notify: [pager, chat] }]\n`)
  const { sources, notifiers } = await readConfiguration(join(place, 'tidewatch.yaml'))
  rmSync(place, { recursive: true })
  expect([Object.keys(sources), Object.keys(notifiers)]).toEqual([['mimir'], ['pager', 'chat']])
})

describe('docs/operations.md', () => {
  const root = join(import.meta.dirname, '..')
  const sections = readFileSync(join(root, 'docs/operations.md'), 'utf8').split(/^## /m).slice(1)
  const scripts = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts)

  it.each(sections.map(section => [section.split('\n')[0]!, section]))('names tests that exist: %s', (_, section) => {
    const rows = section.split('\n').filter(line => line.startsWith('| ') && !/^\| (Fault |-)/.test(line))
    expect(rows.length).toBeGreaterThan(0)
    const usual = /The tests are in `([^`]+)`/.exec(section)?.[1]
    expect(rows.flatMap(row => untrue(row.split(/(?<!\\)\|/)[3]!.trim(), usual))).toEqual([])
  })

  it('has each fault once', () => {
    const faults = sections.join('').matchAll(/^\| (.*?) +\|/gm)
    const rows = [...faults].map(([, fault]) => fault!).filter(fault => fault !== 'Fault' && !/^-+$/.test(fault))
    expect(rows).toEqual([...new Set(rows)])
  })

  /** What a cell claims that is not so. It holds `file`: title › title; title, where … stands for any text, or `npm run script`. */
  function untrue(cell: string, usual: string | undefined): string[] {
    let file = usual
    return cell.split('; ').flatMap(claim => {
      const [, name, title] = /^(?:`([^`]+)`(?:: |$))?(.*)$/.exec(claim)!
      if (name?.startsWith('npm run ')) return scripts.includes(name.slice(8)) ? [] : [`${claim}: no such script`]
      file = name ?? file
      if (file === undefined || !existsSync(join(root, file))) return [`${claim}: no such file`]
      const source = readFileSync(join(root, file), 'utf8').replaceAll("\\'", "'")
      const missing = title!.split(/ › |…/).filter(part => !source.includes(part.trim()))
      return missing.length === 0 ? [] : [`${claim}: ${file} has no ${JSON.stringify(missing)}`]
    })
  }
})

describe('links between the pages', () => {
  const root = join(import.meta.dirname, '..')
  const pages = [
    'README.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    ...readdirSync(join(root, 'docs')).flatMap(name => (name.endsWith('.md') ? [`docs/${name}`] : [])),
  ]
  const linksOf = (page: string) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map(([, link]) =>
      normalize(join(dirname(page), link!)),
    )

  it.each(pages)('lead to files that exist: %s', page =>
    expect(linksOf(page).filter(link => !existsSync(join(root, link)))).toEqual([]),
  )

  it('lead from README to every page', () => {
    const reached = new Set(['README.md'])
    for (const page of reached) if (pages.includes(page)) for (const link of linksOf(page)) reached.add(link)
    expect(pages.filter(page => page.startsWith('docs/') && !reached.has(page))).toEqual([])
  })
})
