import { describe, expect, it } from 'vitest'
import type { StoredModel } from '../stores/store.ts'
import { toyDetectors } from '../testing/toy-learner.ts'
import { POD, toyFlow, WORKLOAD } from '../testing/toy-watch.ts'
import { configurationHash } from './configuration-hash.ts'
import { fromStored, mostKnowing } from './learned-models.ts'
import type { Wanted } from './pipeline.ts'
import { encodeState } from './state.ts'

const config = toyFlow({}, { detect: ['toy', 'other'].map(name => ({ type: 'toy-learner', name })) })
const model = (more: Partial<StoredModel> = {}): StoredModel => ({
  flow: 'f',
  detector: 'toy',
  workload: WORKLOAD,
  reason: 'first',
  createdAt: 0,
  range: { start: 0, end: 1 },
  rows: 1,
  validation: 0,
  seconds: 1,
  version: 3,
  status: 'in force',
  inForceSince: 0,
  configuration: configurationHash(config, config.detect[0]!, toyDetectors),
  state: encodeState({ version: 1, mean: 100 }),
  tried: 77,
  ...more,
})
const open = (...stored: StoredModel[]) => fromStored(config, stored, toyDetectors)

describe('the models of a run', () => {
  it('are found by detector and workload, one for all of its series', () => {
    const models = open(model())
    const found = models.modelsFor('toy', POD)
    expect(found).toEqual({ model: { version: 3, state: { version: 1, mean: 100 } }, tried: 77 })
    expect(models.modelsFor('toy', { ...POD, pod: 'b' })).toBe(found)
    expect(models.modelsFor('other', POD)).toEqual({ tried: NaN })
    expect(models.modelsFor('toy', { ...POD, job: 'web' })).toEqual({ tried: NaN })
  })

  it('are none of another configuration, and without its state when that cannot be read', () => {
    expect(open(model({ configuration: 'another' })).modelsFor('toy', POD)).toEqual({ tried: NaN })
    expect(open(model({ state: Uint8Array.of(1) })).modelsFor('toy', POD)).toEqual({ tried: 77 })
  })

  it('are those of the options of their detector', () => {
    const detect = [
      { type: 'toy-learner', name: 'toy' },
      { type: 'toy-learner', name: 'other', warmUp: 21 },
    ]
    const ofOther = model({ detector: 'other', configuration: configurationHash(config, detect[1]!, toyDetectors) })
    const models = fromStored({ ...config, detect }, [model(), ofOther], toyDetectors)
    expect(['toy', 'other'].map(name => models.modelsFor(name, POD).tried)).toEqual([77, 77])
    const swapped = fromStored({ ...config, detect }, [model({ detector: 'other' })], toyDetectors)
    expect(swapped.modelsFor('other', POD).tried).toBeNaN()
  })

  it('are shared by the labels that the flow says', () => {
    const whole = fromStored({ ...config, replicas: [] }, [model({ workload: POD })], toyDetectors)
    expect(whole.modelsFor('toy', POD)).toMatchObject({ tried: 77 })
    expect(whole.modelsFor('toy', { ...POD, pod: 'b' })).toEqual({ tried: NaN })
  })

  it('are wanted for the workload, with what the series knew; all that were asked for are named', () => {
    const models = open(model())
    models.modelsFor('other', POD)
    models.note({ labels: POD, detector: 'toy', reason: 'drift', rows: 9 })
    expect(models.wanted()).toEqual([{ labels: POD, workload: WORKLOAD, detector: 'toy', reason: 'drift', rows: 9, tried: 77 }])
    expect(models.workloads()).toEqual([
      { detector: 'other', workload: WORKLOAD },
      { detector: 'toy', workload: WORKLOAD },
    ])
  })
})

describe('of several series that want a fit', () => {
  const wish = (pod: string, rows: number, detector = 'toy', workload: Wanted['workload'] = WORKLOAD): Wanted => ({
    labels: { ...POD, pod },
    workload,
    detector,
    reason: 'first',
    rows,
    tried: NaN,
  })
  const names = (...wishes: Wanted[]) => mostKnowing(wishes).map(({ labels }) => labels.pod)

  it('the one that learned most rows is taken, the first by name of equals', () => {
    expect(names(wish('a', 5), wish('b', 7), wish('c', 6))).toEqual(['b'])
    expect(names(wish('b', 5), wish('a', 5), wish('c', 5))).toEqual(['a'])
    expect(names(wish('a', 5), wish('b', 5))).toEqual(['a'])
    expect(names(wish('b', 5), wish('a', 4))).toEqual(['b'])
  })

  it('one is taken for each detector and workload', () => {
    expect(names(wish('a', 5), wish('b', 7, 'other'), wish('c', 1, 'toy', { job: 'web' }))).toEqual(['a', 'b', 'c'])
  })
})
