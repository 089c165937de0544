import type { EvaluateDockerfileOptions } from '../data/evaluation.ts'
import type { RunMount } from '../data/run-mount.ts'
import type { DockerfileDocument, Instruction, Position } from '../document/document.ts'
import { declaredArgument } from '../evaluate/arguments/global-arguments.ts'
import { evaluateStagesOf } from '../evaluate/evaluate-dockerfile.ts'
import type { EvaluatedStage } from '../evaluate/evaluate-stage.ts'
import { splitStages } from '../evaluate/stages/split-stages.ts'
import { descriptionIn } from './description-in.ts'

/** A build argument that a target uses. */
export interface OutlinedArgument {
  /** Name of the argument. */
  readonly name: string
  /** Text of the comment above the ARG that begins with the name. */
  readonly description?: string
  /** Value that a build with the same options uses; absent without a default. */
  readonly value?: string
  /** Position of the ARG instruction. */
  readonly position: Position
}

/** A secret or an agent that a command of a target mounts. */
export interface OutlinedMount {
  /** Id of the secret or the agent. */
  readonly name: string
  /** True if a build without it fails. */
  readonly required: boolean
  /** Position of the RUN instruction. */
  readonly position: Position
}

/** Build arguments, secrets and agents of a target of a Dockerfile. */
export interface DockerfileOutline {
  /** Name of the target in lower case; absent for a stage without one. */
  readonly name?: string
  /** Text of the comment above the stage that begins with its name. */
  readonly description?: string
  /** Build arguments of the target and of the stages that it needs, in the order of the file. */
  readonly args: readonly OutlinedArgument[]
  /** Secrets, in the order of the file. */
  readonly secrets: readonly OutlinedMount[]
  /** SSH agents, in the order of the file. */
  readonly ssh: readonly OutlinedMount[]
}

/**
 * Lists what a target takes from outside: build arguments with their values, secrets and SSH agents, also those of the
 * stages that it needs, as `docker build --call=outline` does. Variables of base images are known only as far as
 * `bases` tells them.
 *
 * @example
 * ```ts
 * const document = parseDockerfile(await readFile('Dockerfile', 'utf8'))
 * const { args } = outlineDockerfile(document, { target: 'app', buildArgs: { NODE: '24' } })
 * ```
 *
 * @throws as `evaluateDockerfile`.
 */
export function outlineDockerfile(
  document: DockerfileDocument,
  options: EvaluateDockerfileOptions = {},
): DockerfileOutline {
  const evaluation = evaluateStagesOf(document, options, false)
  const found = new FoundInStages(evaluation, globalsOf(document, evaluation.globals))
  for (const stage of evaluation.evaluated) found.addStage(stage)
  const { from, name } = evaluation.target
  const description = descriptionIn(from, name)
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    args: [...found.args.values()].sort((a, b) => a.position.line - b.position.line),
    secrets: [...found.secrets.values()],
    ssh: [...found.ssh.values()],
  }
}

type Evaluated = Pick<ReturnType<typeof evaluateStagesOf>, 'globals' | 'buildArgs' | 'scope'>

/** Arguments and mounts of the stages of a target; of several places with one name, the last ARG, the first mount. */
class FoundInStages {
  readonly args = new Map<string, OutlinedArgument>()
  readonly secrets = new Map<string, OutlinedMount>()
  readonly ssh = new Map<string, OutlinedMount>()
  readonly #evaluation: Evaluated
  readonly #declared: ReadonlyMap<string, DeclaredPlace>

  constructor(evaluation: Evaluated, globals: readonly DeclaredPlace[]) {
    this.#evaluation = evaluation
    this.#declared = new Map(globals.map(place => [place.argument.name, place]))
  }

  addStage(stage: EvaluatedStage): void {
    const { from } = stage.stage
    const platform = from.flags.find(({ name }) => name === 'platform')?.value ?? ''
    this.#addUsed(`${from.words[0]!.text} ${platform}`, from.position)
    for (const place of argumentsOf(stage)) this.#addArgument(place)
    for (const { step, instruction } of stage.evaluated) {
      if (step?.kind === 'run') for (const mount of step.mounts) this.#addMount(mount, instruction.position)
    }
  }

  #addArgument({ argument, fallback }: DeclaredPlace): void {
    const { globals, buildArgs } = this.#evaluation
    const { name } = argument
    // SPEC: without a default of its own it is the one from before the first FROM, or an automatic one.
    const isGlobal = fallback === undefined && !buildArgs.has(name) && globals.has(name)
    if (isGlobal) this.#addGlobal(name)
    else this.args.set(name, argument)
  }

  /** Adds an argument from before the first FROM, and those that its default names. */
  #addGlobal(name: string): void {
    const place = this.#declared.get(name)
    if (!place || this.args.get(name) === place.argument) return
    this.args.set(name, place.argument)
    if (place.fallback !== undefined && !this.#evaluation.buildArgs.has(name)) {
      this.#addUsed(place.fallback, place.argument.position)
    }
  }

  #addUsed(text: string, position: Position): void {
    const { globals, scope } = this.#evaluation
    for (const name of scope.expand(text, position, { lookup: used => globals.get(used) }).matched) {
      this.#addGlobal(name)
    }
  }

  #addMount(mount: RunMount, position: Position): void {
    if (mount.type !== 'secret' && mount.type !== 'ssh') return
    const found = mount.type === 'secret' ? this.secrets : this.ssh
    if (!found.has(mount.id)) found.set(mount.id, { name: mount.id, required: mount.required, position })
  }
}

/** An argument, and its default as written. */
interface DeclaredPlace {
  readonly argument: OutlinedArgument
  readonly fallback: string | undefined
}

/** Arguments from before the first FROM that have a value. */
function globalsOf(document: DockerfileDocument, globals: ReadonlyMap<string, string>): DeclaredPlace[] {
  return splitStages(document).globals.flatMap(instruction =>
    instruction.words.flatMap(({ text }) => {
      const { name, value: fallback } = declaredArgument(text)
      const value = globals.get(name)
      return value === undefined ? [] : [placeOf(instruction, { name, value, fallback })]
    }),
  )
}

/** Arguments that a stage declares itself, in their order. */
function argumentsOf({ evaluated, state }: EvaluatedStage): DeclaredPlace[] {
  const written = evaluated
    .filter(({ instruction }) => instruction.name === 'ARG')
    .flatMap(({ instruction }) => instruction.words.map(({ text }) => ({ instruction, text })))
  const own = state.declared.slice(state.declared.length - written.length)
  return written.map(({ instruction, text }, i) => {
    const { name, value: fallback } = declaredArgument(text)
    return placeOf(instruction, { name, value: own[i]?.value, fallback })
  })
}

function placeOf(
  instruction: Instruction,
  { name, value, fallback }: { name: string; value: string | undefined; fallback: string | undefined },
): DeclaredPlace {
  const description = descriptionIn(instruction, name)
  const argument = {
    name,
    ...(description === undefined ? {} : { description }),
    ...(value === undefined ? {} : { value }),
    position: instruction.position,
  }
  return { argument, fallback }
}
