import { describe, expect, it } from 'vitest'
import { MINUTE } from '../duration.ts'
import { exampleMessage } from '../testing/notifier-laws.ts'
import { alertLabels, toAlert, toLabelName } from './alertmanager/alert.ts'

const OPTIONS = { now: Date.UTC(2026, 0, 5, 10, 6), externalUrl: 'http://t.example', lapse: 15 * MINUTE }
const anomaly = (changes: object = {}) => ({ ...exampleMessage().anomaly, labels: {}, annotations: {}, ...changes })
const labels = (changes: object, options: object = {}) => alertLabels(anomaly(changes), { ...OPTIONS, ...options })
const annotations = (changes: object, options: object = {}) =>
  toAlert({ ...exampleMessage(), anomaly: anomaly(changes) }, { ...OPTIONS, ...options }).annotations

describe('labels', () => {
  const ours = { alertname: 'dns-requests', flow: 'dns-requests' }

  it('are in order of name, without those that are empty', () => {
    const given = labels(
      { labels: { zone: 'z', a: 'x', empty: '' }, annotations: { 'label:team': '' } },
      { labels: { none: '' } },
    )
    expect(Object.entries(given)).toEqual([
      ['a', 'x'],
      ['alertname', 'dns-requests'],
      ['flow', 'dns-requests'],
      ['zone', 'z'],
    ])
  })

  it('that are empty take no name and no default away', () => {
    expect(labels({ labels: { a_b: '', 'a-b': 'x' } }).a_b).toBe('x')
    const given = { severity: 'warning', 'label:severity': '' }
    expect(labels({ annotations: given }, { labels: { alertname: '' } })).toEqual({ ...ours, severity: 'warning' })
  })

  it('of the series called `metric` stay beside the name of the metric, and those called `exported_…` beside given ones', () => {
    expect(labels({ labels: { __name__: 'up', metric: 'x' } })).toEqual({ ...ours, metric: 'up', metric_: 'x' })
    expect(labels({ labels: { exported_x: '1' } }, { labels: { exported_x: '2' } })).toEqual({
      ...ours,
      exported_x: '2',
      exported_x_: '1',
    })
  })

  it('of the series get a new name as long as theirs is not free', () => {
    expect(labels({ labels: { flow: '1', exported_flow: '2', 'exported.flow': '3' } })).toEqual({
      ...ours,
      exported_flow: '2',
      exported_flow_: '1',
      exported_flow__: '3',
    })
  })

  it('that begin with a digit or hold other characters become names', () => {
    expect(['1a', 'a1', '_x', 'a-b.c', 'äb', ''].map(toLabelName)).toEqual(['_1a', 'a1', '_x', 'a_b_c', '_b', '_'])
  })

  it('that are as long as may be stay, longer ones end in a hash', () => {
    const long = (length: number) => labels({ labels: { [`n${'x'.repeat(length - 1)}`]: 'v' } })
    expect(Object.keys(long(128))).toContain(`n${'x'.repeat(127)}`)
    expect(Object.keys(long(129)).find(name => name.startsWith('n'))).toMatch(/^nx{118}_[0-9a-f]{8}$/)
    expect(labels({ labels: { a: 'v'.repeat(512) } }).a).toBe('v'.repeat(512))
    expect(labels({ labels: { a: 'v'.repeat(513) } }).a).toMatch(/^v{503}…[0-9a-f]{8}$/)
    expect(labels({ labels: { a: `${'v'.repeat(502)}😀${'v'.repeat(10)}` } }).a).toMatch(/^v{502}…[0-9a-f]{8}$/)
  })

  it('that are as many as may be stay, of more the last become a hash, and ours never', () => {
    const many = (count: number) =>
      labels({ labels: Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${String(i).padStart(3, '0')}`, 'v'])) })
    expect(Object.keys(many(62))).toHaveLength(64)
    expect(many(62)).not.toHaveProperty('more_labels')
    const more = many(63)
    expect(Object.keys(more)).toHaveLength(64)
    expect(more).toMatchObject({ ...ours, a060: 'v', more_labels: expect.stringMatching(/^[0-9a-f]{8}$/) })
    expect(more).not.toHaveProperty('a061')
    expect(many(64).more_labels).not.toBe(more.more_labels)
  })

  it('that are ours stay also when the notifier gives too many', () => {
    const given = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`a${String(i).padStart(3, '0')}`, 'v']))
    const kept = labels({ annotations: { severity: 'warning' } }, { labels: given })
    expect(kept).toMatchObject({ ...ours, severity: 'warning', a059: 'v' })
    expect(Object.keys(kept)).toHaveLength(64)
    expect(
      labels({ annotations: { severity: 'warning' } }, { labels: Object.fromEntries(Object.entries(given).reverse()) }),
    ).toEqual(kept)
  })
})

describe('annotations', () => {
  it('name the columns that it lies in', () => {
    const columns = [
      { name: 'qps', share: 0.666, value: 1 },
      { name: 'errors', share: 0.334, value: NaN },
    ]
    expect(annotations({ columns }).columns).toBe('qps 67%, errors 33%')
    expect(annotations({})).not.toHaveProperty('columns')
  })

  it('say which series it is when there is no sentence', () => {
    expect(annotations({ sentence: undefined, labels: { __name__: 'up' } }).summary).toBe('dns-requests: up is not as expected')
    expect(annotations({ sentence: undefined }).summary).toBe('dns-requests: a series is not as expected')
  })

  it('say why it is withdrawn, and nothing of what is not known', () => {
    const { withdrawn_because: because, ...rest } = annotations({ withdrawnBecause: 'it left', score: NaN, shape: undefined })
    expect(because).toBe('it left')
    for (const name of ['score', 'shape', 'description', 'owner', 'runbook_url']) expect(rest).not.toHaveProperty(name)
  })

  it('have six digits, and infinities as Prometheus writes them', () => {
    expect(annotations({ current: 0.12345678, expected: 1234567, upper: Infinity, lower: -Infinity })).toMatchObject({
      current: '0.123457',
      expected: '1234570',
      upper: '+Inf',
      lower: '-Inf',
    })
  })

  it('keep our names where the flow has some that are called so, and hold none of its labels', () => {
    const given = annotations({ annotations: { score: 'mine', 'label:team': 'dns', note: 'n' } })
    expect(given).toMatchObject({ score: '9.5', note: 'n' })
    expect(Object.keys(given).join()).not.toMatch(/team/)
  })

  it('that are cut link to the rest, unless the link is too long itself', () => {
    const cut = (length: number, url: string) => annotations({ sentence: 'x'.repeat(length) }, { externalUrl: url }).summary!
    const page = '/#/anomalies/a1'
    const longest = `http://${'t'.repeat(256 - 7 - page.length)}`
    expect(cut(1024, 'http://t.example')).toBe('x'.repeat(1024))
    expect(cut(1025, 'http://t.example')).toBe(`${'x'.repeat(1024 - 2 - 31)}… http://t.example${page}`)
    expect(cut(1025, longest)).toHaveLength(1024)
    expect(cut(1025, longest)).toMatch(/x… http:/)
    expect(cut(1025, `${longest}t`)).toBe(`${'x'.repeat(1023)}…`)
  })

  it('hold addresses up to the longest, and none that is cut', () => {
    const runbook = (length: number) => annotations({ annotations: { runbook: 'r'.repeat(length) } }).runbook_url
    expect([runbook(1024)?.length, runbook(1025)]).toEqual([1024, undefined])
  })
})

it('the page of an anomaly is an address whatever its id is', () => {
  expect(toAlert({ ...exampleMessage(), anomaly: anomaly({ id: 'a/b c' }) }, OPTIONS).generatorURL).toBe(
    'http://t.example/#/anomalies/a%2Fb%20c',
  )
})
