import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { MINUTE } from '../duration.ts'
import { openSqlite } from '../stores/sqlite.ts'
import { toyDetectors } from '../testing/toy-learner.ts'
import { at, inline, POD, toyFlow, toySeries, WORKLOAD, watchToys } from '../testing/toy-watch.ts'
import { isNotWorse } from './trainer.ts'
import { openTrainingPool, type TrainingPool } from './training-pool.ts'
import { type FitTask, runFit } from './training-worker.ts'

/** For what happens at once. */
const SOON = { interval: 5 }

describe('the life of a model', () => {
  it('begins with a fit that is taken, and with which the next run judges', async () => {
    const world = watchToys([toySeries()])
    await world.run(toyFlow(), 30)
    expect(await world.scores(29)).toBeNaN()
    await world.settle()
    expect(await world.models()).toEqual(['1 in force first'])
    await world.run(toyFlow(), 40)
    expect(await world.scores(39)).toBe(0.5)
    expect(world.ends).toEqual(['taken'])
    const [record] = await world.store.models()
    expect(record).toMatchObject({ rows: 20, validation: 0.5, workload: WORKLOAD })
    expect(world.log.join()).toContain('flow f: toy of rps{job="dns"}: model 1 taken, error 0.5 (first, 20 rows')
  })

  it('goes on with a fit after each so many rows', async () => {
    const world = watchToys([toySeries()])
    await world.live(toyFlow(), 30, 200)
    expect(await world.models()).toEqual(['4 in force schedule', '3 retired schedule', '2 retired schedule', '1 retired first'])
  })

  it('refuses a fit that is worse, and does not ask again at once', async () => {
    const world = watchToys([toySeries()])
    await world.live(toyFlow(), 30, 40)
    const [first] = await world.store.modelsInForce('f')
    // The same options and so the same hash, but a fit that is worse.
    const worse: TrainingPool = {
      ...inline,
      fit: async (task, onProgress) => {
        const fit = runFit(task, onProgress, toyDetectors)
        return fit && { ...fit, validation: fit.current! * 1.02 }
      },
    }
    const later = watchToys([toySeries()], { store: world.store, pool: worse })
    await later.live(toyFlow(), 45, 120)
    expect(await later.models()).toEqual(['2 refused schedule', '1 in force first'])
    const [still] = await later.store.modelsInForce('f')
    expect(still.state).toEqual(first.state)
    expect(still.tried).toBeGreaterThan(first.tried)
  })

  it('takes one that is no more than a hundredth worse', () => {
    expect([isNotWorse(1.01, 1), isNotWorse(1.02, 1), isNotWorse(9, undefined), isNotWorse(9, NaN)]).toEqual([
      true,
      false,
      true,
      true,
    ])
  })

  it('asks for another when errors drift, and takes it', async () => {
    const world = watchToys([toySeries(POD, { moves: 100 })])
    await world.live(toyFlow({ refit: 1000 }), 30, 130)
    expect((await world.models())[0]).toMatch(/in force drift$/)
    await world.run(toyFlow({ refit: 1000 }), 135)
    expect(await world.scores(134)).toBeLessThan(100)
  })

  it('takes an earlier model back, and judges with it', async () => {
    const world = watchToys([toySeries(POD, { moves: 80 })])
    await world.live(toyFlow(), 30, 160)
    expect((await world.models())[0]).toMatch(/in force/)
    const key = { flow: 'f', detector: 'toy', workload: WORKLOAD }
    await world.store.restoreModel(key, 1, at(161), at(155))
    await world.run(toyFlow({}), 161)
    expect(await world.scores(160)).toBeCloseTo(200, -1)
  })

  it('is inherited by a pod with a new name', async () => {
    const next = { ...POD, pod: 'b' }
    const world = watchToys([toySeries(POD, { to: 60 }), toySeries(next, { from: 60 })])
    await world.live(toyFlow(), 30, 55)
    await world.run(toyFlow(), 62)
    expect(await world.scores(61, next)).toBe(0.5)
    expect(await world.models()).toEqual(['1 in force first'])
  })

  it('ends with its configuration: another one begins cold and gets its own', async () => {
    const world = watchToys([toySeries()])
    await world.live(toyFlow(), 30, 40)
    const other = toyFlow({ warmUp: 25 })
    await world.run(other, 45)
    expect(await world.scores(44)).toBeNaN()
    await world.settle()
    expect(await world.models()).toEqual(['2 in force first', '1 retired first'])
    await world.run(other, 50)
    expect(await world.scores(49)).toBeLessThan(1)
    const renamed = { ...other, owner: 'dns-team', every: 2 * MINUTE }
    await world.run(renamed, 55)
    expect(await world.scores(54)).toBeLessThan(1)
  })

  it('is made of the series that knows most', async () => {
    const other = { ...POD, pod: 'b' }
    const tasks: FitTask[] = []
    const pool: TrainingPool = { ...inline, fit: async (task, ...rest) => (tasks.push(task), inline.fit(task, ...rest)) }
    const world = watchToys([toySeries(POD, { from: 35 }), toySeries(other), toySeries({ ...POD, pod: 'c' }, { from: 40 })], {
      pool,
    })
    await world.run(toyFlow({ warmUp: 15 }), 60)
    await world.settle()
    expect(tasks).toHaveLength(1)
    expect(tasks[0].snapshot).toEqual((await world.store.snapshot('f', other, 'toy'))!.state)
  })

  it('begins with the first value of a series, not with the history that was asked for', async () => {
    const young = toySeries(POD, { from: 0, to: 600 })
    young.columns.value.fill(NaN, 0, 200)
    const world = watchToys([young])
    await world.run(toyFlow(), 195)
    for (const row of [200, 205, 210]) await world.run(toyFlow(), row)
    const points = await world.store.points('f', POD, 'toy', { start: 0, end: Infinity })
    expect(points!.times[0]).toBe(at(200))
    expect(world.trainer.load()).toMatchObject({ waiting: 0, running: [] })
    await world.live(toyFlow(), 225, 230)
    expect((await world.store.models())[0].rows).toBe(20)
  })

  it('asks for nothing while its series are silent', async () => {
    const world = watchToys([toySeries(POD, { to: 31 }), toySeries({ __name__: 'rps', job: 'other' })])
    await world.live(toyFlow(), 30, 60)
    await world.live(toyFlow({ warmUp: 21 }), 65, 100)
    expect((await world.store.models()).filter(({ workload }) => workload.job === 'dns')).toHaveLength(1)
    expect((await world.store.models()).filter(({ workload }) => workload.job === 'other').length).toBeGreaterThan(1)
  })
})

describe('fits that go wrong', () => {
  it('are told, and tried again after pauses that grow', async () => {
    const world = watchToys([toySeries()])
    const failedAt: number[] = []
    for (let row = 30; row <= 300; row += 5) {
      const before = world.ends.length
      await world.live(toyFlow({ fails: 'throws' }), row, row)
      if (world.ends.length > before) failedAt.push(row)
    }
    // After 1, 2, 4, 8, 16, 32 and 60 minutes, at the next run.
    expect(failedAt).toEqual([30, 35, 40, 45, 55, 75, 110, 170, 230, 290])
    expect(new Set(world.ends)).toEqual(new Set(['failed']))
    expect(world.log[0]).toBe(
      'flow f: toy of rps{job="dns"} was not fitted, again in 1 min at the earliest: a toy must not be fitted, got it all the same',
    )
    expect(world.log[8]).toContain('again in 60 min')
    expect(await world.models()).toEqual([])
    expect(world.trainer.load().failed).toEqual([
      {
        flow: 'f',
        detector: 'toy',
        workload: WORKLOAD,
        error: 'a toy must not be fitted, got it all the same',
        failures: 10,
        until: at(350),
      },
    ])
    // A better configuration need not wait.
    const better = toyFlow({ warmUp: 21 })
    world.trainer.keep([better])
    expect(world.trainer.load().failed).toEqual([])
    await world.live(better, 305, 305)
    expect(await world.models()).toEqual(['1 in force first'])
  })

  it('leave what is in force as it is', async () => {
    const world = watchToys([toySeries()])
    await world.live(toyFlow(), 30, 40)
    const broken: TrainingPool = { ...inline, fit: async () => Promise.reject(new Error('no')) }
    const later = watchToys([toySeries()], { store: world.store, pool: broken })
    await later.live(toyFlow(), 45, 200)
    expect(later.ends.length).toBeGreaterThan(3)
    expect(await later.models()).toEqual(['1 in force first'])
    expect(await later.scores(199)).toBe(0.5)
  })

  it('have a validation error that is a number, or are none', async () => {
    const pool: TrainingPool = {
      ...inline,
      fit: async (task, ...rest) => ({ ...(await inline.fit(task, ...rest))!, validation: NaN }),
    }
    const world = watchToys([toySeries()], { pool })
    await world.live(toyFlow(), 30, 30)
    expect([world.ends, await world.models()]).toEqual([['failed'], []])
  })
})

describe('a queue of fits', () => {
  /** Fits that end when told. */
  function held() {
    const tasks: { flow: string; end: () => void }[] = []
    const pool: TrainingPool = {
      fit: (task, onProgress, signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true })
          onProgress(0.25)
          tasks.push({ flow: task.config.name, end: () => resolve(runFit(task, onProgress, toyDetectors)) })
        }),
      close: async () => {},
    }
    return { pool, tasks }
  }
  const many = (count: number) => Array.from({ length: count }, (_, i) => toySeries({ __name__: 'rps', job: `j${i}`, pod: 'a' }))

  it('never fits one workload twice at once, and shows what runs', async () => {
    const { pool, tasks } = held()
    const world = watchToys([toySeries()], { pool, threads: 4 })
    for (const row of [30, 31, 32]) await world.run(toyFlow(), row)
    await expect.poll(() => tasks.length, SOON).toBe(1)
    expect(world.trainer.load()).toEqual({
      waiting: 0,
      failed: [],
      running: [
        {
          flow: 'f',
          detector: 'toy',
          workload: WORKLOAD,
          reason: 'first',
          startedAt: at(30),
          done: 0.25,
        },
      ],
    })
    tasks[0].end()
    await world.settle()
    expect(await world.models()).toEqual(['1 in force first'])
  })

  it('drops a wish that was granted between two runs', async () => {
    const { pool, tasks } = held()
    const world = watchToys([toySeries(), ...many(1)], { pool })
    await world.run(toyFlow(), 30)
    const wanted = { labels: POD, workload: WORKLOAD, detector: 'toy', reason: 'first', rows: 20 } as const
    await expect.poll(() => tasks.length, SOON).toBe(1)
    tasks[0].end()
    await expect.poll(() => tasks.length, SOON).toBe(2)
    world.trainer.want(toyFlow(), [{ ...wanted, tried: NaN }])
    tasks[1].end()
    await world.settle()
    expect(tasks).toHaveLength(2)
  })

  it('has room for so many of a flow, and lets flows take turns', async () => {
    const { pool, tasks } = held()
    const world = watchToys(many(150), { pool, mostWaiting: 100 })
    await world.run(toyFlow({}, { name: 'wide' }), 30)
    await world.run(toyFlow({}, { name: 'late' }), 30)
    await expect.poll(() => tasks.length, SOON).toBe(1)
    expect(world.trainer.load().waiting).toBe(99 + 100)
    for (let i = 0; i < 6; i++) {
      await expect.poll(() => tasks.length, SOON).toBe(i + 1)
      tasks[i].end()
    }
    expect(tasks.slice(0, 6).map(task => task.flow)).toEqual(['wide', 'wide', 'late', 'wide', 'late', 'wide'])
    await world.trainer.close()
  })

  it('cancels what is configured otherwise now, and what is gone, and keeps the rest', async () => {
    const { pool, tasks } = held()
    const world = watchToys([toySeries(), ...many(3)], { pool, threads: 2 })
    await world.run(toyFlow(), 30)
    await world.run(toyFlow({}, { name: 'g' }), 30)
    await expect.poll(() => tasks.length, SOON).toBe(2)
    world.trainer.keep([toyFlow({ warmUp: 21 }), toyFlow({}, { name: 'g', owner: 'somebody' })])
    await expect.poll(() => world.ends, SOON).toEqual(['cancelled', 'cancelled'])
    await expect.poll(() => tasks.slice(2).map(task => task.flow), SOON).toEqual(['g', 'g'])
    expect(world.trainer.load().waiting).toBe(2)
    world.trainer.keep([])
    await world.settle()
    expect(world.ends).toEqual(['cancelled', 'cancelled', 'cancelled', 'cancelled'])
    expect(await world.models()).toEqual([])
  })

  it('ends with the service', async () => {
    const { pool, tasks } = held()
    const world = watchToys([toySeries(), ...many(3)], { pool })
    await world.run(toyFlow(), 30)
    await expect.poll(() => tasks.length, SOON).toBe(1)
    await world.trainer.close()
    expect([world.ends, world.trainer.load()]).toEqual([['cancelled'], { waiting: 0, running: [], failed: [] }])
    world.trainer.want(toyFlow(), [])
    expect(tasks).toHaveLength(1)
  })

  it('drops a fit when somebody took another model back in the meantime', async () => {
    const world = watchToys([toySeries()])
    await world.live(toyFlow(), 30, 100)
    const { pool, tasks } = held()
    const later = watchToys([toySeries()], { store: world.store, pool })
    for (let row = 105; tasks.length === 0; row += 5) await later.run(toyFlow(), row).then(() => new Promise(setImmediate))
    await later.store.restoreModel({ flow: 'f', detector: 'toy', workload: WORKLOAD }, 1, at(200), at(200))
    tasks[0].end()
    await expect.poll(() => later.ends, SOON).toEqual(['cancelled'])
    expect(await later.models()).toEqual(['2 retired schedule', '1 in force first'])
  })
})

describe('a thread that fits', () => {
  const worker = new URL('../testing/toy-training-worker.ts', import.meta.url)
  const pools: TrainingPool[] = []
  const open = () => {
    const pool = openTrainingPool(1, worker)
    pools.push(pool)
    return pool
  }
  afterAll(async () => {
    for (const pool of pools) await pool.close()
  })

  it('is killed at the deadline while detection goes on, and the next fit has another', async () => {
    const pool = open()
    const first = watchToys([toySeries()], { pool })
    await first.run(toyFlow(), 30)
    await first.settle()
    expect(await first.models()).toEqual(['1 in force first'])

    const world = watchToys([toySeries()], { pool, deadline: 2000 })
    const hanging = toyFlow({ fails: 'hangs' })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      await world.run(hanging, 30)
      await expect.poll(() => world.trainer.load().running[0]?.done, SOON).toBe(0.75)
      await world.run(hanging, 35)
      expect(world.trainer.load().running).toHaveLength(1)
      expect((await world.store.flow('f'))!.lastRun).toMatchObject({ status: 'ok', finishedAt: at(35) })
      vi.advanceTimersByTime(2000)
    } finally {
      vi.useRealTimers()
    }
    await world.settle()
    expect(world.ends).toEqual(['failed'])
    expect(world.log[0]).toContain('a fit must end within its deadline of 2s, got no result')

    const after = watchToys([toySeries()], { pool })
    await after.run(toyFlow(), 30)
    await after.settle()
    expect(await after.models()).toEqual(['1 in force first'])
  })

  it('fits as this one does, and tells what fails in it', async () => {
    const taskOf = async (config = toyFlow()) => {
      const world = watchToys([toySeries()], { pool: { ...inline, fit: () => new Promise(() => {}) } })
      await world.run(config, 60)
      return { config, detector: 'toy', snapshot: (await world.store.snapshot('f', POD, 'toy'))!.state }
    }
    const pool = open()
    const { signal } = new AbortController()
    const fit = (task: FitTask) => pool.fit(task, () => {}, signal)
    const task = await taskOf()
    const done = await fit(task)
    expect(done).toMatchObject({ rows: 20 })
    expect(done).toEqual(runFit(task, () => {}, toyDetectors))
    await expect(fit(await taskOf(toyFlow({ fails: 'throws' })))).rejects.toThrow('a toy must not')
    expect(await fit(await taskOf(toyFlow({ warmUp: 1000 })))).toBeUndefined()
    // What a stream of another configuration remembers is not learned.
    expect(await fit({ ...task, config: toyFlow({ warmUp: 19 }) })).toBeUndefined()
  })
})

describe('a process that is killed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidewatch-trainer-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const now = () => at(0)

  /** Lives until the second fit is to be stored, and is killed before or after that. */
  function killed(when: 'before' | 'after'): string {
    const path = join(folder, `${when}.db`)
    const url = (file: string) => JSON.stringify(new URL(file, import.meta.url).href)
    const program = join(folder, `${when}.mts`)
    writeFileSync(
      program,
      `import { openSqlite } from ${url('../stores/sqlite.ts')}
      import { toyFlow, toySeries, watchToys } from ${url('../testing/toy-watch.ts')}
      const store = openSqlite(${JSON.stringify(path)}, { now: () => 0 })
      let fits = 0
      const addModel = async (fit, taken) => {
        fits++
        if (fits === 2 && '${when}' === 'before') process.kill(process.pid, 'SIGKILL')
        const added = await store.addModel(fit, taken)
        if (fits === 2) process.kill(process.pid, 'SIGKILL')
        return added
      }
      await watchToys([toySeries()], { store: { ...store, addModel } }).live(toyFlow(), 30, 200)`,
    )
    expect(spawnSync(process.execPath, [program], { encoding: 'utf8' })).toMatchObject({ signal: 'SIGKILL', stderr: '' })
    return path
  }

  it('between a fit and its storing has the old model in force, and fits again', async () => {
    const store = openSqlite(killed('before'), { now })
    const world = watchToys([toySeries()], { store })
    expect(await world.models()).toEqual(['1 in force first'])
    const { watermark } = (await store.flow('f'))!
    const row = (watermark - at(0)) / MINUTE + 10
    await world.run(toyFlow(), row)
    expect(await world.scores(row - 1)).toBe(0.5)
    await world.settle()
    expect(await world.models()).toEqual(['2 in force schedule', '1 retired first'])
    await store.close()
  })

  it('after it has the new one, and does not fit again', async () => {
    const store = openSqlite(killed('after'), { now })
    const world = watchToys([toySeries()], { store })
    expect(await world.models()).toEqual(['2 in force schedule', '1 retired first'])
    const { watermark } = (await store.flow('f'))!
    await world.live(toyFlow(), (watermark - at(0)) / MINUTE + 10, (watermark - at(0)) / MINUTE + 20)
    expect(world.ends).toEqual([])
    await store.close()
  })
})
