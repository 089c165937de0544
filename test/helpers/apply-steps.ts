import type { Evaluation, Stage, Step } from '../../lib/dockerfile/index.ts'
import type { ImageConfig } from '../../lib/oci/index.ts'

/** The part of an image config that steps change, as Docker writes it. */
export type AppliedConfig = Readonly<Record<string, unknown>>

/**
 * Applies the steps of the target to the config of its base by the data alone, as an engine does. History entries that
 * make a layer begin with `+ `.
 */
export function applySteps(
  { stages }: Evaluation,
  base: ImageConfig,
): {
  config: AppliedConfig
  history: readonly string[]
  author?: string
} {
  const chain: Stage[] = []
  for (let stage: Stage | undefined = stages.at(-1); stage; ) {
    chain.unshift(stage)
    stage = 'stage' in stage.base ? stages[stage.base.stage] : undefined
  }
  const isBased = 'reference' in chain[0]!.base
  const { OnBuild: _, ...from } = (isBased ? base.config : { WorkingDir: '/' }) as Record<string, unknown>
  const config: Record<string, unknown> = { ...from, Env: [...((from.Env as string[]) ?? [])] }
  applyLists(config, { env: [['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']] })
  const history = isBased ? (base.history ?? []).map(entry => `+ ${entry.created_by ?? ''}`) : []
  let author: string | undefined
  for (const step of chain.flatMap(({ steps }) => steps)) {
    history.push(makesLayer(step) ? `+ ${step.text}` : step.text)
    if (step.kind === 'workdir') config.WorkingDir = step.path
    if (step.kind !== 'config') continue
    applyLists(config, step.set)
    const { user, cmd, entrypoint, argsEscaped, shell, stopSignal, healthcheck } = step.set
    const members = { User: user, Cmd: cmd, Entrypoint: entrypoint, ArgsEscaped: argsEscaped, Shell: shell }
    for (const [name, value] of Object.entries({ ...members, StopSignal: stopSignal, Healthcheck: healthcheck })) {
      if (value !== undefined) config[name] = value
    }
    author = step.set.author ?? author
  }
  if (chain.at(-1)!.onBuild.length > 0) config.OnBuild = chain.at(-1)!.onBuild
  const set = Object.entries(config).filter(([, value]) => !isEmpty(value))
  return { config: Object.fromEntries(set), history, ...(author !== undefined && { author }) }
}

function makesLayer(step: Step): boolean {
  return step.kind === 'workdir' ? step.path !== '/' : step.kind !== 'config'
}

function applyLists(config: Record<string, unknown>, set: Extract<Step, { kind: 'config' }>['set']): void {
  for (const [name, value] of set.env ?? []) {
    const env = config.Env as string[]
    const at = env.findIndex(variable => variable.startsWith(`${name}=`))
    env[at < 0 ? env.length : at] = `${name}=${value}`
  }
  if (set.labels) config.Labels = { ...(config.Labels as object), ...Object.fromEntries(set.labels) }
  if (set.exposedPorts) config.ExposedPorts = withKeys(config.ExposedPorts, set.exposedPorts)
  if (set.volumes) config.Volumes = withKeys(config.Volumes, set.volumes)
}

function withKeys(before: unknown, names: readonly string[]): object {
  return { ...(before as object), ...Object.fromEntries(names.map(name => [name, {}])) }
}

/** Docker leaves out what is empty. */
function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}
