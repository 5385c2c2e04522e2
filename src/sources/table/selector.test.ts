import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seriesId } from '../../anomaly.ts'
import { matches, parseSelector, parseSeriesId, printSelector, selectMetric } from './selector.ts'

describe('selectors', () => {
  const labels = { __name__: 'up', job: 'dns', pod: 'a-1' }
  it.each([
    ['up', true],
    ['up{job="dns"}', true],
    ['{job="dns",pod=~"a-.*"}', true],
    ['up{job!="dns"}', false],
    ['up{pod=~"a"}', false],
    ['up{pod!~"b.*", zone=""}', true],
    ['down', false],
  ])('%s selects: %s', (text, expected) => {
    expect(matches(labels, parseSelector(text)!)).toBe(expected)
  })

  it.each(['rate(up[5m])', 'up{job=dns}', 'up{', '', '{job="a"'])('is not a selector: %s', text => {
    expect(parseSelector(text)).toBeUndefined()
  })

  it('takes names and labels in quotes, and writes those that are no words so', () => {
    const own = { __name__: 'my.metric', 'service.name': 'a"b', job: 'x' }
    for (const text of ['{"my.metric"}', '{"my.metric", job="x"}', '{"service.name"="a\\"b","my.metric",}'])
      expect(matches(own, parseSelector(text)!)).toBe(true)
    expect(matches(own, parseSelector('{"my_metric"}')!)).toBe(false)
    expect(matches(own, parseSelector('{"service.name"!~"a.*"}')!)).toBe(false)
    expect(printSelector(parseSelector('up{"service.name"="a",job!="b"}')!)).toBe('{__name__="up","service.name"="a",job!="b"}')
    expect(['up', 'a:b', 'my.metric', '2xx'].map(selectMetric)).toEqual([
      'up',
      'a:b',
      '{__name__="my.metric"}',
      '{__name__="2xx"}',
    ])
  })

  it('refuse a pattern that RE2 does not have, with the label', () => {
    expect(() => parseSelector('up{pod=~"(?=a)"}')).toThrow(/^pod=~ must be a regular expression of RE2, got "\(\?=a\)"/)
  })

  it('end with any pattern and any label', () => {
    expect(matches({ pod: `${'a'.repeat(2000)}!` }, parseSelector('{pod=~"(a+)+"}')!)).toBe(false)
  })

  it('reads labels back from the name of their series', () => {
    const name = fc.stringMatching(/^[a-z_][a-z0-9_]*$/)
    fc.assert(
      fc.property(name, fc.dictionary(name, fc.string(), { minKeys: 1 }), (metric, rest) => {
        const labels = { ...rest, __name__: metric }
        expect(parseSeriesId(seriesId(labels))).toEqual(labels)
      }),
    )
  })

  it('takes a plain header for what it is', () => {
    expect(parseSeriesId('qps')).toBeUndefined()
  })
})
