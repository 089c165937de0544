import type { ImageConfig } from '../../oci/index.ts'
import type { ConfigChange } from '../data/config-change.ts'

/** Applies the change of one {@link ConfigStep} to a config. Members that the library does not know are kept. Pure. */
export function changeConfig(config: ImageConfig, change: ConfigChange): ImageConfig {
  const run = without((config.config ?? {}) as Record<string, unknown>, change.reset ?? [])
  const next: Record<string, unknown> = { ...run }
  if (change.env) next.Env = changeVariables(run.Env, change.env)
  if (change.labels) next.Labels = { ...(run.Labels as object | null), ...Object.fromEntries(change.labels) }
  if (change.exposedPorts) next.ExposedPorts = withNames(run.ExposedPorts, change.exposedPorts)
  if (change.volumes) next.Volumes = withNames(run.Volumes, change.volumes)
  setOrRemove(next, 'User', change.user)
  setOrRemove(next, 'Cmd', change.cmd)
  setOrRemove(next, 'Entrypoint', change.entrypoint)
  setOrRemove(next, 'ArgsEscaped', change.argsEscaped)
  setOrRemove(next, 'Shell', change.shell)
  setOrRemove(next, 'StopSignal', change.stopSignal)
  setOrRemove(next, 'Healthcheck', change.healthcheck)
  return { ...config, ...(change.author === undefined ? {} : { author: change.author }), config: next }
}

/** A variable that exists is replaced in its place; a new one comes last. */
function changeVariables(before: unknown, changes: readonly (readonly [string, string])[]): string[] {
  const variables = [...((before as readonly string[] | null | undefined) ?? [])]
  for (const [name, value] of changes) {
    const at = variables.findIndex(variable => variable.split('=', 1)[0] === name)
    if (at < 0) variables.push(`${name}=${value}`)
    else variables[at] = `${name}=${value}`
  }
  return variables
}

function withNames(before: unknown, names: readonly string[]): Record<string, object> {
  return { ...(before as Record<string, object> | null), ...Object.fromEntries(names.map(name => [name, {}])) }
}

/** An empty list is left out of the config, as the reference does: `CMD []` leaves no `Cmd`. */
function setOrRemove(run: Record<string, unknown>, name: string, value: unknown): void {
  if (value === null || (Array.isArray(value) && value.length === 0)) delete run[name]
  else if (value !== undefined) run[name] = value
}

function without(run: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(run).filter(([name]) => !names.includes(name)))
}
