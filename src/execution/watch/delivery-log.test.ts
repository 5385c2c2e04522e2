import { beforeEach, expect, it } from 'vitest'
import { MINUTE, SECOND } from '../../duration.ts'
import type { Attempt } from '../../responding/outbox.ts'
import { exampleMessage } from '../../testing/notifier-laws.ts'
import { type DeliveryLog, openDeliveryLog } from './delivery-log.ts'
import { openProblemLog } from './problem-log.ts'

let now = 0
let lines: string[] = []
let deliveries: DeliveryLog
beforeEach(() => {
  now = 1_000_000
  lines = []
  const world = { now: () => now, log: (level: string, line: string) => void lines.push(`${level} ${line}`) }
  deliveries = openDeliveryLog(world, openProblemLog(world))
})

const attempt = (outcome: 'failed' | 'set aside' | 'abandoned', text: string, message = exampleMessage()): Attempt => ({
  outcome,
  message,
  error: new Error(text),
  reason: 'x',
})
const accepted: Attempt = { outcome: 'accepted', message: exampleMessage() }

it('has one line when a channel begins to fail and one when it works again, not one for each attempt', () => {
  for (let i = 0; i < 300; i++, now += SECOND) deliveries.attempted('pager', attempt('failed', 'must answer 2xx, got 401'))
  deliveries.attempted('other', accepted)
  deliveries.attempted('pager', accepted)
  deliveries.attempted('pager', accepted)
  expect(lines).toEqual([
    'error channel pager fails: must answer 2xx, got 401',
    'info channel pager works again after 300 failures in 5m',
  ])
})

it('has one line for a message that is set aside, however often it is tried, and one a minute for many', () => {
  deliveries.attempted('pager', attempt('set aside', 'got 400'))
  deliveries.attempted('pager', attempt('set aside', 'got 400', exampleMessage({ isSetAside: true })))
  for (let i = 0; i < 20; i++) deliveries.attempted('pager', attempt('set aside', 'got 400'))
  now += MINUTE
  deliveries.attempted('pager', attempt('set aside', 'got 413'))
  expect(lines).toEqual([
    'warning channel pager refuses the content, set aside: the message "opened" about anomaly a1: got 400',
    'warning channel pager refuses the content, set aside: the message "opened" about anomaly a1: got 413; 20 others since the last such line',
  ])
})

it('names what was given up', () => {
  deliveries.attempted('pager', attempt('abandoned', 'got 503', exampleMessage({ kind: 'resolved' })))
  expect(lines).toEqual([
    'error channel pager fails: got 503',
    'warning channel pager was not told in time, given up: the message "resolved" about anomaly a1: got 503',
  ])
})

it('has one line for a store that fails and one when an attempt could be written down', () => {
  for (let i = 0; i < 9; i++, now += SECOND) deliveries.storeFailed(new Error('got a full disk'))
  deliveries.attempted('pager', accepted)
  expect(lines).toEqual(['error outbox fails: got a full disk', 'info outbox works again after 9 failures in 9s'])
})
