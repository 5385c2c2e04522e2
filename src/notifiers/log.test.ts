import { expect, it } from 'vitest'
import { exampleMessage } from '../testing/notifier-laws.ts'
import { log } from './log.ts'

async function lineOf(message = exampleMessage()): Promise<string[]> {
  const lines: string[] = []
  const needs = { fetch, now: () => 0, log: (line: string) => void lines.push(line), externalUrl: 'http://tidewatch.example' }
  await log.create({}, needs).send(message, new AbortController().signal)
  return lines
}

it('writes one line', async () => {
  expect(await lineOf()).toEqual([
    'anomaly a1 opened in dns-requests, coredns_dns_requests_total{instance="10.0.0.1:9153",job="coredns"}: dns requests are at 480, four times the 120 usual at this hour',
  ])
})

it('says why an anomaly is withdrawn', async () => {
  const message = exampleMessage()
  const anomaly = { ...message.anomaly, labels: { a: 'b' }, withdrawnBecause: 'flow dns-requests is not configured any more' }
  const [line] = await lineOf({ ...message, kind: 'withdrawn', anomaly })
  expect(line).toMatch(
    /^anomaly a1 withdrawn in dns-requests, \{a="b"\} \(flow dns-requests is not configured any more\): dns requests/,
  )
})

it('stays one line whatever the texts hold', async () => {
  const message = exampleMessage()
  const [line] = await lineOf({
    ...message,
    anomaly: { ...message.anomaly, labels: { a: 'x\ny' }, sentence: 'one\r\ntwo\u001b[31m' },
  })
  expect(line).toBe('anomaly a1 opened in dns-requests, {a="x\\ny"}: one two [31m')
})

it('ends after the series when there is no sentence', async () => {
  const message = exampleMessage()
  const { sentence: _, ...anomaly } = { ...message.anomaly, labels: { a: 'b' } }
  expect(await lineOf({ ...message, anomaly })).toEqual(['anomaly a1 opened in dns-requests, {a="b"}'])
})
