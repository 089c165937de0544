import type { RunCommand, RunStep } from '../../data/step.ts'
import { parseHeredocWord } from '../../document/heredoc-words.ts'
import type { StageState } from '../stage-state.ts'
import { shellOf } from './config-steps.ts'
import { type Bare, flagValue, type InstructionContext } from './instruction-context.ts'
import { runMounts } from './run-mounts.ts'

/** Evaluates RUN. */
export function runStep(context: InstructionContext): Bare<RunStep> {
  const { instruction, state } = context
  const mounts = runMounts(context)
  const command = commandOf(context)
  const words = 'args' in command ? command.args : [...command.shell, command.text]
  return {
    kind: 'run',
    text: ['RUN', ...declaredArguments(state), ...words, '# buildkit'].join(' '),
    command,
    mounts,
    network: (flagValue(instruction, 'network') ?? 'default') as RunStep['network'],
    environment: Array.from(state.environment, ([name, value]) => `${name}=${value}`),
    user: state.user,
    workdir: state.workdir,
  }
}

function commandOf({ instruction, state }: InstructionContext): RunCommand {
  const { json, words, heredocs } = instruction
  if (json) return { args: json }
  const shell = shellOf(state)
  const text = words[0]?.text ?? ''
  const [first] = heredocs
  if (!first) return { shell, text }
  if (parseHeredocWord(text) === undefined) {
    // The shell reads here-documents among other words by itself.
    return { shell, text: text + heredocs.map(({ content, name }) => `\n${content}${name}`).join('') }
  }
  const content = first.chomp ? first.content.replace(/^\t+/gm, '') : first.content
  if (!content.startsWith('#!') || state.windows) return { shell, text: content }
  const path = `/dev/pipes/${first.name}`
  return { shell, text: path, script: { path, content } }
}

/** `|2 A=1 B=`: the declared arguments with the values that they have in the environment now. */
function declaredArguments({ declared, environment }: StageState): string[] {
  if (declared.length === 0) return []
  const values = new Map(declared.map(({ name, value }) => [name, environment.get(name) ?? value ?? '']))
  return [`|${values.size}`, ...Array.from(values, ([name, value]) => `${name}=${value}`)]
}
