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
  assertNoNul(instructions, source)
  return { version: 1, ...source, directives, escape: escapeCharacter, instructions }
}

/** Instructions whose texts become arguments or variables of processes, or a part of them. */
const OF_PROCESSES = ['ARG', 'CMD', 'ENTRYPOINT', 'ENV', 'HEALTHCHECK', 'ONBUILD', 'RUN', 'SHELL', 'USER', 'WORKDIR']

/**
 * SAFETY: no program gets a NUL in an argument or variable, and some read what follows it as something else. BuildKit
 * keeps one in a label or a file.
 */
function assertNoNul(instructions: readonly Instruction[], source: NamedSource): void {
  const lines = source.source.includes('\0') ? source.source.split('\n') : []
  for (const { name, position, json } of instructions) {
    if (!OF_PROCESSES.includes(name)) continue
    const message = `a NUL character in ${name}: no argument or variable can contain one`
    // The JSON form has an escape for it.
    if (json?.some(text => text.includes('\0'))) throw dockerfileFault(source, position, message)
    for (let line = position.line; line <= position.endLine && line <= lines.length; line++) {
      const at = lines[line - 1]?.indexOf('\0') ?? -1
      if (at >= 0) throw dockerfileFault(source, { line, column: at + 1, endLine: line }, message)
    }
  }
}
