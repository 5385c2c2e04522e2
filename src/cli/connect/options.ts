import { type Command, Option, type OptionValues } from '@commander-js/extra-typings'

/** How a command reaches a source: an address with what it asks for, or a source of a configuration. */
export interface ConnectOptions {
  readonly bearerTokenFile?: string | undefined
  readonly basicAuthUser?: string | undefined
  readonly basicAuthPasswordFile?: string | undefined
  readonly header?: readonly string[] | undefined
  readonly param?: readonly string[] | undefined
  readonly caFile?: string | undefined
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  readonly serverName?: string | undefined
  readonly insecureSkipVerify?: boolean | undefined
  /** Name of a source of the configuration `config`. */
  readonly source?: string | undefined
  readonly config?: string | undefined
}

const add = (flags: string, description: string) => new Option(flags, description).helpGroup('Access to what is protected:')

/** Adds the options that say who asks, and whom to trust. */
export function withAccessOptions<Args extends any[], Opts extends OptionValues, Global extends OptionValues>(
  command: Command<Args, Opts, Global>,
): Command<Args, Opts & Pick<ConnectOptions, keyof ConnectOptions>, Global> {
  return command
    .addOption(add('--bearer-token-file <file>', 'file of a bearer token'))
    .addOption(add('--basic-auth-user <name>', 'user, with --basic-auth-password-file'))
    .addOption(add('--basic-auth-password-file <file>', 'file of the password'))
    .addOption(
      add(
        '-H, --header <name: value>',
        "header of each request, like 'X-Scope-OrgID: team'; 'name: @file' takes the value from a file; may be given again",
      ).argParser(collect),
    )
    .addOption(add('--ca-file <file>', 'certificates of authorities that are trusted'))
    .addOption(add('--cert-file <file>', 'certificate of the client, with --key-file'))
    .addOption(add('--key-file <file>', 'key of the client'))
    .addOption(add('--server-name <name>', 'name that the certificate of the server must have'))
    .addOption(add('--insecure-skip-verify', 'trust any certificate')) as never
}

/** Adds the options by which a command reaches a source. */
export function withConnectOptions<Args extends any[], Opts extends OptionValues, Global extends OptionValues>(
  command: Command<Args, Opts, Global>,
): Command<Args, Opts & Pick<ConnectOptions, keyof ConnectOptions>, Global> {
  return withAccessOptions(command)
    .addOption(add('--param <name=value>', 'parameter of each request, or name=@file; may be given again').argParser(collect))
    .addOption(add('--source <name>', 'the source of this name in a configuration, in place of an address'))
    .addOption(add('-c, --config <file>', 'the configuration for --source; default tidewatch.yaml')) as never
}

/** Values of an option that may be given again, in order. */
export function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text]
}
