import { readFile } from 'node:fs/promises'
import type { ContainerSettings } from '../../sandbox/index.ts'
import { extraHostsOf, limitsOf } from '../building/sandbox-options.ts'
import { fileFault } from '../failing/file-fault.ts'
import { UsageError } from '../failing/usage-error.ts'
import { type MountOptions, mountsOf } from './mount-options.ts'

/** Options of `run` that describe the process. */
export interface ProcessOptions extends MountOptions {
  readonly env?: readonly string[]
  readonly envFile?: readonly string[]
  readonly workdir?: string
  readonly user?: string
  readonly entrypoint?: string
  readonly network?: string
  readonly readOnly?: boolean
  readonly hostname?: string
  readonly addHost?: readonly string[]
  readonly publish?: readonly string[]
  readonly memory?: string
  readonly pidsLimit?: string
  readonly ulimit?: readonly string[]
  readonly securityOpt?: readonly string[]
  readonly tty?: boolean
}

/** Converts the options to the settings of a container. */
export async function containerSettings(
  command: readonly string[],
  options: ProcessOptions,
  env: NodeJS.ProcessEnv,
): Promise<ContainerSettings> {
  const { workdir, user, entrypoint, hostname, readOnly, tty, addHost = [] } = options
  const network = networkOf(options.network)
  for (const port of options.publish ?? []) refuseMapping(port, network)
  return {
    command,
    ...(entrypoint !== undefined && { entrypoint: entrypoint === '' ? [] : [entrypoint] }),
    environment: [...(await linesOf(options.envFile ?? [], env)), ...variablesOf(options.env ?? [], env)],
    workdir,
    user,
    hostname,
    network,
    readOnlyRoot: readOnly ?? false,
    terminal: tty ?? false,
    extraHosts: extraHostsOf(addHost),
    limits: limitsOf(options),
    systemCalls: systemCallsOf(options.securityOpt ?? []),
    mounts: mountsOf(options),
  }
}

/** SPEC: docker run, `--security-opt`. Its other settings belong to parts of the system that are not used here. */
function systemCallsOf(settings: readonly string[]): 'default' | 'all' {
  const unknown = settings.find(setting => setting !== 'seccomp=unconfined')
  if (unknown === undefined) return settings.length > 0 ? 'all' : 'default'
  throw new UsageError(`--security-opt takes seccomp=unconfined; got ${JSON.stringify(unknown)}`)
}

function networkOf(text = 'default'): 'default' | 'none' | 'host' {
  if (text === 'default' || text === 'none' || text === 'host') return text
  throw new UsageError(`--network takes host, none or default; there is no network ${JSON.stringify(text)} here`)
}

/** SPEC: docker run, `--publish [[IP:]HOST_PORT:]PORT[/PROTOCOL]`. */
function refuseMapping(text: string, network: string): void {
  const [, before, port] = /^(?:(.*):)?(\d+)(?:\/(?:tcp|udp|sctp))?$/.exec(text) ?? []
  if (port === undefined) throw new UsageError(`--publish takes PORT or PORT:PORT; got ${JSON.stringify(text)}`)
  if (network === 'none') throw new UsageError('--publish and --network none exclude each other')
  const hostPort = before?.split(':').at(-1)
  if (hostPort === undefined || hostPort === port) return
  const why = 'ports of a container are those of this machine, and none is mapped'
  throw new UsageError(`--publish ${text}: ${why}; let the program listen on ${hostPort}`)
}

/** A NAME alone takes the value of the environment, if it has one. */
function variablesOf(pairs: readonly string[], env: NodeJS.ProcessEnv): string[] {
  return pairs.flatMap(pair => {
    const equals = pair.indexOf('=')
    if (equals === 0 || pair === '') throw new UsageError(`--env takes NAME=VALUE or NAME; got ${JSON.stringify(pair)}`)
    if (equals > 0) return [pair]
    return env[pair] === undefined ? [] : [`${pair}=${env[pair]}`]
  })
}

/** SPEC: docker run, `--env-file`: a line is NAME=VALUE or NAME; `#` at its begin is a comment. */
async function linesOf(files: readonly string[], env: NodeJS.ProcessEnv): Promise<string[]> {
  const lines: string[] = []
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(error => {
      throw fileFault('--env-file', file, error)
    })
    lines.push(...text.split(/\r?\n/).map(line => line.trimStart()))
  }
  return variablesOf(
    lines.filter(line => line !== '' && !line.startsWith('#')),
    env,
  )
}
