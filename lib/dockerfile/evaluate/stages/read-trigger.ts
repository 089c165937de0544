import { checkInstruction } from '../../document/checks/check-instructions.ts'
import { dockerfileFault, type NamedSource } from '../../document/dockerfile-fault.ts'
import type { Instruction } from '../../document/document.ts'
import { LineReader } from '../../document/line-reader.ts'
import { readInstruction } from '../../document/read-instruction.ts'

/** Parses an ONBUILD trigger, which is exactly one instruction. The escape is a backslash, as in BuildKit. */
export function readTrigger(text: string): Instruction {
  const source: NamedSource = { file: 'ONBUILD', source: text }
  const reader = new LineReader(source, '\\')
  const line = reader.next()
  const instruction = line && readInstruction(line, { reader, source, escape: '\\' })
  if (!instruction || reader.next()) throw dockerfileFault(source, undefined, 'a trigger is exactly one instruction')
  checkInstruction(instruction, source)
  if (instruction.name === 'FROM')
    throw dockerfileFault(source, instruction.position, 'FROM is not allowed as a trigger')
  return instruction
}
