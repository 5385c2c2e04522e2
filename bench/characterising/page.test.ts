import { expect, it } from 'vitest'
import { z } from 'zod'
import { duration } from '../../src/schema.ts'
import { optionsTable } from './options-table.ts'
import { BEGIN, describeIndex, END, generatedPart, replaceGenerated } from './page.ts'

it('options are told as they are written in a file', () => {
  const config = z.strictObject({
    season: z.array(duration()).default([86_400_000]).describe('periods'),
    wait: duration().optional().describe('how long | at most'),
    kind: z.enum(['a', 'b']).default('a'),
    size: z.number().gt(0).max(1),
  })
  const cells = optionsTable(config)
    .split('\n')
    .slice(2)
    .map(line =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map(cell => cell.trim()),
    )
  expect(cells).toEqual([
    ['`season`', '`[1d]`', 'periods'],
    ['`wait`', '–', 'how long \\| at most'],
    ['`kind`', '`a`', '`a` or `b`'],
    ['`size`', 'must be given', 'more than 0, at most 1'],
  ])
  const usual = optionsTable(
    z.strictObject({ season: z.array(duration()).default([86_400_000, 604_800_000]), wait: duration().default(90_000) }),
  )
  expect(usual).toContain('`[1d, 1w]`')
  expect(usual).toContain('`1m30s`')
  expect(optionsTable(z.strictObject({}))).toBe('It has no options.')
})

it('what people wrote stays, what was generated goes', () => {
  const page = `# a\n\nby hand\n\n${BEGIN}\n\nold\n\n${END}\n\nmore by hand\n`
  const next = replaceGenerated(page, 'new')
  expect(generatedPart(next)).toBe('new')
  expect(replaceGenerated(next, 'old')).toBe(page)
  expect(() => replaceGenerated('# a', 'new')).toThrow('a page must have')
})

it('the index keeps the rows of the others, and forgets those of types that are no more', () => {
  const first = describeIndex(
    '',
    [
      ['[b](b.md)', 'x', '–', '1'],
      ['[gone](gone.md)', '', '', ''],
    ],
    ['a', 'b', 'gone'],
  )
  const second = describeIndex(first, [['[a](a.md)', 'y', '–', '2']], ['a', 'b'])
  expect(
    second
      .split('\n')
      .slice(2)
      .map(line =>
        line
          .split('|')
          .slice(1, 3)
          .map(cell => cell.trim()),
      ),
  ).toEqual([
    ['[a](a.md)', 'y'],
    ['[b](b.md)', 'x'],
  ])
})
