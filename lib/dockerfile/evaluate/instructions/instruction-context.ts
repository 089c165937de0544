import type { FileSource } from '../../data/file-source.ts'
import type { Instruction, Position } from '../../document/document.ts'
import type { Scope } from '../scope.ts'
import type { StageState } from '../stage-state.ts'

/** A step without what all steps get alike. */
export type Bare<T> = T extends unknown ? Omit<T, 'title' | 'position' | 'onBuild'> : never

/** Notes of the expansion of an instruction's words. */
export interface ExpansionNotes {
  /** Names that are neither set nor declared; once for each word. */
  readonly unmatched: string[]
  /** Results of the words of EXPOSE and WORKDIR. */
  readonly words: string[]
}

/** Context for evaluating one instruction. */
export interface InstructionContext {
  readonly instruction: Instruction
  readonly scope: Scope
  readonly state: StageState
  /** Arguments from before the first FROM, and the automatic ones. */
  readonly globals: ReadonlyMap<string, string>
  readonly buildArgs: ReadonlyMap<string, string>
  /** Resolves a name in `--from` or `from=`. */
  readonly source: (name: string) => FileSource
  /** Notes of the expansions, for lint. */
  readonly notes: ExpansionNotes
}

/** Expands a word by the variables that the instruction sees. */
export function expandIn(context: InstructionContext, text: string, position: Position): string {
  const { scope, state } = context
  const expanded = scope.expand(text, position, { lookup: name => state.environment.get(name) })
  noteUnmatched(context, expanded.unmatched)
  return expanded.text
}

/** Remembers names that are neither set nor declared; lint reports them. */
export function noteUnmatched({ state, notes }: InstructionContext, names: ReadonlySet<string>): void {
  for (const name of names) {
    if (!state.declared.some(argument => argument.name === name)) notes.unmatched.push(name)
  }
}

/** Value of a flag that may stand once. */
export function flagValue({ flags }: Instruction, name: string): string | undefined {
  return flags.find(flag => flag.name === name)?.value
}

/** Value of a boolean flag; `undefined` if it is absent. */
export function booleanFlag({ flags }: Instruction, name: string): boolean | undefined {
  const flag = flags.find(candidate => candidate.name === name)
  return flag && (flag.value ?? 'true').toLowerCase() === 'true'
}

/** Expanded value of a flag; empty counts as absent. */
export function expandedFlag(context: InstructionContext, name: string): string | undefined {
  const flag = context.instruction.flags.find(candidate => candidate.name === name)
  return (flag?.value && expandIn(context, flag.value, flag.position)) || undefined
}
