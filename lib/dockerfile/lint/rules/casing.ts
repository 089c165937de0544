import type { Instruction } from '../../document/document.ts'
import { type RawFinding, warning } from '../rule.ts'

/** Rules about upper and lower case of instructions, AS and stage names. */
export function casingRules(instructions: readonly Instruction[]): RawFinding[] {
  return [...instructions.flatMap(fromCasing), ...instructionCasing(instructions)]
}

function fromCasing(from: Instruction): RawFinding[] {
  const [, as, name] = from.words
  if (from.name !== 'FROM' || !as || !name) return []
  const found: RawFinding[] = []
  if (name.text !== name.text.toLowerCase()) {
    const hint = `name it ${name.text.toLowerCase()}`
    found.push(warning('StageNameCasing', from, `stage name ${name.text} is not in lower case`, hint, name.position))
  }
  if (isUniform(from.keyword)) {
    const right = isLower(from.keyword) ? 'as' : 'AS'
    if (as.text !== right) {
      found.push(
        warning('FromAsCasing', from, `${from.keyword} and ${as.text} differ in case`, `write ${right}`, as.position),
      )
    }
  }
  return found
}

/** The majority decides, of the words that are wholly in one case; upper case if they are equally many. */
function instructionCasing(instructions: readonly Instruction[]): RawFinding[] {
  const first = instructions.findIndex(({ name }) => name === 'FROM')
  const inStages = first < 0 ? [] : instructions.slice(first)
  const uniform = inStages.filter(({ keyword }) => isUniform(keyword))
  const lower = uniform.filter(({ keyword }) => isLower(keyword)).length
  const isLowerFile = lower > uniform.length - lower
  return inStages.flatMap(instruction => {
    const right = isLowerFile ? instruction.keyword.toLowerCase() : instruction.name
    if (instruction.keyword === right) return []
    const message = `${instruction.keyword} is not in ${isLowerFile ? 'lower' : 'upper'} case as most instructions are`
    return [warning('ConsistentInstructionCasing', instruction, message, `write ${right}`)]
  })
}

function isUniform(word: string): boolean {
  return word === word.toLowerCase() || word === word.toUpperCase()
}

function isLower(word: string): boolean {
  return word === word.toLowerCase()
}
