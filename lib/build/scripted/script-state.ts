import type { Step } from '../../dockerfile/index.ts'
import type { ImageConfig } from '../../oci/index.ts'
import type { BuildContext } from '../context/build-context.ts'

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** A step of code before its evaluation, which depends on the base and the steps before it. */
export type ScriptedStep = (state: ScriptState) => Step | Promise<Step>

/** A stage of code, as other stages and the evaluation see it. */
export interface StageNode {
  /** @internal */
  readonly parts: StageParts
}

/** Parts of a stage of code. */
export interface StageParts {
  readonly name?: string | undefined
  /** A reference, `scratch`, or another stage. */
  readonly base: string | StageNode
  /** Platform, if it is not that of the build. */
  readonly platform?: string | undefined
  readonly steps: readonly ScriptedStep[]
  /** ONBUILD triggers of the image. */
  readonly onBuild: readonly string[]
  /** Contexts of the whole build that the stage brings along, by their names. */
  readonly contexts: Readonly<Record<string, BuildContext>>
  /** Those contexts that nothing else closes: `buildImage` does, so that the digests of their files are kept. */
  readonly owned?: readonly BuildContext[] | undefined
}

/** State of a stage during the evaluation of its steps. */
export class ScriptState {
  readonly env: Map<string, string>
  workdir: string
  user: string
  shell: readonly string[]
  /** True if this stage has set a command: a later entrypoint then keeps it. */
  hasCommand = false
  /** Platform of the stage, as `os/architecture[/variant]`. */
  readonly platform: string
  /** Index of a stage that a step copies from. */
  readonly stageIndex: (stage: StageNode) => number
  /** Brings a context along, and returns its name. */
  readonly bring: (context: BuildContext) => string

  constructor(
    config: ImageConfig | undefined,
    finders: Pick<ScriptState, 'platform' | 'stageIndex' | 'bring'>,
    parent?: ScriptState | undefined,
  ) {
    const run = (config?.config ?? {}) as Record<string, unknown>
    const variables = (run.Env as readonly string[] | null | undefined) ?? []
    this.env = new Map(parent?.env ?? variables.map(variable => splitVariable(variable)))
    if (!this.env.has('PATH') && config?.os !== 'windows') this.env.set('PATH', DEFAULT_PATH)
    this.workdir = parent?.workdir ?? ((run.WorkingDir as string | undefined) || '/')
    this.user = parent?.user ?? ((run.User as string | undefined) || '')
    const shell = run.Shell as readonly string[] | null | undefined
    this.shell = parent?.shell ?? (shell && shell.length > 0 ? shell : ['/bin/sh', '-c'])
    this.platform = finders.platform
    this.stageIndex = finders.stageIndex
    this.bring = finders.bring
  }

  /** Variables that a command sees. */
  get environment(): string[] {
    return [...this.env].map(([name, value]) => `${name}=${value}`)
  }

  /** The path against the working directory, with its trailing slash; `.` is the directory itself. */
  resolve(path: string): string {
    const joined = path.startsWith('/') ? path : `${this.workdir}/${path}`
    const isDirectory = /(^|\/)\.?$/.test(path)
    const clean = cleanPath(joined)
    return isDirectory && clean !== '/' ? `${clean}/` : clean
  }
}

function splitVariable(variable: string): [string, string] {
  const at = variable.indexOf('=')
  return at < 0 ? [variable, ''] : [variable.slice(0, at), variable.slice(at + 1)]
}

/** An absolute path without `.`, `..` and repeated slashes. */
export function cleanPath(path: string): string {
  const names: string[] = []
  for (const name of path.split('/')) {
    if (name === '..') names.pop()
    else if (name !== '' && name !== '.') names.push(name)
  }
  return `/${names.join('/')}`
}
