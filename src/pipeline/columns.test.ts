import { describe, expect, it } from 'vitest'
import { fromValues } from '../frame/frame.ts'
import { anyColumn, arrangeColumns, joinQueries, spreadColumns } from './columns.ts'

const series = (labels: Record<string, string>, values: number[], from = 0) =>
  fromValues(
    values.map((_, i) => from + 10 * i),
    values,
    labels,
  )
const plain = ({ labels, times, columns }: ReturnType<typeof anyColumn> | ReturnType<typeof joinQueries>[number]) => ({
  labels,
  times: Array.from(times),
  columns: Object.entries(columns).map(([name, values]) => [name, ...values]),
})

describe('answers to several questions', () => {
  it('become one frame for each entity, with a column for each question in its order', () => {
    const frames = joinQueries(
      {
        qps: [series({ instance: 'a', job: 'dns' }, [1, 2]), series({ instance: 'b', job: 'dns' }, [3, 4])],
        errors: [series({ instance: 'b' }, [5, 6])],
      },
      { by: ['instance'], step: 10 },
    )
    expect(frames.map(plain)).toEqual([
      {
        labels: { instance: 'a' },
        times: [0, 10],
        columns: [
          ['qps', 1, 2],
          ['errors', NaN, NaN],
        ],
      },
      {
        labels: { instance: 'b' },
        times: [0, 10],
        columns: [
          ['qps', 3, 4],
          ['errors', 5, 6],
        ],
      },
    ])
  })

  it('have one time axis, and what one of them does not have is unknown, never zero', () => {
    const [frame] = joinQueries({ a: [series({}, [1, 2, 3])], b: [series({}, [7], 20)] }, { step: 10 })
    expect(plain(frame)).toEqual({
      labels: {},
      times: [0, 10, 20],
      columns: [
        ['a', 1, 2, 3],
        ['b', NaN, NaN, 7],
      ],
    })
  })

  it('say which of them has two series for one entity, and what to do', () => {
    const two = [series({ instance: 'a', zone: 'x' }, [1]), series({ instance: 'a', zone: 'y' }, [1])]
    expect(() => joinQueries({ qps: two }, { by: ['instance'], step: 10 })).toThrow(
      'query qps must have one series for {instance="a"}, got 2, such as {instance="a",zone="x"} and {instance="a",zone="y"}; aggregate them, or name under `by` what tells them apart',
    )
    expect(() => joinQueries({ qps: two }, { step: 10 })).toThrow('one series for the flow, got 2')
  })

  it('without any series are no frame', () => {
    expect(joinQueries({ a: [], b: [] }, { step: 10 })).toEqual([])
  })
})

describe('all series of one question', () => {
  it('become the columns of one frame for each set of other labels', () => {
    const frames = spreadColumns(
      [series({ app: 'dns', pod: '10' }, [1]), series({ app: 'dns', pod: '9' }, [2]), series({ app: 'web', pod: '7' }, [3])],
      { columns: ['pod'], step: 10 },
    )
    expect(frames.map(plain)).toEqual([
      {
        labels: { app: 'dns' },
        times: [0],
        columns: [
          ['pod=10', 1],
          ['pod=9', 2],
        ],
      },
      { labels: { app: 'web' }, times: [0], columns: [['pod=7', 3]] },
    ])
  })

  it('may differ in several labels', () => {
    const [frame] = spreadColumns([series({ pod: 'a', zone: 'x' }, [1]), series({ pod: 'b' }, [2])], {
      columns: ['pod', 'zone'],
      step: 10,
    })
    expect(Object.keys(frame.columns)).toEqual(['pod=a,zone=x', 'pod=b,zone='])
  })
})

describe('columns in the places that a stream knows', () => {
  const frame = (columns: Record<string, number[]>) => ({
    labels: {},
    times: Float64Array.of(0, 10),
    columns: Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, Float64Array.from(values)])),
  })
  const arranged = (columns: Record<string, number[]>, known: string[]) => {
    const { frame: made, grown } = arrangeColumns(frame(columns), known)
    return [Object.entries(made.columns).map(([name, values]) => `${name} ${values.join(' ')}`), grown]
  }

  it('stay there, whatever the order of the frame', () => {
    expect(arranged({ a: [1, 2], b: [3, 4] }, ['b', 'a'])).toEqual([['b 3 4', 'a 1 2'], 0])
  })

  it('are unknown while their series are away', () => {
    expect(arranged({ a: [1, 2] }, ['b', 'a'])).toEqual([['b NaN NaN', 'a 1 2'], 0])
  })

  it('are taken over by what is new once they have no value any more', () => {
    expect(arranged({ a: [1, 2], b: [NaN, NaN], c: [5, 6] }, ['b', 'a'])).toEqual([['c 5 6', 'a 1 2'], 0])
  })

  it('are more when something new comes and all are there', () => {
    expect(arranged({ a: [1, 2], b: [NaN, 4], c: [5, 6] }, ['b', 'a'])).toEqual([['b NaN 4', 'a 1 2', 'c 5 6'], 1])
  })

  it('do not become more by one without a value', () => {
    expect(arranged({ a: [1, 2], c: [NaN, NaN] }, ['a'])).toEqual([['a 1 2'], 0])
  })
})

it('a row is there when any of its columns is', () => {
  const frame = {
    labels: {},
    times: Float64Array.of(0, 10),
    columns: { a: Float64Array.of(NaN, NaN), b: Float64Array.of(NaN, 4) },
  }
  expect(plain(anyColumn(frame))).toEqual({ labels: {}, times: [0, 10], columns: [['value', NaN, 4]] })
  const alone = series({}, [1])
  expect(anyColumn(alone)).toBe(alone)
})
