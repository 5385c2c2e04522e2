import { expect, it } from 'vitest'
import { Attempts } from './attempts.ts'

function attempts() {
  let now = 0
  const made = new Attempts(() => now)
  return { made, pass: (ms: number) => (now += ms) }
}

it('waits are doubled from the sixth wrong attempt on, up to five minutes', () => {
  const { made, pass } = attempts()
  const waits = Array.from({ length: 16 }, () => {
    made.fail('a')
    const wait = made.wait('a')
    pass(wait)
    return wait / 1000
  })
  expect(waits).toEqual([0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
})

it('are forgotten by success, by ten quiet minutes, and for other addresses', () => {
  const { made, pass } = attempts()
  const failSix = () => Array.from({ length: 6 }, () => made.fail('a'))
  failSix()
  expect([made.wait('a'), made.wait('b')]).toEqual([1000, 0])
  made.succeed('a')
  expect(made.wait('a')).toBe(0)
  failSix()
  pass(601_000)
  made.fail('a')
  expect(made.wait('a')).toBe(0)
})

it('make nobody wait for longer because the clock was set back', () => {
  const { made, pass } = attempts()
  for (let i = 0; i < 6; i++) made.fail('a')
  pass(-3_600_000)
  expect(made.wait('a')).toBe(300_000)
})

it('count a network of IPv6 as one, and do not grow without end', () => {
  const { made } = attempts()
  for (let i = 0; i < 6; i++) made.fail(`2001:db8:1:2:${i}::1`)
  expect(made.wait('2001:db8:1:2:99::1')).toBe(1000)
  for (let i = 0; i < 10_000; i++) made.fail(`address ${i}`)
  expect(made.wait('2001:db8:1:2:99::1')).toBe(0)
})
