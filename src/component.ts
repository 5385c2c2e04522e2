import type { z } from 'zod'

/**
 * A part that can be named in configuration. From `config` come the static type, the check at load, the docs page and the editor's schema.
 * `create` is called with a checked configuration and must not read clock, disk or network.
 */
export interface Component<Made, Schema extends z.ZodType = z.ZodType, Needs = void> {
  readonly type: string
  /** One sentence for lists and docs. */
  readonly summary: string
  readonly config: Schema
  create(config: z.output<Schema>, needs: Needs): Made
  /** Configurations (without `type`) over which laws and docs run; at least one, the first is the default. */
  readonly examples: readonly z.input<Schema>[]
}

/** Gives a component its types; at run time the identity. */
export function component<Made, Schema extends z.ZodType, Needs = void>(
  part: Component<Made, Schema, Needs>,
): Component<Made, Schema, Needs> {
  return part
}

/** A table of members written out by hand, by `type`. */
export type Registry<Made, Needs = void> = Readonly<Record<string, Component<Made, any, Needs>>>

/** Makes the table of a family; throws when two members share a `type`. */
export function registry<Made, Needs = void>(...members: readonly Component<Made, any, Needs>[]): Registry<Made, Needs> {
  const table: Record<string, Component<Made, any, Needs>> = {}
  for (const member of members) {
    if (table[member.type]) throw new TypeError(`two components are called ${member.type}`)
    table[member.type] = member
  }
  return table
}
