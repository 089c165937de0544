import type { Healthcheck } from '../../dockerfile/index.ts'
import { FormatError } from '../../errors/index.ts'
import type { Files } from '../../layer/index.ts'
import { formatPlatform, type Platform, parsePlatform } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import { type BuildImageOptions, buildImage } from '../build-image.ts'
import type { BuildContext } from '../context/build-context.ts'
import type { EvaluatedStages, EvaluationRequest, StageSource } from '../planning/stage-source.ts'
import type { BuildResult } from '../run-build.ts'
import { evaluateScript } from './evaluate-script.ts'
import type { ScriptedStep, StageNode, StageParts } from './script-state.ts'
import type {
  AddOptions,
  ConfigMember,
  CopyOptions,
  CopySourceOptions,
  RunOptionsOfStage,
  StepOptions,
} from './scripted-options.ts'
import {
  addStep,
  commandStep,
  configStep,
  copyStep,
  envStep,
  joinPairs,
  resetStep,
  type Variables,
  wordsOf,
  workdirStep,
} from './scripted-steps.ts'

/** Addresses that ADD takes: of files, and of git repositories. */
const ADDRESS = /^(?:https?|git|ssh):\/\/|^[\w.-]+@[\w.-]+:/

/** Options of {@link from}. */
export interface FromOptions {
  /** Platform of the stage. @defaultValue that of the build */
  readonly platform?: string | Platform | undefined
}

/** Options of {@link ScriptedStage.healthcheck}. Times are seconds. */
export interface HealthcheckOptions {
  /** Seconds between two checks. */
  readonly interval?: number | undefined
  /** Seconds after which a check counts as failed. */
  readonly timeout?: number | undefined
  /** Seconds after the start in which failures do not count. */
  readonly startPeriod?: number | undefined
  /** Number of consecutive failures after which the container is unhealthy. */
  readonly retries?: number | undefined
}

/**
 * Starts an image from a base: a reference, `scratch`, or another stage. The base is looked for in the store, then in
 * the registry, when the build is planned.
 *
 * @example
 * ```ts
 * const deps = from('node:22').workdir('/app').copy('package*.json', './').run('npm ci')
 * await from('node:22-slim')
 *   .workdir('/app')
 *   .copy({ from: deps, source: '/app/node_modules', to: './node_modules/' })
 *   .copy('dist', '.')
 *   .env({ NODE_ENV: 'production' })
 *   .user('node')
 *   .cmd(['node', 'server.js'])
 *   .build(store, { context: '.', names: ['app:1.0'] })
 * ```
 */
export function from(base: string | ScriptedStage, options: FromOptions = {}): ScriptedStage {
  const { platform } = options
  const text = platform === undefined || typeof platform === 'string' ? platform : formatPlatform(platform)
  const normal = text === undefined ? undefined : formatPlatform(parsePlatform(text))
  return new ScriptedStage({ base, platform: normal, steps: [], onBuild: [], contexts: {} })
}

/**
 * A stage of a build made by code. Every method returns a new stage and leaves this one as it is, so a stage may be
 * shared, extended in a loop, or made by a function. Nothing is read before the build is planned. Each method is the
 * Dockerfile instruction of its name, and gives the same step.
 */
export class ScriptedStage implements StageSource, StageNode {
  /** @internal */
  readonly parts: StageParts

  /** @internal */
  constructor(parts: StageParts) {
    this.parts = parts
  }

  /** Evaluates the stage and every stage that it needs, for one platform. */
  evaluate(request: EvaluationRequest): Promise<EvaluatedStages> {
    return evaluateScript(this, request)
  }

  /** Names the stage, for plans, progress and `noCache`. */
  as(name: string): ScriptedStage {
    return this.#with({ name: name.toLowerCase() })
  }

  /** Applies a function to the stage: for parts that several stages share. */
  use(change: (stage: ScriptedStage) => ScriptedStage): ScriptedStage {
    return change(this)
  }

  /** Sets the working directory, and makes it. Relative paths continue the one before. */
  workdir(path: string, options: StepOptions = {}): ScriptedStage {
    return this.#step(workdirStep(path, options))
  }

  /**
   * Copies files of the context, of a stage, an image, another context, or of memory. The content of a directory goes
   * into the destination, without the directory itself unless `itself` is set.
   *
   * @param sources - Paths and patterns, or the whole copy.
   * @param to - Destination, relative to the working directory.
   */
  copy(sources: string | readonly string[], to: string, options?: CopyOptions): ScriptedStage
  copy(options: CopySourceOptions): ScriptedStage
  copy(sources: string | readonly string[] | CopySourceOptions, to?: string, options: CopyOptions = {}): ScriptedStage {
    const isWhole = typeof sources === 'object' && 'to' in sources
    const whole = isWhole ? sources : { ...options, source: sources as string | readonly string[], to: to ?? '.' }
    return this.#step(copyStep(whole))
  }

  /** Writes files in memory or generated files below a directory. A content function may be called several times. */
  files(files: Files, to = '/', options: CopyOptions = {}): ScriptedStage {
    return this.copy({ ...options, files, to: to.endsWith('/') ? to : `${to}/` })
  }

  /** Downloads a file, or takes the files of a git repository, as `https://host/repo.git#ref:directory`. */
  add(address: string, to: string, options: AddOptions = {}): ScriptedStage {
    if (!ADDRESS.test(address)) {
      throw new FormatError('ERR_INVALID_ARGUMENT', 'add takes an http, https or git address')
    }
    return this.#step(addStep(address, to, options))
  }

  /** Runs a command: a text for the shell, or a program with its arguments. The build needs an executor for it. */
  run(command: string | readonly string[], options: RunOptionsOfStage = {}): ScriptedStage {
    return this.#step(commandStep(command, options))
  }

  /** Sets variables. A function is called once, when the build is planned: it may run a program or read a file. */
  env(variables: Variables | (() => Variables | Promise<Variables>)): ScriptedStage {
    return this.#step(envStep(variables))
  }

  /** Sets labels. */
  label(labels: Readonly<Record<string, string>>): ScriptedStage {
    const pairs = Object.entries(labels)
    return this.#step(() => configStep(`LABEL ${joinPairs(pairs)}`, { labels: pairs }))
  }

  /** Sets the user of later steps and of the image, as `user[:group]`. */
  user(user: string): ScriptedStage {
    return this.#step(state => {
      state.user = user
      return configStep(`USER ${user}`, { user })
    })
  }

  /** Documents ports: numbers, or `53/udp`. */
  expose(...ports: readonly (number | string)[]): ScriptedStage {
    const names = ports.map(portOf).sort()
    return this.#step(() => configStep(`EXPOSE [${names.join(' ')}]`, { exposedPorts: names }))
  }

  /** Declares directories for data. */
  volume(...paths: readonly string[]): ScriptedStage {
    return this.#step(() => configStep(`VOLUME [${paths.join(' ')}]`, { volumes: paths }))
  }

  /** Sets the command: a program with its arguments, or a text for the shell. */
  cmd(command: string | readonly string[]): ScriptedStage {
    return this.#step(state => {
      state.hasCommand = true
      const words = typeof command === 'string' ? [...state.shell, command] : [...command]
      return configStep(`CMD ${wordsOf(words)}`, { cmd: words, argsEscaped: true })
    })
  }

  /** Sets the entrypoint. A command of the base is removed; one that this stage has set stays. */
  entrypoint(command: string | readonly string[]): ScriptedStage {
    return this.#step(state => {
      const words = typeof command === 'string' ? [...state.shell, command] : [...command]
      const change = { entrypoint: words, ...(state.hasCommand ? {} : { cmd: null }) }
      return configStep(`ENTRYPOINT ${wordsOf(words)}`, change)
    })
  }

  /** Sets the shell of later commands that are texts. */
  shell(words: readonly string[]): ScriptedStage {
    if (words.length === 0) throw new FormatError('ERR_INVALID_ARGUMENT', 'a shell needs at least a program')
    return this.#step(state => {
      state.shell = words
      return configStep(`SHELL [${words.join(' ')}]`, { shell: words })
    })
  }

  /** Sets the signal that stops the container. */
  stopSignal(signal: string): ScriptedStage {
    return this.#step(() => configStep(`STOPSIGNAL ${signal}`, { stopSignal: signal }))
  }

  /** Sets how to check that a container is healthy; `undefined` turns the check of the base off. */
  healthcheck(command: string | readonly string[] | undefined, options: HealthcheckOptions = {}): ScriptedStage {
    const healthcheck = healthcheckOf(command, options)
    return this.#step(() => configStep(`HEALTHCHECK ${JSON.stringify(healthcheck)}`, { healthcheck }))
  }

  /** Sets the author of the image. */
  author(author: string): ScriptedStage {
    return this.#step(() => configStep(`MAINTAINER ${author}`, { author }))
  }

  /** Removes what the base or earlier steps set, which no Dockerfile can. */
  reset(...members: readonly ConfigMember[]): ScriptedStage {
    return this.#step(resetStep(members))
  }

  /** Adds ONBUILD triggers to the image, as texts of Dockerfile instructions. */
  onBuild(...triggers: readonly string[]): ScriptedStage {
    return this.#with({ onBuild: [...this.parts.onBuild, ...triggers] })
  }

  /** Brings a context along: the build needs no option for it. Without a name it is the context of the build. */
  context(context: BuildContext, name = ''): ScriptedStage {
    return this.#with({ contexts: { ...this.parts.contexts, [name]: context } })
  }

  /**
   * Brings a context along that the build closes at its end.
   *
   * @internal
   */
  ownContext(context: BuildContext): ScriptedStage {
    return this.#with({ owned: [...(this.parts.owned ?? []), context] })
  }

  /** Plans and runs the build; as `buildImage(store, stage, options)`. */
  build(store: Store, options: BuildImageOptions = {}): Promise<BuildResult> {
    return buildImage(store, this, options)
  }

  #step(step: ScriptedStep): ScriptedStage {
    return this.#with({ steps: [...this.parts.steps, step] })
  }

  #with(parts: Partial<StageParts>): ScriptedStage {
    return new ScriptedStage({ ...this.parts, ...parts })
  }
}

const NANOSECONDS = 1_000_000_000

function healthcheckOf(command: string | readonly string[] | undefined, options: HealthcheckOptions): Healthcheck {
  if (command === undefined) return { Test: ['NONE'] }
  const { interval, timeout, startPeriod, retries } = options
  return {
    Test: typeof command === 'string' ? ['CMD-SHELL', command] : ['CMD', ...command],
    ...(interval === undefined ? {} : { Interval: interval * NANOSECONDS }),
    ...(timeout === undefined ? {} : { Timeout: timeout * NANOSECONDS }),
    ...(startPeriod === undefined ? {} : { StartPeriod: startPeriod * NANOSECONDS }),
    ...(retries === undefined ? {} : { Retries: retries }),
  }
}

function portOf(port: number | string): string {
  const [number = '', protocol = 'tcp', ...more] = String(port).toLowerCase().split('/')
  const isPort = /^\d{1,5}$/.test(number) && Number(number) <= 65_535
  if (isPort && ['tcp', 'udp', 'sctp'].includes(protocol) && more.length === 0) return `${Number(number)}/${protocol}`
  throw new FormatError('ERR_INVALID_ARGUMENT', `not a port: ${JSON.stringify(port)}; write 8080 or 53/udp`)
}
