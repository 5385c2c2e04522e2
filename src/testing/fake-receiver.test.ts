import { afterEach, expect, it } from 'vitest'
import { sign } from '../notifiers/webhook.ts'
import { type FakeReceiver, openReceiver, type ReceiverOptions } from './fake-receiver.ts'

let receiver: FakeReceiver | undefined
afterEach(() => receiver?.close())

const open = async (options: ReceiverOptions = {}) => (receiver = await openReceiver(options))
const tell = (key: string, body = '{}', headers: Record<string, string> = {}) =>
  fetch(receiver!.url, { method: 'POST', body, headers: { 'idempotency-key': key, ...headers } })

it('counts what it accepted by key', async () => {
  const { counts, receipts } = await open({ answer: (_request, index) => (index === 1 ? 503 : 200) })
  await tell('a')
  expect((await tell('b')).status).toBe(503)
  await tell('b')
  await tell('b')
  expect([...counts()]).toEqual([
    ['a', 1],
    ['b', 2],
  ])
  expect(receipts.map(receipt => receipt.status)).toEqual([200, 503, 200, 200])
})

it('cuts the connection when it is told to', async () => {
  const { receipts, counts } = await open({ answer: () => 'cut' })
  await expect(tell('a')).rejects.toThrow('fetch failed')
  expect(receipts[0]!.status).toBe(0)
  expect(counts().size).toBe(0)
})

it('tells a signed body from another', async () => {
  const { receipts } = await open({ secret: 's' })
  await tell('a', '{"x":1}', { 'x-tidewatch-signature': sign('s', 5, '{"x":1}') })
  await tell('b', '{"x":2}', { 'x-tidewatch-signature': sign('s', 5, '{"x":1}') })
  await tell('c')
  expect(receipts.map(receipt => receipt.signed)).toEqual([true, false, false])
})

it('waits for what is to come', async () => {
  const { until } = await open()
  const both = until(receipts => receipts.length === 2)
  await Promise.all([tell('a'), tell('b')])
  await expect(both).resolves.toBeUndefined()
})
