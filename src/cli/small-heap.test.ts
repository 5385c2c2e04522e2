import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'

// What they do to memory is measured by `npm run bench -- footprint`.
it('Node knows the flags that keep the heap small', () => {
  const file = join(import.meta.dirname, 'small-heap.ts')
  const script = `import { keepHeapSmall } from ${JSON.stringify(file)}\nkeepHeapSmall()\nconsole.log('done')`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  expect([stdout, stderr]).toEqual(['done\n', ''])
})

it('Node says so when it does not know a flag', () => {
  const script = `import { setFlagsFromString } from 'node:v8'\nsetFlagsFromString('--heap-shrinking-percent=50')`
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  expect(stderr).toContain('--heap-shrinking-percent')
})
