import { didYouMean } from '../did-you-mean.ts'
import { dockerfileFault, type NamedSource, quoted } from '../dockerfile-fault.ts'
import type { Instruction } from '../document.ts'
import { INSTRUCTION_NAMES, isInstructionName } from '../instruction-names.ts'
import { checkArguments } from './check-arguments.ts'
import { checkFlags } from './check-flags.ts'

/** Checks names, arguments and flags of all instructions, in order. */
export function checkInstructions(instructions: readonly Instruction[], source: NamedSource): void {
  let inStage = false
  for (const instruction of instructions) {
    checkInstruction(instruction, source)
    const { name, position } = instruction
    if (name === 'FROM') inStage = true
    else if (!inStage && name !== 'ARG') {
      throw dockerfileFault(source, position, `${name} before the first FROM`, { hint: 'only ARG may come before it' })
    }
  }
}

/** Checks name, arguments and flags of one instruction. */
export function checkInstruction(instruction: Instruction, source: NamedSource): void {
  const { name, keyword, position } = instruction
  if (!isInstructionName(name)) {
    const hint = didYouMean(keyword, INSTRUCTION_NAMES)
    throw dockerfileFault(source, position, `unknown instruction ${quoted(keyword)}`, { hint })
  }
  checkArguments(instruction, source)
  checkFlags(instruction, source)
}
