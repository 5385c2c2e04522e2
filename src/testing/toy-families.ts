import { z } from 'zod'
import { calendars } from '../calendars/index.ts'
import { component, registry } from '../component.ts'
import type { Detector } from '../detectors/detector.ts'
import { InputError } from '../errors.ts'
import type { Notifier, NotifierNeeds } from '../notifiers/notifier.ts'
import type { Families } from '../pipeline/families.ts'
import type { Refiner } from '../refiners/refiner.ts'
import type { Rule } from '../rules/rule.ts'
import { duration, secret } from '../schema.ts'
import type { Source, SourceNeeds } from '../sources/source.ts'
import type { Store } from '../stores/store.ts'
import { transforms } from '../transforms/index.ts'

const nothing = {} as never

/**
 * Families whose members have configurations and do nothing: for tests of what is done with configurations. Transforms and calendars are the
 * real ones, which touch nothing outside.
 */
export function toyFamilies(): Families {
  const standard = component<Detector, z.ZodType>({
    type: 'default',
    summary: 'A toy.',
    config: z.strictObject({}),
    examples: [{}],
    create: () => nothing,
  })
  const seasonal = component<Detector, z.ZodType>({
    type: 'seasonal',
    summary: 'A toy.',
    config: z.strictObject({ season: z.array(duration()).optional(), width: z.number().positive().optional() }),
    examples: [{}],
    create: () => nothing,
  })
  const absence = component<Detector, z.ZodType>({
    type: 'absence',
    summary: 'A toy.',
    config: z.strictObject({ down: z.number().optional() }),
    examples: [{}],
    create: () => ({ missingData: { isMissing: Number.isNaN, grace: 0 } }) as never,
  })
  const budget = component<Rule, z.ZodType>({
    type: 'budget',
    summary: 'A toy.',
    config: z.strictObject({ alarms: z.number().positive().default(1), per: duration().optional() }),
    examples: [{}],
    create: () => nothing,
  })
  const threshold = component<Rule, z.ZodType>({
    type: 'threshold',
    summary: 'A toy.',
    config: z.strictObject({ limit: z.number().optional(), lower: z.number().optional(), upper: z.number().optional() }),
    examples: [{}],
    create: options => {
      const { lower = -Infinity, upper = Infinity } = options as { lower?: number; upper?: number }
      if (lower >= upper) throw new InputError(`must have lower below upper, got ${lower} and ${upper}`)
      return nothing
    },
  })
  const merge = component<Refiner, z.ZodType>({
    type: 'merge',
    summary: 'A toy.',
    config: z.strictObject({ gap: duration().optional() }),
    examples: [{}],
    create: () => nothing,
  })
  const shape = component<Refiner, z.ZodType>({
    type: 'shape',
    summary: 'A toy.',
    config: z.strictObject({ name: z.string().optional() }),
    examples: [{}],
    create: () => nothing,
  })
  const prometheus = component<Source, z.ZodType, SourceNeeds>({
    type: 'prometheus',
    summary: 'A toy.',
    config: z.strictObject({
      url: z.url(),
      timeout: duration().optional(),
      bearerToken: secret().optional(),
      bearerTokenFile: z.string().optional(),
      basicAuth: z.strictObject({ username: z.string(), password: secret() }).optional(),
    }),
    examples: [{ url: 'http://localhost:9090' }],
    create: () => nothing,
  })
  const webhook = component<Notifier, z.ZodType, NotifierNeeds>({
    type: 'webhook',
    summary: 'A toy.',
    config: z.strictObject({ url: z.url(), secret: secret().optional() }),
    examples: [{ url: 'http://localhost/' }],
    create: () => nothing,
  })
  const log = component<Notifier, z.ZodType, NotifierNeeds>({
    type: 'log',
    summary: 'A toy.',
    config: z.strictObject({}),
    examples: [{}],
    create: () => nothing,
  })
  const sqlite = component<Store, z.ZodType, unknown>({
    type: 'sqlite',
    summary: 'A toy.',
    config: z.strictObject({ path: z.string().min(1) }),
    examples: [{ path: 'x.db' }],
    create: () => nothing,
  })
  return {
    calendars,
    transforms,
    detectors: registry<Detector>(standard, seasonal, absence),
    rules: registry<Rule>(budget, threshold),
    refiners: registry<Refiner>(merge, shape),
    sources: registry<Source, SourceNeeds>(prometheus),
    notifiers: registry<Notifier, NotifierNeeds>(webhook, log),
    stores: registry<Store, any>(sqlite),
  }
}
