import { hostname } from 'node:os'
import { FormatError } from '../../../errors/index.ts'
import type { ImageConfig, RunConfig } from '../../../oci/index.ts'
import type { ContainerProcess, ContainerSettings } from './container-settings.ts'

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** Length of a host name that is made from an id, as in Docker. */
const HOST_NAME_LENGTH = 12

/**
 * Composes the config of a container from that of its image and the settings of the caller, as `docker run` does:
 *
 * - An entrypoint of the caller removes the command of the image.
 * - Variables of the caller come first; those of the image that have other names follow.
 *
 * Pure.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for an invalid variable.
 */
export function composeContainerConfig({ config = {} }: ImageConfig, settings: ContainerSettings): RunConfig {
  const { command = [], entrypoint, environment = [], workdir, user } = settings
  const { Entrypoint, Cmd, ...rest } = config
  const newEntrypoint = entrypoint ?? Entrypoint ?? []
  const newCommand = command.length > 0 || entrypoint !== undefined ? command : (Cmd ?? [])
  return {
    ...rest,
    Env: mergeVariables(environment, config.Env ?? []),
    ...(newEntrypoint.length > 0 && { Entrypoint: newEntrypoint }),
    ...(newCommand.length > 0 && { Cmd: newCommand }),
    ...(workdir !== undefined && { WorkingDir: workdir }),
    ...(user !== undefined && { User: user }),
  }
}

function mergeVariables(given: readonly string[], inherited: readonly string[]): string[] {
  const invalid = given.find(variable => !/^[^=\0]+=[^\0]*$/s.test(variable))
  if (invalid !== undefined) throw refused(`${JSON.stringify(invalid)} is not NAME=value`)
  const names = given.map(nameOf)
  // The last variable of a name counts.
  const last = given.filter((_, i) => names.lastIndexOf(names[i] as string) === i)
  return [...last, ...inherited.filter(variable => !names.includes(nameOf(variable)))]
}

function nameOf(variable: string): string {
  return variable.split('=', 1)[0] as string
}

/**
 * Composes the process of a container from its config and the settings of the caller. Pure.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` if the config does not say what to run, or a path is not absolute.
 */
export function composeProcess(config: RunConfig, settings: ContainerSettings, id: string): ContainerProcess {
  const { network = 'default', terminal = false, mounts = [] } = settings
  const workdir = config.WorkingDir || '/'
  for (const path of [workdir, ...mounts.map(({ target }) => target)]) {
    if (!path.startsWith('/')) throw refused(`the path ${JSON.stringify(path)} in the container is not absolute`)
  }
  const args = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])]
  if (args.length === 0) throw refused('the image has neither a command nor an entrypoint: give a command')
  const nul = [...args, ...(config.Env ?? []), workdir, config.User ?? ''].find(text => text.includes('\0'))
  if (nul !== undefined) throw refused('a command, variable, user or directory of the image contains a NUL character')
  const name = settings.hostname ?? (network === 'host' ? hostname() : id.slice(0, HOST_NAME_LENGTH))
  const always = [DEFAULT_PATH, `HOSTNAME=${name}`, ...(terminal ? ['TERM=xterm'] : [])]
  return {
    args,
    environment: mergeVariables(config.Env ?? [], always),
    workdir,
    user: config.User ?? '',
    hostname: name,
    network,
    mounts,
    extraHosts: settings.extraHosts,
    limits: settings.limits,
    systemCalls: settings.systemCalls,
    readOnlyRoot: settings.readOnlyRoot ?? false,
    terminal,
    stopSignal: config.StopSignal ?? 'SIGTERM',
  }
}

function refused(message: string): FormatError {
  return new FormatError('ERR_INVALID_ARGUMENT', message)
}
