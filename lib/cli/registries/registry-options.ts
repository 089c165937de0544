import type { Command } from 'commander'
import { UsageError } from '../failing/usage-error.ts'

/** Options of commands that connect to registries. They apply to every registry of the command. */
export interface RegistryOptions {
  readonly plainHttp?: boolean
  readonly tlsVerify?: string
  readonly ca?: readonly string[]
  readonly cert?: string
  readonly key?: string
  readonly mirror?: readonly string[]
  readonly proxy?: string
}

/** A `--mirror` option: a location, for one registry or for all. */
export interface MirrorOption {
  readonly registry: string | undefined
  readonly location: string
}

/** Adds the options for reaching a registry to a command. */
export function withRegistries(command: Command): Command {
  const hasKey = command.options.some(({ long }) => long === '--key')
  command
    .optionsGroup('Reaching a registry (each also per host in registries.json):')
    .option('--plain-http', 'connect without TLS (the default for loopback addresses)')
    .option('--tls-verify <true|false>', 'false: accept any certificate')
    .option('--ca <file>', 'trust the certificate authorities in this PEM file too; may be repeated', collect)
  // The key of `sign` and `verify` is that of signatures; a client certificate is in registries.json then.
  if (!hasKey) {
    command
      .option('--cert <file>', 'client certificate, PEM; needs --key')
      .option('--key <file>', 'private key of --cert, PEM')
  }
  return command
    .option('--mirror <[registry=]location>', 'read from HOST[/PREFIX] first; may be repeated', collect)
    .option('--proxy <url>', 'http or https proxy, or none (default: HTTPS_PROXY, HTTP_PROXY and NO_PROXY)')
}

/** Parses `--tls-verify`; `undefined` if it was not given. */
export function tlsVerifyOf({ tlsVerify }: RegistryOptions): boolean | undefined {
  if (tlsVerify === undefined) return undefined
  if (tlsVerify === 'true' || tlsVerify === 'false') return tlsVerify === 'true'
  throw new UsageError(`--tls-verify takes true or false; got ${JSON.stringify(tlsVerify)}`)
}

/** Parses the `--mirror` options, each `[REGISTRY=]HOST[/PREFIX]`. */
export function mirrorsOf({ mirror = [] }: RegistryOptions): readonly MirrorOption[] {
  return mirror.map(text => {
    const equals = text.indexOf('=')
    const location = text.slice(equals + 1)
    if (location === '' || equals === 0) {
      throw new UsageError(`--mirror takes HOST[/PREFIX] or REGISTRY=HOST[/PREFIX]; got ${JSON.stringify(text)}`)
    }
    return { registry: equals < 0 ? undefined : text.slice(0, equals), location }
  })
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}
