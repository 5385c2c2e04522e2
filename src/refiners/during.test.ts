import { describe, expect, it } from 'vitest'
import type { Anomaly } from '../anomaly.ts'
import type { Scores } from '../detectors/detector.ts'
import { makeRefinerCase, refinerLaws } from '../testing/refiner-laws.ts'
import { type DuringEvent, duringEvents } from './during.ts'
import { refiners } from './index.ts'

const event = (start: number, end: number, name = 'deploy', during: DuringEvent['during'] = 'ignore') => ({
  name,
  start,
  end,
  during,
})
const anomaly = (start: number, end: number, more: Partial<Anomaly> = {}): Anomaly => ({
  labels: {},
  detector: 'd',
  start,
  end,
  peak: start,
  score: 9,
  strength: 2,
  direction: 'up',
  current: 5,
  expected: 1,
  lower: 0,
  upper: 2,
  ongoing: false,
  ...more,
})
const none = new Float64Array(0)
const scores: Scores = {
  labels: {},
  times: none,
  columns: { score: none, value: none, expected: none, lower: none, upper: none },
}
const refine = (events: readonly DuringEvent[], found: Anomaly) => duringEvents(events).refine([found], { scores, step: 10 })[0]

describe('an anomaly in an event', () => {
  it('is ignored when all of its rows are inside, with the name', () => {
    const { ignored, wording } = refine([event(100, 200)], anomaly(100, 205))
    expect(ignored).toBe('during deploy')
    expect(wording).toEqual({ during: 'deploy' })
  })
  it('is told when it goes on after the event, or began before it', () => {
    expect(refine([event(100, 200)], anomaly(150, 220)).ignored).toBeUndefined()
    expect(refine([event(100, 200)], anomaly(150, 220)).wording?.during).toBe('deploy')
    expect(refine([event(100, 200)], anomaly(90, 120)).ignored).toBeUndefined()
    expect(refine([event(100, 200)], anomaly(90, 120, { peak: 110 })).wording?.during).toBe('deploy')
  })
  it('is ignored over events that follow each other without a gap', () => {
    expect(refine([event(100, 200), event(180, 300, 'backup')], anomaly(110, 290)).ignored).toBe('during deploy and backup')
    expect(refine([event(100, 200), event(210, 300, 'backup')], anomaly(110, 290)).ignored).toBeUndefined()
  })
  it('is told, with the name, when people want to hear of it', () => {
    const { ignored, wording } = refine([event(100, 200, 'holiday', 'learn-not')], anomaly(120, 150))
    expect(ignored).toBeUndefined()
    expect(wording?.during).toBe('holiday')
  })
  it('keeps an older reason, and one outside is left as it is', () => {
    expect(refine([event(100, 200)], anomaly(120, 150, { ignored: 'only up is bad' })).ignored).toBe('only up is bad')
    const outside = anomaly(300, 310)
    expect(refine([event(100, 200)], outside)).toBe(outside)
  })
  it('is said in the sentence, after merging too', () => {
    const { anomalies, context } = makeRefinerCase()
    const { start, end } = { start: anomalies[0].start, end: anomalies[0].end }
    const chain = [duringEvents([event(start, end)]), ...['merge', 'shape'].map(type => refiners[type]!.create({}))]
    const refined = chain.reduce((before, refiner) => refiner.refine(before, context), anomalies)
    expect(refined[0].sentence).toMatch(/UTC, during deploy$/)
    expect(refined[0].wording?.during).toBe('deploy')
    expect(refined[1].sentence).not.toContain('during')
  })
})

describe('laws', () => {
  const { anomalies } = makeRefinerCase()
  const refiner = duringEvents([
    event(anomalies[0].start, anomalies[1].end),
    event(anomalies[3].start, anomalies[3].end, 'h', 'learn-not'),
  ])
  for (const law of refinerLaws) it(law.name, () => law.check(refiner))
})
