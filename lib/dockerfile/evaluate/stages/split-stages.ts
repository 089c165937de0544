import type { DockerfileDocument, Instruction } from '../../document/document.ts'

/** A stage as written. */
export interface WrittenStage {
  /** Place among all stages of the file, from 0. */
  readonly index: number
  readonly from: Instruction
  /** Name in lower case. */
  readonly name: string | undefined
  readonly instructions: readonly Instruction[]
}

/** Splits a document into the ARG instructions before the first FROM, and the stages. */
export function splitStages(document: DockerfileDocument): {
  globals: readonly Instruction[]
  stages: readonly WrittenStage[]
} {
  const globals: Instruction[] = []
  const stages: (WrittenStage & { instructions: Instruction[] })[] = []
  for (const instruction of document.instructions) {
    if (instruction.name === 'FROM') {
      const name = instruction.words[2]?.text.toLowerCase()
      stages.push({ index: stages.length, from: instruction, name, instructions: [] })
    } else {
      ;(stages.at(-1)?.instructions ?? globals).push(instruction)
    }
  }
  return { globals, stages }
}
