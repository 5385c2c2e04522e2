import { describe, expect, it } from 'vitest'
import type { Anomaly } from '../anomaly.ts'
import { describeSeries, formatNumber, formatRatio, writeSentence } from './sentence.ts'

const at = (time: string) => Date.parse(`2026-11-21T${time}Z`)
const now = at('14:30:00')

const base: Anomaly = {
  labels: { __name__: 'coredns_dns_requests' },
  detector: 'seasonal',
  start: at('14:02:00'),
  end: at('14:05:00'),
  peak: at('14:03:00'),
  score: 30,
  strength: 6,
  direction: 'up',
  current: 4812,
  expected: 528,
  lower: 430,
  upper: 640,
  ongoing: true,
}
const say = (change: Partial<Anomaly>, wording: Parameters<typeof writeSentence>[1] = {}) =>
  writeSentence({ ...base, ...change }, { now, ...wording })

describe('writeSentence', () => {
  it('says what, how far and since when', () => {
    expect(say({}, { unit: '/s' })).toBe(
      'coredns_dns_requests is 4812/s, 9.1× the usual 528/s (expected 430–640) since 14:02 UTC',
    )
    expect(say({ ongoing: false }, { unit: '1/s' })).toBe(
      'coredns_dns_requests was 4812/s, 9.1× the usual 528/s (expected 430–640) from 14:02 to 14:05 UTC',
    )
  })

  it('names the column that leads, or those that part together', () => {
    const one = { name: 'instance=a', share: 0.75, value: 4812, expected: 528 }
    const few = { name: 'instance=b', share: 0.2, value: 530 }
    expect(say({ columns: [one, few] }, { unit: '/s' })).toBe(
      'instance=a of coredns_dns_requests is 4812/s, 9.1× the usual 528/s (expected 430–640) since 14:02 UTC',
    )
    expect(say({ labels: {}, columns: [one] })).toMatch(/^instance=a is 4812, 9.1×/)
    const qps = { name: 'qps', share: 0.4, value: 4812, expected: 528 }
    const rest = ['errors', 'size', 'memory'].map((name, i) => ({ name, share: 0.3 - i / 10, value: 7 + i }))
    expect(say({ labels: { instance: 'a' }, columns: [qps, ...rest] }, { name: 'dns' })).toBe(
      'dns{instance=a}: qps, errors and size are unusual together since 14:02 UTC: qps is 4812 where 528 is usual (40% of the score), errors is 7 (30% of the score), size is 8 (20% of the score)',
    )
    expect(say({ labels: {}, ongoing: false, columns: [{ ...qps, share: 0.5 }, rest[0]] }, { name: 'dns' })).toBe(
      'dns: qps and errors were unusual together from 14:02 to 14:05 UTC: qps was 4812 where 528 is usual (50% of the score), errors was 7 (30% of the score)',
    )
  })

  it('does not say of the column that leads what is true of another', () => {
    expect(say({ labels: {}, columns: [{ name: 'errors', share: 0.9, value: NaN }] }, { name: 'dns' })).toBe(
      'dns: errors is unusual since 14:02 UTC: errors is unknown (90% of the score)',
    )
  })

  it('names days other than that of writing, and seconds where they count', () => {
    expect(say({ start: at('14:02:05') })).toContain('since 14:02:05 UTC')
    expect(writeSentence(base)).toContain('since 2026-11-21 14:02 UTC')
    expect(say({ start: at('14:02:00') - 86_400_000, ongoing: false })).toContain('from 2026-11-20 14:02 to 2026-11-21 14:05 UTC')
  })

  it('compares in the way that says most', () => {
    expect(say({ current: 700 })).toContain('is 700, 33% above the usual 528 ')
    expect(say({ current: 132 })).toContain('is 132, 75% below the usual 528 ')
    expect(say({ current: 0 })).toContain('is 0, 100% below the usual 528 ')
    expect(say({ current: 12, expected: 0 })).toContain('is 12, above the usual 0 ')
    expect(say({ current: -5, expected: 3 })).toContain('is -5, below the usual 3 ')
    expect(say({ current: -30, expected: -10 })).toContain('is -30, below the usual -10 ')
    expect(say({ expected: NaN, lower: NaN, upper: NaN })).toBe('coredns_dns_requests is 4812 since 14:02 UTC')
  })

  it('says that a value has no bound', () => {
    expect(say({ current: Infinity }, { unit: '/s' })).toBe(
      'coredns_dns_requests is +Inf (no bound), above the usual 528/s (expected 430–640) since 14:02 UTC',
    )
    expect(say({ current: -Infinity, direction: 'down', lower: NaN, upper: NaN }, { unit: 'bytes' })).toBe(
      'coredns_dns_requests is -Inf (no bound), below the usual 528 B since 14:02 UTC',
    )
  })

  it('does not compare heights inside the band', () => {
    expect(say({ current: 560, ongoing: false })).toBe(
      'coredns_dns_requests moved in an unusual way, though within its band, from 14:02 to 14:05 UTC: 560 where 528 is usual (expected 430–640)',
    )
    expect(say({ current: 560 })).toMatch(/moves in an unusual way, though within its band, since 14:02 UTC: 560 where/)
  })

  it('gives more digits to numbers that would look the same', () => {
    expect(say({ current: 1.00032, expected: 1.00011 })).toContain('is 1.0003, 0.021% above the usual 1.0001 ')
  })

  it('gives the band as people read it', () => {
    expect(say({ lower: -20, upper: 640 }, { unit: '/s' })).toContain('(expected at most 640/s)')
    expect(say({ lower: -20, upper: 640 })).toContain('(expected -20 to 640)')
    expect(say({ upper: NaN }, { unit: '/s' })).toContain('(expected at least 430/s)')
    expect(say({ current: 2 ** 31, expected: 2 ** 30, lower: 2 ** 29, upper: 2 ** 30 * 1.5 }, { unit: 'bytes' })).toBe(
      'coredns_dns_requests is 2 GiB, 2× the usual 1 GiB (expected 512 MiB–1.5 GiB) since 14:02 UTC',
    )
    expect(say({ current: 0.43, expected: 0.012, lower: 0.01, upper: 0.02 }, { unit: 'ratio' })).toContain(
      'is 43%, 36× the usual 1.2% (expected 1–2%)',
    )
    expect(say({ current: 0.43, expected: 0.012, lower: 0.01, upper: 0.02 }, { unit: 's' })).toContain(
      'is 430 ms, 36× the usual 12 ms (expected 10–20 ms)',
    )
    expect(say({ current: 430, expected: 0.9, lower: 0.5, upper: 1.2 }, { unit: 's' })).toContain(
      'is 7m10s, 478× the usual 900 ms (expected 500 ms–1.2 s)',
    )
  })

  it('has words for each shape', () => {
    const unit = '/s'
    expect(say({ shape: 'level-shift', numbers: { before: 528, after: 1320 } }, { unit })).toBe(
      'coredns_dns_requests rose from 528/s to 1320/s (2.5×) and has stayed there (expected 430–640) since 14:02 UTC',
    )
    expect(say({ shape: 'level-shift', numbers: { before: 528, after: 12 }, ongoing: false }, { unit })).toBe(
      'coredns_dns_requests fell from 528/s to 12/s and stayed there (expected 430–640) from 14:02 to 14:05 UTC',
    )
    expect(say({ shape: 'trend', numbers: { from: 540, to: 4812 } }, { unit })).toBe(
      'coredns_dns_requests keeps climbing from 540/s to 4812/s (expected 430–640) since 14:02 UTC',
    )
    expect(say({ shape: 'variance', numbers: { low: 3, high: 990, ratio: 4.2 } }, { unit })).toBe(
      'coredns_dns_requests swings 4.2× as widely as usual, between 3/s and 990/s (expected 430–640) since 14:02 UTC',
    )
    expect(say({ shape: 'season-broken', current: 12, expected: 480 }, { unit })).toBe(
      'coredns_dns_requests does not follow its usual course since 14:02 UTC: 12/s where 480/s is usual (expected 430–640)',
    )
  })

  it('says of silence how long, and how it usually is', () => {
    const up: Partial<Anomaly> = {
      labels: { __name__: 'up', instance: 'a:9153' },
      shape: 'silence',
      current: NaN,
      numbers: { missing: 45_000, every: 5000 },
    }
    expect(say(up)).toBe('up{instance=a:9153} has had no data for 45s; a sample normally arrives every 5s')
    expect(say({ ...up, current: 0, expected: 1 })).toBe('up{instance=a:9153} has been 0 for 45s; it was 1 before')
    expect(say({ ...up, current: 7, expected: 7, ongoing: false })).toBe('up{instance=a:9153} did not move from 7 for 45s')
    expect(say({ ...up, numbers: { missing: 7_384_000 } })).toBe('up{instance=a:9153} has had no data for 2h3m')
  })
})

describe('describeSeries', () => {
  it('names a series by the labels that tell it from others', () => {
    expect(describeSeries({ __name__: 'up', job: 'coredns', instance: 'a' })).toBe('up{instance=a}')
    expect(describeSeries({ __name__: 'x', z: '1', zone: '.', a: '2', instance: 'i', empty: '' })).toBe(
      'x{instance=i, zone=., a=2}',
    )
    expect(describeSeries({ signal: 'qps' })).toBe('qps')
    expect(describeSeries({ instance: 'a' }, { name: 'dns-qps' })).toBe('dns-qps{instance=a}')
    expect(describeSeries({ __name__: 'x' }, { summary: 'Share of SERVFAIL.' })).toBe('Share of SERVFAIL')
    expect(describeSeries({})).toBe('The value')
  })
})

describe('formatNumber', () => {
  it.each([
    [0, '', '0'],
    [-0, '', '0'],
    [NaN, 's', 'unknown'],
    [4812.4, '/s', '4812/s'],
    [528.04, '/s', '528/s'],
    [12.345, '', '12.3'],
    [0.012345, '', '0.0123'],
    [0.0000123, '', '1.23e-5'],
    [12_345, '', '12.3k'],
    [999_700, '', '1M'],
    [-2_500_000, '1/s', '-2.5M/s'],
    [3e18, '', '3e18'],
    [0.43, 'ratio', '43%'],
    [43, '%', '43%'],
    [0.0000042, 's', '4.2 µs'],
    [0.0123, 's', '12.3 ms'],
    [1.5, 's', '1.5 s'],
    [7200, 's', '2h'],
    [0, 's', '0 s'],
    [1536, 'bytes', '1.5 KiB'],
    [0, 'bytes', '0 B'],
    [3, 'count', '3'],
    [1.25, 'cores', '1.25 cores'],
  ])('%f %s is %s', (value, unit, text) => {
    expect(formatNumber(value, unit)).toBe(text)
  })

  it('writes ratios', () => {
    expect([9.11, 9, 9.96, 34.4, 1234].map(formatRatio)).toEqual(['9.1×', '9×', '10×', '34×', '1234×'])
  })
})
