import { posix } from 'node:path'
import type { Step } from '../../data/step.ts'
import type { Instruction } from '../../document/document.ts'
import type { EvaluatedInstruction } from '../../evaluate/evaluate-stage.ts'
import type { LintDockerfileOptions, LintIgnoreRules } from '../lint-report.ts'
import { type RawFinding, warning } from '../rule.ts'
import { seemsSecret } from '../seems-secret.ts'

/** Rules about the instructions of one stage. */
export function instructionRules(
  instructions: readonly EvaluatedInstruction[],
  { ignore }: LintDockerfileOptions,
): RawFinding[] {
  return [
    ...usedTwice(instructions),
    ...instructions.flatMap(evaluated => [
      ...undefinedVariables(evaluated),
      ...jsonRecommended(evaluated),
      ...relativeWorkdir(evaluated),
      ...secretNames(evaluated),
      ...exposeFormats(evaluated),
      ...(ignore ? ignoredSources(evaluated, ignore) : []),
    ]),
  ]
}

/** Instructions of which the last one counts; the earlier ones are reported. */
function usedTwice(instructions: readonly EvaluatedInstruction[]): RawFinding[] {
  const last = new Map<string, Instruction>()
  return instructions.flatMap(({ instruction }) => {
    const { name } = instruction
    if (name !== 'CMD' && name !== 'ENTRYPOINT' && name !== 'HEALTHCHECK') return []
    const earlier = last.get(name)
    last.set(name, instruction)
    if (!earlier) return []
    const message = `${name} has no effect: a later ${name} of the stage replaces it`
    return [{ ...warning('MultipleInstructionsDisallowed', instruction, message, 'remove it', earlier.position) }]
  })
}

function undefinedVariables({ instruction, notes }: EvaluatedInstruction): RawFinding[] {
  // SPEC: BuildKit looks at neither.
  if (instruction.name === 'EXPOSE' || instruction.name === 'RUN') return []
  return notes.unmatched
    .filter(name => !name.startsWith('BUILDKIT_SBOM_SCAN_'))
    .map(name => {
      const hint = `declare it in this stage with ARG ${name} or ENV, or write \\$ for a dollar sign`
      return warning('UndefinedVar', instruction, `the variable ${name} is not defined`, hint)
    })
}

function jsonRecommended({ instruction, shellSet }: EvaluatedInstruction): RawFinding[] {
  const { name, json } = instruction
  if ((name !== 'CMD' && name !== 'ENTRYPOINT') || json || shellSet) return []
  const hint = `write ${name} ["program", "argument"], or set the shell on purpose with SHELL`
  const message = `${name} in shell form: a shell that may not forward signals is started first`
  return [warning('JSONArgsRecommended', instruction, message, hint)]
}

function relativeWorkdir({ instruction, notes, workdirSet }: EvaluatedInstruction): RawFinding[] {
  const path = notes.words[0]
  if (instruction.name !== 'WORKDIR' || workdirSet || path?.startsWith('/')) return []
  const message = `the first WORKDIR ${path} is relative: where it leads depends on the base`
  return [warning('WorkdirRelativePath', instruction, message, 'write an absolute path')]
}

function secretNames({ instruction, step }: EvaluatedInstruction): RawFinding[] {
  const names =
    instruction.name === 'ARG' ? instruction.words.map(({ text }) => text.split('=', 1)[0]!) : envNames(step)
  return names.filter(seemsSecret).map(name => {
    const hint = 'use RUN --mount=type=secret: ARG and ENV can be read in the image'
    return warning('SecretsUsedInArgOrEnv', instruction, `${instruction.name} ${name} seems to hold a secret`, hint)
  })
}

function envNames(step: Step | undefined): readonly string[] {
  return (step?.kind === 'config' && step.set.env?.map(([name]) => name)) || []
}

function exposeFormats({ instruction, notes }: EvaluatedInstruction): RawFinding[] {
  if (instruction.name !== 'EXPOSE') return []
  return notes.words.flatMap(word => {
    const found: RawFinding[] = []
    const protocol = word.slice(word.lastIndexOf(':') + 1).split('/')[1] ?? ''
    if (protocol !== protocol.toLowerCase()) {
      const message = `the protocol of ${word} is not in lower case`
      found.push(warning('ExposeProtoCasing', instruction, message, `write ${protocol.toLowerCase()}`))
    }
    if (word.includes(':')) {
      const hint = 'write the port of the container alone'
      found.push(warning('ExposeInvalidFormat', instruction, `EXPOSE ${word} names an address or a host port`, hint))
    }
    return found
  })
}

/** Not applied if the ignore file takes paths back (`!`): then a directory may be left out and a file in it not. */
function ignoredSources({ instruction, step }: EvaluatedInstruction, ignore: LintIgnoreRules): RawFinding[] {
  if (step?.kind !== 'copy' || !('context' in step.from) || step.from.context !== '') return []
  if (ignore.patterns.some(pattern => pattern.startsWith('!'))) return []
  const everything = ignore.patterns.some(pattern => ['*', '**', '**/*'].includes(pattern))
  return step.sources.flatMap(source => {
    const path = posix.normalize(source).replace(/(?<=.)\/$/, '')
    const ignored = path === '.' || path === '/' ? everything : ignore.ignores(path.replace(/^\//, ''))
    if (!ignored) return []
    const message = `${instruction.name} of ${source}, which the ignore file leaves out`
    return [warning('CopyIgnoredFile', instruction, message, 'change the ignore file, or do not copy it')]
  })
}
