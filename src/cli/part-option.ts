import { parse } from 'yaml'
import type { Registry } from '../component.ts'
import { InputError } from '../errors.ts'
import { guess } from '../nearest.ts'
import type { Part } from '../pipeline/configuration.ts'
import { printPath } from '../pipeline/locate.ts'
import { checkSchema } from '../pipeline/schema-faults.ts'

/** Makes a part from an option: a type, or `{ type: ewma, … }` as YAML or JSON. Throws `InputError` that says what is wrong. */
export function makePart<Made>(family: Registry<Made>, option: string, text: string): { made: Made; type: string } {
  const known = Object.keys(family)
  let part: unknown = text
  if (text.trim().startsWith('{')) {
    try {
      part = parse(text)
    } catch {
      throw new InputError(`${option} must be a type or { type: …, option: … }, got ${JSON.stringify(text)}`)
    }
  }
  const { type, ...options } = typeof part === 'string' ? ({ type: part } as Part) : (part as Part)
  const member = Object.hasOwn(family, type) ? family[type] : undefined
  if (!member)
    throw new InputError(`${option} must be one of ${known.join(', ')}; got ${JSON.stringify(type)}${guess(String(type), known)}`)
  const result = checkSchema(member.config, options)
  if (!result.ok)
    throw new InputError(result.faults.map(({ path, message }) => `${option} ${printPath(path)}: ${message}`).join('\n'))
  return { made: member.create(result.value), type }
}
