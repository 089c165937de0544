import type { ConfigChange } from '../../data/config-change.ts'
import { quoted } from '../../document/dockerfile-fault.ts'
import type { Instruction, Position } from '../../document/document.ts'
import { trimSpace } from '../../expansion/character-classes.ts'
import { declaredArgument } from '../arguments/global-arguments.ts'
import { goList, goQuotedList } from '../go-format.ts'
import type { StageState } from '../stage-state.ts'
import { exposedPorts } from './exposed-ports.ts'
import { healthcheck, healthcheckText } from './healthcheck.ts'
import { expandIn, type InstructionContext } from './instruction-context.ts'
import { isSignal } from './signals.ts'

/** History text and config change of an instruction that changes only the config. */
export interface ConfigResult {
  readonly text: string
  readonly set: ConfigChange
}

/** Evaluates an instruction that makes no layer; `undefined` for the others and for ONBUILD. */
export function configResult(context: InstructionContext): ConfigResult | undefined {
  const { instruction, state } = context
  switch (instruction.name) {
    case 'ARG':
      return { text: `ARG ${declare(context).join(' ')}`, set: {} }
    case 'CMD': {
      const cmd = commandLine(instruction, state)
      state.commandSet = true
      return { text: `CMD ${goQuotedList(cmd)}`, set: { cmd, argsEscaped: true } }
    }
    case 'ENTRYPOINT': {
      const words = commandLine(instruction, state)
      const entrypoint = words.length === 0 ? null : words
      const set = state.commandSet ? { entrypoint } : { entrypoint, cmd: null }
      return { text: `ENTRYPOINT ${goQuotedList(words)}`, set }
    }
    case 'ENV': {
      const env = pairs(context)
      for (const [name, value] of env) {
        state.environment.set(name, value)
        state.configEnvironment.set(name, value)
      }
      return { text: pairText('ENV', env), set: { env } }
    }
    case 'EXPOSE': {
      const ports = exposedPorts(context)
      return { text: `EXPOSE ${goList(ports)}`, set: { exposedPorts: ports } }
    }
    case 'HEALTHCHECK': {
      const check = healthcheck(instruction)
      return { text: healthcheckText(check), set: { healthcheck: check } }
    }
    case 'LABEL': {
      const labels = pairs(context)
      return { text: pairText('LABEL', labels), set: { labels } }
    }
    case 'MAINTAINER': {
      const author = instruction.words[0]!.text
      return { text: `MAINTAINER ${author}`, set: { author } }
    }
    case 'SHELL': {
      const shell = instruction.json!
      state.shell = shell
      return { text: `SHELL ${goList(shell)}`, set: { shell } }
    }
    case 'STOPSIGNAL': {
      const { value, position } = onlyWord(context)
      if (!isSignal(value)) context.scope.fail(position, `unknown signal ${quoted(value)}`)
      return { text: `STOPSIGNAL ${value}`, set: { stopSignal: value } }
    }
    case 'USER': {
      const { value } = onlyWord(context)
      state.user = value
      return { text: `USER ${value}`, set: { user: value } }
    }
    case 'VOLUME': {
      const volumes = volumePaths(context)
      return { text: `VOLUME ${goList(volumes)}`, set: { volumes } }
    }
    default:
      return undefined
  }
}

/** Words of a command: those of the JSON form, or the shell and the text. */
export function commandLine(instruction: Instruction, state: StageState): readonly string[] {
  return instruction.json ?? [...shellOf(state), instruction.words[0]?.text ?? '']
}

/** The shell in force. */
export function shellOf({ shell, windows }: StageState): readonly string[] {
  if (shell.length > 0) return shell
  return windows ? ['cmd', '/S', '/C'] : ['/bin/sh', '-c']
}

function onlyWord(context: InstructionContext): { value: string; position: Position } {
  const word = context.instruction.words[0]!
  return { value: expandIn(context, word.text, word.position), position: word.position }
}

/** Names and values of ENV and LABEL, all expanded by the variables before the instruction. */
function pairs(context: InstructionContext): [string, string][] {
  const { words, legacy } = context.instruction
  const written = legacy
    ? [[words[0]!, words[1]?.text ?? ''] as const]
    : words.map(word => {
        const equals = word.text.indexOf('=')
        return [{ ...word, text: word.text.slice(0, equals) }, word.text.slice(equals + 1)] as const
      })
  return written.map(([name, value]) => [
    expandIn(context, name.text, name.position),
    expandIn(context, value, name.position),
  ])
}

function pairText(name: string, pairs: readonly (readonly [string, string])[]): string {
  return [name, ...pairs.map(([key, value]) => `${key}=${value}`)].join(' ')
}

/**
 * Declares the words of ARG: a build argument wins over the default, and both over the value from before the first
 * FROM.
 */
function declare(context: InstructionContext): string[] {
  const { instruction, state, globals, buildArgs } = context
  return instruction.words.map(word => {
    const { name, value: standard } = declaredArgument(word.text)
    const value =
      buildArgs.get(name) ?? (standard === undefined ? globals.get(name) : expandIn(context, standard, word.position))
    state.declared.push({ name, value })
    if (value === undefined) return name
    if (!BUILDER_ONLY.has(name)) state.environment.set(name, value)
    return `${name}=${value}`
  })
}

/** SPEC: these never get into the environment. */
const BUILDER_ONLY: ReadonlySet<string> = new Set(['BUILDKIT_SBOM_SCAN_CONTEXT', 'BUILDKIT_SBOM_SCAN_STAGE'])

function volumePaths(context: InstructionContext): string[] {
  const { words, json, position } = context.instruction
  const written = json?.map(text => ({ text, position })) ?? words
  return written.map(word => {
    const path = expandIn(context, trimSpace(word.text), word.position)
    if (path === '') context.scope.fail(word.position, 'VOLUME with an empty path')
    return path
  })
}
