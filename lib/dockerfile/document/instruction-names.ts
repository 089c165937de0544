import type { InstructionName } from './document.ts'

/** Every instruction of the language. */
export const INSTRUCTION_NAMES: readonly InstructionName[] = [
  'ADD',
  'ARG',
  'CMD',
  'COPY',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'HEALTHCHECK',
  'LABEL',
  'MAINTAINER',
  'ONBUILD',
  'RUN',
  'SHELL',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
]

const NAMES: ReadonlySet<string> = new Set(INSTRUCTION_NAMES)

/** True for the name of an instruction, in upper case. */
export function isInstructionName(name: string): name is InstructionName {
  return NAMES.has(name)
}

/** Instructions that may have here-documents, unless they are in JSON form. */
export function mayHaveHeredocs(name: string): boolean {
  return name === 'ADD' || name === 'COPY' || name === 'RUN'
}
