import type { RunConfig } from '../../../oci/index.ts'
import { UsageError } from '../../failing/usage-error.ts'

/** Options that set the run configuration of a container. */
export interface RunConfigOptions {
  readonly cmd?: string
  readonly entrypoint?: string
  readonly env?: readonly string[]
  readonly label?: readonly string[]
  readonly workdir?: string
  readonly user?: string
  readonly expose?: readonly string[]
  readonly volume?: readonly string[]
}

/** Converts the options to a run configuration. */
export function runConfigOf(options: RunConfigOptions): RunConfig {
  const { cmd, entrypoint, env, label, workdir, user, expose, volume } = options
  return {
    ...(cmd === undefined ? {} : { Cmd: stringsOf('--cmd', cmd) }),
    ...(entrypoint === undefined ? {} : { Entrypoint: stringsOf('--entrypoint', entrypoint) }),
    ...(env ? { Env: env.map(pair => splitPair('--env', pair).join('=')) } : {}),
    ...(label ? { Labels: pairsOf('--label', label) } : {}),
    ...(workdir === undefined ? {} : { WorkingDir: workdir }),
    ...(user === undefined ? {} : { User: user }),
    ...(expose ? { ExposedPorts: Object.fromEntries(expose.map(text => [portOf(text), {}])) } : {}),
    ...(volume ? { Volumes: Object.fromEntries(volume.map(text => [volumeOf(text), {}])) } : {}),
  }
}

/** Converts `NAME=VALUE` pairs to a record. */
export function pairsOf(option: string, pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.map(pair => splitPair(option, pair)))
}

function stringsOf(option: string, text: string): string[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new UsageError(`${option} takes a JSON array of strings, e.g. '["node","server.js"]'`, { cause })
  }
  if (Array.isArray(value) && value.every(part => typeof part === 'string')) return value
  throw new UsageError(`${option} takes a JSON array of strings, e.g. '["node","server.js"]'`)
}

function splitPair(option: string, pair: string): [string, string] {
  const equals = pair.indexOf('=')
  if (equals < 1) throw new UsageError(`${option} takes NAME=VALUE; got ${JSON.stringify(pair)}`)
  return [pair.slice(0, equals), pair.slice(equals + 1)]
}

/** SPEC: `port/tcp`, `port/udp` or `port`, which means tcp (config.md, ExposedPorts). */
function portOf(text: string): string {
  const [, port = '', protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text) ?? []
  if (port !== '' && Number(port) <= 65_535) return `${Number(port)}/${protocol}`
  throw new UsageError(`--expose takes PORT or PORT/udp, up to 65535; got ${JSON.stringify(text)}`)
}

function volumeOf(text: string): string {
  if (text.startsWith('/')) return text
  throw new UsageError(`--volume takes a path in the image that begins with /; got ${JSON.stringify(text)}`)
}
