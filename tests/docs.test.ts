import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
