import { describe, it } from 'vitest'
import { notifierLaws, remoteNotifierLaws } from '../testing/notifier-laws.ts'
import { notifiers } from './index.ts'

/** Secrets of the example configurations. */
const SECRETS = ['s3cr3t-t0ken', 'shared secret']

for (const { type, config, create, examples } of Object.values(notifiers))
  for (const [i, example] of examples.entries())
    describe(`${type}, example ${i}`, () => {
      const secrets = SECRETS.filter(secret => JSON.stringify(example).includes(secret))
      const subject = { make: create.bind(undefined, config.parse(example)), secrets }
      for (const law of [...notifierLaws, ...(type === 'log' ? [] : remoteNotifierLaws)]) it(law.name, () => law.check(subject))
    })
