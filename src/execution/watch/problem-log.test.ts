import { beforeEach, expect, it } from 'vitest'
import { SECOND } from '../../duration.ts'
import { fakeFlow } from '../../testing/fake-server-parts.ts'
import { openProblemLog, type ProblemLog } from './problem-log.ts'

let now = 0
let lines: string[] = []
let log: ProblemLog
beforeEach(() => {
  now = 1_000_000
  lines = []
  log = openProblemLog({ now: () => now, log: (level, line) => void lines.push(`${level} ${line}`) })
})

it('has one line when it begins and one when it ends, whatever comes between', () => {
  for (let i = 0; i < 100; i++, now += 3 * SECOND) log.failed('flow a', 'must answer, got 502')
  log.worked('flow a')
  log.worked('flow a')
  expect(lines).toEqual(['error flow a fails: must answer, got 502', 'info flow a works again after 100 failures in 5m'])
})

it('logs a changed reason once a minute at most', () => {
  for (let i = 0; i < 121; i++, now += SECOND) log.failed('flow a', `got ${i}`)
  expect(lines).toEqual([
    'error flow a fails: got 0',
    'error flow a still fails (61 failures in 1m), now: got 60',
    'error flow a still fails (121 failures in 2m), now: got 120',
  ])
})

it('is not silent because the clock was set back', () => {
  log.failed('flow a', 'got 0')
  log.worked('flow a')
  now -= 3600 * SECOND
  log.failed('flow a', 'got 1')
  now -= 3600 * SECOND
  log.failed('flow a', 'got 2')
  expect(lines.filter(line => line.startsWith('error'))).toEqual([
    'error flow a fails: got 0',
    'error flow a fails: got 1',
    expect.stringMatching(/now: got 2$/),
  ])
})

it('keeps subjects apart, and forgets those that are gone', () => {
  log.failed('flow a', 'no')
  log.failed('flow b', 'no')
  log.keep({ flows: [fakeFlow('b', 'up')], sources: {}, notifiers: {} })
  log.worked('flow a')
  log.worked('flow b')
  expect(lines.slice(2)).toEqual(['info flow b works again after 1 failure in 1s'])
})

it('goes on with the sources and channels that are still configured, and with what is neither', () => {
  const subjects = ['source a', 'source b', 'channel a', 'channel b', 'store']
  for (const subject of subjects) log.failed(subject, 'no')
  log.keep({ flows: [fakeFlow('a', 'up')], sources: { b: {} }, notifiers: { b: {} } } as never)
  for (const subject of subjects) log.worked(subject)
  expect(lines.slice(5).map(line => line.replace(/ works.*/, ''))).toEqual(['info source b', 'info channel b', 'info store'])
})

it('has two lines a minute at most for what comes and goes', () => {
  for (let i = 0; i < 75; i++, now += SECOND) {
    log.failed('channel a', 'got 503')
    now += SECOND
    log.worked('channel a')
  }
  expect(lines).toEqual([
    'error channel a fails: got 503',
    'info channel a works again after 1 failure in 1s',
    'error channel a fails: got 503',
    'info channel a works again after 1 failure in 1s',
    'error channel a fails: got 503',
    'info channel a works again after 1 failure in 1s',
  ])
})

it('has a line for what fails again soon and then goes on failing', () => {
  log.failed('channel a', 'got 503')
  log.worked('channel a')
  for (let i = 0; i < 90; i++, now += SECOND) log.failed('channel a', 'got 401')
  log.worked('channel a')
  expect(lines).toEqual([
    'error channel a fails: got 503',
    'info channel a works again after 1 failure in 1s',
    'error channel a fails: got 401',
    'info channel a works again after 90 failures in 1m30s',
  ])
})
