import { checkInstructions } from './checks/check-instructions.ts'
import { readDirectives } from './directives.ts'
import { dockerfileFault, type NamedSource } from './dockerfile-fault.ts'
import type { DockerfileDocument, Instruction } from './document.ts'
import { LineReader } from './line-reader.ts'
import { readInstruction } from './read-instruction.ts'

/** Options of {@link parseDockerfile}. */
export interface ParseDockerfileOptions {
  /** Name of the file in messages; default `Dockerfile`. */
  readonly file?: string
}

/**
 * Parses a Dockerfile as BuildKit does. Nothing is expanded, and no file is read: the result has the instructions as
 * written, with exact places. The grammar of every line is checked first, then the names, arguments and flags of the
 * instructions in order; the first fault is thrown.
 *
 * @throws {@link DockerfileError} `ERR_DOCKERFILE_SYNTAX` with line, column and code frame;
 * `ERR_DOCKERFILE_UNSUPPORTED` for files of other front ends and for features that this library refuses.
 * @see {@link https://docs.docker.com/reference/dockerfile/ | Dockerfile reference}
 */
export function parseDockerfile(text: string, options: ParseDockerfileOptions = {}): DockerfileDocument {
  const source: NamedSource = { file: options.file ?? 'Dockerfile', source: text }
  const directives = readDirectives(source)
  const escapeCharacter = directives.find(({ name }) => name === 'escape')?.value === '`' ? '`' : '\\'
  const reader = new LineReader(source, escapeCharacter)
  const instructions: Instruction[] = []
  for (let line = reader.next(); line; line = reader.next()) {
    instructions.push(readInstruction(line, { reader, source, escape: escapeCharacter }))
  }
  if (instructions.length === 0) throw dockerfileFault(source, undefined, 'no instructions in the file')
  checkInstructions(instructions, source)
  return { version: 1, ...source, directives, escape: escapeCharacter, instructions }
}
