import { formatPlatform } from '../../../oci/index.ts'
import { didYouMean } from '../../document/did-you-mean.ts'
import { quoted } from '../../document/dockerfile-fault.ts'
import type { Instruction } from '../../document/document.ts'
import { readMountFields } from '../../document/mount-fields.ts'
import { readPlatform } from '../arguments/platform-arguments.ts'
import { flagValue } from '../instructions/instruction-context.ts'
import type { Scope } from '../scope.ts'
import type { ContextNames, NamedContext } from './context-names.ts'
import type { WrittenStage } from './split-stages.ts'

/** A stage whose base is known. */
export interface PlannedStage extends WrittenStage {
  /** Name of the base, variables expanded. */
  readonly baseName: string
  /** Platform of `--platform`, or that of the base stage, or the target platform. */
  readonly platform: string
  /** Base if it is a stage. */
  readonly baseStage: PlannedStage | undefined
  /** Replacement of the whole stage by a named context of its name. */
  readonly replacedBy: NamedContext | undefined
}

/** Stages of a file by index and name. */
export class PlannedStages {
  readonly all: readonly PlannedStage[]
  readonly #byName = new Map<string, PlannedStage>()
  readonly #scope: Scope

  constructor(
    written: readonly WrittenStage[],
    globals: ReadonlyMap<string, string>,
    targetPlatform: string,
    contexts: ContextNames,
    scope: Scope,
  ) {
    this.#scope = scope
    this.all = written.map(stage => {
      const planned = this.#plan(stage, globals, targetPlatform, contexts)
      if (stage.name !== undefined) this.#byName.set(stage.name, planned)
      return planned
    })
  }

  /** Finds the stage to build: by its name, else the last. Numbers are no names, as in BuildKit. */
  target(name: string | undefined): PlannedStage {
    if (name === undefined || name === '') return this.all.at(-1)!
    const found = this.#byName.get(name.toLowerCase())
    if (found) return found
    const details = { code: 'ERR_DOCKERFILE_STAGE', hint: didYouMean(name, this.#byName.keys()) } as const
    return this.#scope.fail(undefined, `no stage ${quoted(name)} to build`, details)
  }

  /** Finds the stage that `--from` names, by name or number; `undefined` for an image. */
  fromOfCopy(name: string, instruction: Instruction): PlannedStage | undefined {
    if (!/^[+-]?\d+$/.test(name)) return this.ofMount(name)
    const stage = this.all[Number(name)]
    if (stage) return stage
    const position = instruction.flags.find(flag => flag.name === 'from')?.position ?? instruction.position
    const hint = `stages have the numbers 0 to ${this.all.length - 1}`
    return this.#scope.fail(position, `no stage number ${name.slice(0, 80)}`, { code: 'ERR_DOCKERFILE_STAGE', hint })
  }

  /** Finds the stage that `from=` of a mount names. */
  ofMount(name: string): PlannedStage | undefined {
    return this.#byName.get(name.toLowerCase())
  }

  /** Stages that an instruction reads from, its own base aside. */
  readFrom(instruction: Instruction): PlannedStage[] {
    if (instruction.name === 'COPY') {
      const from = flagValue(instruction, 'from')
      const stage = from && this.fromOfCopy(from, instruction)
      return stage ? [stage] : []
    }
    if (instruction.name !== 'RUN') return []
    return instruction.flags
      .filter(({ name }) => name === 'mount')
      .flatMap(({ value }) => readMountFields(value!) ?? [])
      .flatMap(({ key, value }) => (key === 'from' && value ? (this.ofMount(value) ?? []) : []))
  }

  #plan(
    stage: WrittenStage,
    globals: ReadonlyMap<string, string>,
    targetPlatform: string,
    contexts: ContextNames,
  ): PlannedStage {
    const { from, name } = stage
    const base = from.words[0]!
    const lookup = (variable: string) => globals.get(variable)
    const baseName = this.#scope.expand(base.text, base.position, { lookup }).text
    if (baseName === '') this.#scope.fail(base.position, `the base ${quoted(base.text)} is blank after expansion`)
    const baseStage = this.#byName.get(baseName)
    const platform = this.#platform(from, lookup) ?? targetPlatform
    const replacedBy = name === undefined ? undefined : contexts.find(name, platform)
    return { ...stage, baseName, platform: baseStage?.platform ?? platform, baseStage, replacedBy }
  }

  #platform(from: Instruction, lookup: (name: string) => string | undefined): string | undefined {
    const flag = from.flags.find(({ name }) => name === 'platform')
    if (!flag?.value) return undefined
    const text = this.#scope.expand(flag.value, flag.position, { lookup }).text
    if (text === '') this.#scope.fail(flag.position, `--platform ${quoted(flag.value)} is blank after expansion`)
    try {
      return formatPlatform(readPlatform(text))
    } catch (cause) {
      const hint = 'write os/architecture[/variant], such as linux/amd64, linux/arm64 or linux/arm/v7'
      return this.#scope.fail(flag.position, `--platform ${quoted(text)} is not a platform`, { cause, hint })
    }
  }
}
