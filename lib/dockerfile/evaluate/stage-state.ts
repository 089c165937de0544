import type { ImageConfig } from '../../oci/index.ts'
import type { DeclaredArgument } from './arguments/global-arguments.ts'
import { joinWorkdir } from './instructions/join-path.ts'

/** SPEC: the PATH of images that set none, except on Windows. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** State of a stage that its next instructions see. */
export interface StageState {
  /** Variables of the config. */
  readonly configEnvironment: Map<string, string>
  /** Variables that are expanded and that RUN sees: of the config and of ARG, the last writer wins. */
  readonly environment: Map<string, string>
  /** ARG declarations so far in the chain of stages. */
  readonly declared: DeclaredArgument[]
  workdir: string
  user: string
  shell: readonly string[]
  /** True if this stage has set CMD. */
  commandSet: boolean
  /** True if the chain of stages has set WORKDIR. */
  workdirSet: boolean
  readonly windows: boolean
}

/** State after FROM of an image. Members of the config that have another type than expected count as absent. */
export function stateOfImage(config: ImageConfig | undefined, os: string): StageState {
  const run = (config?.config ?? {}) as Record<string, unknown>
  const windows = os === 'windows'
  const variables = new Map(texts(run.Env).map(pairOf))
  if (!variables.has('PATH') && !windows) variables.set('PATH', DEFAULT_PATH)
  return {
    configEnvironment: variables,
    environment: new Map(variables),
    declared: [],
    workdir: typeof run.WorkingDir === 'string' ? joinWorkdir('/', run.WorkingDir) : '/',
    user: typeof run.User === 'string' ? run.User : '',
    shell: texts(run.Shell),
    commandSet: false,
    workdirSet: false,
    windows,
  }
}

/** State after FROM of another stage: everything is inherited, build arguments too; then ENV counts again. */
export function stateOfStage(base: StageState): StageState {
  return {
    ...base,
    configEnvironment: new Map(base.configEnvironment),
    environment: new Map([...base.environment, ...base.configEnvironment]),
    declared: [...base.declared],
    commandSet: false,
  }
}

/** ONBUILD triggers of an image. */
export function triggersOf(config: ImageConfig | undefined): readonly string[] {
  return texts((config?.config as Record<string, unknown> | undefined)?.OnBuild)
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}

function pairOf(variable: string): [string, string] {
  const equals = variable.indexOf('=')
  return equals < 0 ? [variable, ''] : [variable.slice(0, equals), variable.slice(equals + 1)]
}
