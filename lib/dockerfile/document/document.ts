/** A place in a Dockerfile: true physical lines, all numbers from 1. */
export interface Position {
  /** First line. */
  readonly line: number
  /** Column of the first character, in UTF-16 units. */
  readonly column: number
  /** Last line, bodies of here-documents included. */
  readonly endLine: number
}

/** A parser directive, such as `# syntax=docker/dockerfile:1`. */
export interface Directive {
  /** Name of the directive. */
  readonly name: 'syntax' | 'escape' | 'check'
  /** Text after the `=`. */
  readonly value: string
  /** Position of the directive. */
  readonly position: Position
}

/** A word of an instruction as written: quotes, escapes and variables are kept. */
export interface Word {
  /** The text, continuation lines joined. */
  readonly text: string
  /** Position of the word. */
  readonly position: Position
}

/** A flag of an instruction, such as `--from=build`. Quotes and escapes are removed. */
export interface InstructionFlag {
  /** Name without the dashes. */
  readonly name: string
  /** Text after the `=`; absent for a bare flag. */
  readonly value?: string
  /** Position of the flag. */
  readonly position: Position
}

/** A here-document of ADD, COPY or RUN. */
export interface Heredoc {
  /** Delimiter without quotes; also the name of the file that COPY and ADD make. */
  readonly name: string
  /** Lines of the body as written, each with its newline; leading tabs are kept, see {@link Heredoc.chomp}. */
  readonly content: string
  /** True if COPY and ADD expand variables in the body: false if the delimiter is quoted. */
  readonly expand: boolean
  /** True if leading tabs are not part of the body (`<<-`). */
  readonly chomp: boolean
  /** File descriptor before the `<<`; 0 if none is given. */
  readonly fileDescriptor: number
  /** Place of the `<<` word. */
  readonly position: Position
}

/** Name of an instruction, in upper case. */
export type InstructionName =
  | 'ADD'
  | 'ARG'
  | 'CMD'
  | 'COPY'
  | 'ENTRYPOINT'
  | 'ENV'
  | 'EXPOSE'
  | 'FROM'
  | 'HEALTHCHECK'
  | 'LABEL'
  | 'MAINTAINER'
  | 'ONBUILD'
  | 'RUN'
  | 'SHELL'
  | 'STOPSIGNAL'
  | 'USER'
  | 'VOLUME'
  | 'WORKDIR'

/** An instruction of a Dockerfile as written: nothing is expanded, arguments are not checked. */
export interface Instruction {
  /** Name in upper case. */
  readonly name: InstructionName
  /** Name as written. */
  readonly keyword: string
  /** Flags, in order. */
  readonly flags: readonly InstructionFlag[]
  /**
   * Operands. CMD, ENTRYPOINT, MAINTAINER, RUN, SHELL, STOPSIGNAL, USER and WORKDIR have one word with the rest of the
   * line, or none; HEALTHCHECK has its type and the rest; ENV and LABEL have `name=value` words, or name and value if
   * {@link Instruction.legacy}. Empty if {@link Instruction.json} is set, except for the type of HEALTHCHECK.
   */
  readonly words: readonly Word[]
  /** Operands of the JSON form. */
  readonly json?: readonly string[]
  /** True for `ENV name value` and `LABEL name value`. */
  readonly legacy?: true
  /** Here-documents, in order. */
  readonly heredocs: readonly Heredoc[]
  /** The instruction that ONBUILD stores, as text with its here-documents. It is checked only when it fires. */
  readonly trigger?: string
  /** Comment lines directly above, without `#`. */
  readonly comments: readonly string[]
  /** The instruction as one line: continuation lines joined, bodies of here-documents left out. */
  readonly text: string
  /** Blank lines inside the continuation lines, by line number. */
  readonly blankLines: readonly number[]
  /** Position of the instruction. */
  readonly position: Position
}

/** A parsed Dockerfile. Plain JSON data. */
export interface DockerfileDocument {
  /** Version of this data. */
  readonly version: 1
  /** Name of the file in messages. */
  readonly file: string
  /** The whole text, which code frames are cut from. */
  readonly source: string
  /** Parser directives, in the order of the file. */
  readonly directives: readonly Directive[]
  /** The escape character. */
  readonly escape: '\\' | '`'
  /** Instructions, in the order of the file. */
  readonly instructions: readonly Instruction[]
}
