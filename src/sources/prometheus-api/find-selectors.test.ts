import { describe, expect, it } from 'vitest'
import { findSelectors } from './find-selectors.ts'

describe('findSelectors', () => {
  it('tells name, text and callers', () => {
    const expr = `sum by (job) (rate(x_total{job="a", code=~"5.."}[5m] offset 1w)) / on (job) (up or vector(0))`
    expect(findSelectors(expr)).toEqual([
      { name: 'x_total', text: 'x_total{job="a", code=~"5.."}', callers: ['sum', 'rate'] },
      { name: 'up', text: 'up', callers: [''] },
    ])
  })
  it('reads names inside of braces, and says when there is none', () => {
    expect(findSelectors('{__name__="x", a="b"} + {"y"} + {job="c"}')).toEqual([
      { name: 'x', text: '{__name__="x", a="b"}', callers: [] },
      { name: 'y', text: '{"y"}', callers: [] },
      { text: '{job="c"}', callers: [] },
    ])
  })
  it('reads names and labels that are no words', () => {
    const expr =
      'rate({"my.metric_total", "service.name"="a, {b}"}[5m]) / sum by ("service.name") ({"service.name"="c", "my \\"metric\\""})'
    expect(findSelectors(expr)).toEqual([
      { name: 'my.metric_total', text: '{"my.metric_total", "service.name"="a, {b}"}', callers: ['rate'] },
      { name: 'my "metric"', text: '{"service.name"="c", "my \\"metric\\""}', callers: ['sum'] },
    ])
    expect(findSelectors('{"service.name"="x"}')).toEqual([{ text: '{"service.name"="x"}', callers: [] }])
    expect(findSelectors('{"__name__"="x"}')[0]!.name).toBe('x')
  })
  it.each(['', '1 + 2', 'vector(1)', 'time()', '# up', '"up"', 'sum(('])('finds none in %j', expr =>
    expect(findSelectors(expr)).toEqual([]),
  )
  it('bears what is cut off', () => expect(findSelectors('rate(x{a="b"').map(({ name }) => name)).toEqual(['x']))
})
