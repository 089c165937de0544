import { asRunConfig, type HistoryEntry, type RunConfig } from '../../oci/index.ts'
import { defaultCreated, mergeRunConfig } from '../compose-config.ts'

/** Members of a run configuration that {@link ConfigEdits} can remove as a whole. */
export type RunConfigMember = 'User' | 'Entrypoint' | 'Cmd' | 'WorkingDir' | 'StopSignal' | 'Healthcheck' | 'Shell'

/** Changes to the run configuration of an image. Removals are made first. */
export interface ConfigEdits {
  /** Members to set: variables, labels, ports and volumes by name, others as a whole; see {@link mergeRunConfig}. */
  readonly set?: RunConfig | undefined
  /** Members to remove. */
  readonly remove?: readonly RunConfigMember[] | undefined
  /** Names of variables to remove. */
  readonly removeEnv?: readonly string[] | undefined
  /** Labels to remove. */
  readonly removeLabels?: readonly string[] | undefined
  /** Ports to remove, as `8080/tcp`. */
  readonly removePorts?: readonly string[] | undefined
  /** Volumes to remove. */
  readonly removeVolumes?: readonly string[] | undefined
}

/**
 * Changes a run configuration. Pure. A name that is not there may be removed; a map or list that becomes empty is left
 * out. A new entrypoint removes the command, as in a Dockerfile.
 *
 * @throws {@link FormatError} `ERR_INVALID_CONFIG` for a member of a wrong kind.
 */
export function editConfig(config: RunConfig | undefined, edits: ConfigEdits): RunConfig {
  const { remove = [], removeEnv = [], removeLabels = [], removePorts = [], removeVolumes = [] } = edits
  const kept = Object.entries(config ?? {}).filter(([key]) => !(remove as readonly string[]).includes(key))
  const { Env, Labels, ExposedPorts, Volumes, ...others }: RunConfig = Object.fromEntries(kept)
  const variables = (Env ?? []).filter(variable => !removeEnv.includes(nameOf(variable)))
  const reduced: RunConfig = {
    ...others,
    ...(variables.length > 0 ? { Env: variables } : {}),
    ...mapWithout('Labels', Labels, removeLabels),
    ...mapWithout('ExposedPorts', ExposedPorts, removePorts),
    ...mapWithout('Volumes', Volumes, removeVolumes),
  }
  return mergeRunConfig(reduced, edits.set && asRunConfig(edits.set))
}

function mapWithout(
  key: 'Labels' | 'ExposedPorts' | 'Volumes',
  map: Readonly<Record<string, unknown>> | undefined,
  names: readonly string[],
): RunConfig {
  const entries = Object.entries(map ?? {}).filter(([name]) => !names.includes(name))
  return entries.length > 0 ? { [key]: Object.fromEntries(entries) } : {}
}

function nameOf(variable: string): string {
  return variable.split('=', 1)[0] as string
}

/**
 * History entries of changes to a run configuration: one for each changed member, in the words of a Dockerfile, with
 * `empty_layer`. A removal, which Dockerfiles do not know, reads `UNSET ENV NAME`.
 */
export function historyOfEdits(before: RunConfig, after: RunConfig, created = defaultCreated()): HistoryEntry[] {
  const lines = [...INSTRUCTIONS].flatMap(([member, instruction]) => {
    const [old, now] = [membersOf(before, member), membersOf(after, member)]
    const gone = [...old.keys()].filter(name => !now.has(name)).map(name => `UNSET ${instruction} ${name}`.trimEnd())
    const set = [...now].filter(([name, text]) => old.get(name) !== text).map(([, text]) => `${instruction} ${text}`)
    return [...gone, ...set]
  })
  return lines.map(line => ({ created, created_by: line, comment: 'layerstore edit', empty_layer: true }))
}

const INSTRUCTIONS: ReadonlyMap<string, string> = new Map([
  ['Env', 'ENV'],
  ['Labels', 'LABEL'],
  ['ExposedPorts', 'EXPOSE'],
  ['Volumes', 'VOLUME'],
  ['User', 'USER'],
  ['WorkingDir', 'WORKDIR'],
  ['StopSignal', 'STOPSIGNAL'],
  ['Shell', 'SHELL'],
  ['Healthcheck', 'HEALTHCHECK'],
  ['Entrypoint', 'ENTRYPOINT'],
  ['Cmd', 'CMD'],
])

/** The texts that a member sets, by name; a member without names has the name ''. */
function membersOf(config: RunConfig, member: string): ReadonlyMap<string, string> {
  const value = (config as Readonly<Record<string, unknown>>)[member]
  if (value === undefined || value === null) return new Map()
  if (member === 'Env') return new Map((config.Env ?? []).map(variable => [nameOf(variable), variable]))
  if (member === 'Labels') {
    return new Map(Object.entries(config.Labels ?? {}).map(([name, text]) => [name, `${name}=${text}`]))
  }
  if (member === 'ExposedPorts' || member === 'Volumes') {
    return new Map(Object.keys(value).map(name => [name, member === 'Volumes' ? JSON.stringify([name]) : name]))
  }
  return new Map([['', typeof value === 'string' ? value : JSON.stringify(value)]])
}
