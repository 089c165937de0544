import { withoutCredentials } from '../../../internal/without-credentials.ts'
import type { Step, WorkdirStep } from '../../data/step.ts'
import type { Instruction } from '../../document/document.ts'
import { configResult } from './config-steps.ts'
import { fileStep } from './file-steps.ts'
import { type Bare, expandIn, type InstructionContext } from './instruction-context.ts'
import { joinWorkdir } from './join-path.ts'
import { runStep } from './run-step.ts'

/** Evaluates an instruction of a stage and changes the state; `undefined` for ONBUILD, which makes no step. */
export function instructionStep(context: InstructionContext): Bare<Step> | undefined {
  switch (context.instruction.name) {
    case 'ADD':
    case 'COPY':
      return fileStep(context)
    case 'RUN':
      return runStep(context)
    case 'WORKDIR':
      return workdirStep(context)
    default: {
      const config = configResult(context)
      return config && { kind: 'config', ...config }
    }
  }
}

function workdirStep(context: InstructionContext): Bare<WorkdirStep> {
  const { instruction, state, notes } = context
  const word = instruction.words[0]!
  const written = expandIn(context, word.text, word.position)
  notes.words.push(written)
  const path = joinWorkdir(state.workdir, written)
  state.workdir = path
  state.workdirSet = true
  return { kind: 'workdir', text: `WORKDIR ${path}`, path, user: state.user }
}

/** The instruction as progress shows it: the text with the name in upper case. Variables stay names. */
export function titleOf({ name, keyword, text }: Instruction): string {
  return name + withoutCredentials(text.slice(keyword.length)).replace(/\s+/g, ' ').slice(0, LONGEST_TITLE)
}

const LONGEST_TITLE = 200
