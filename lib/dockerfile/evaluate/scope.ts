import { DockerfileError } from '../../errors/index.ts'
import { dockerfileFault, quoted } from '../document/dockerfile-fault.ts'
import type { DockerfileDocument, Instruction, Position } from '../document/document.ts'
import { type Expanded, type ExpandOptions, expandWord } from '../expansion/expand-word.ts'
import { ExpansionFault } from '../expansion/expansion-fault.ts'

/**
 * SAFETY: values that hold each other grow with every line, and every RUN repeats the build arguments in its history.
 * The texts of one evaluation together are bounded.
 */
const MOST_TEXT = 64 * 1024 * 1024

/** State that an evaluation shares: the document for errors, and the budget of texts. */
export class Scope {
  readonly document: DockerfileDocument
  #left = MOST_TEXT

  constructor(document: DockerfileDocument) {
    this.document = document
  }

  /** Counts text that the evaluation keeps. */
  charge(characters: number, position: Position | undefined): void {
    this.#left -= characters
    if (this.#left < 0) this.fail(position, `the evaluated texts are larger than ${MOST_TEXT} characters`)
  }

  /** Expands a word; a fault gets the place of the word. */
  expand(text: string, position: Position, options: Omit<ExpandOptions, 'escape'> & { escape?: string }): Expanded {
    try {
      const expanded = expandWord(text, { escape: this.document.escape, ...options })
      this.charge(expanded.text.length, position)
      return expanded
    } catch (error) {
      if (!(error instanceof ExpansionFault)) throw error
      const message = `cannot expand ${quoted(text)}: ${error.message}`
      throw dockerfileFault(this.document, position, message, { code: 'ERR_DOCKERFILE_EXPANSION' })
    }
  }

  fail(position: Position | undefined, message: string, details?: Parameters<typeof dockerfileFault>[3]): never {
    throw dockerfileFault(this.document, position, message, details)
  }

  /** Runs an act for an instruction that a trigger brought in: its faults get the place of the FROM. */
  forTrigger<T>(trigger: string, from: Instruction, act: () => T): T {
    try {
      return act()
    } catch (error) {
      if (!(error instanceof DockerfileError)) throw error
      const { code, hint } = error
      const message = `ONBUILD trigger ${quoted(trigger)} of the base: ${error.message}`
      return this.fail(from.position, message, { code, hint, cause: error })
    }
  }
}
