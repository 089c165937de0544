import { trimSpace } from '../expansion/character-classes.ts'
import { dockerfileFault, type NamedSource, quoted } from './dockerfile-fault.ts'
import type { Heredoc, Instruction, InstructionFlag, InstructionName } from './document.ts'
import { type HeredocWord, heredocWordsIn } from './heredoc-words.ts'
import { mayHaveHeredocs } from './instruction-names.ts'
import type { InstructionLine, LineReader } from './line-reader.ts'
import type { LogicalLine } from './logical-line.ts'
import { type Operands, readOperands } from './read-operands.ts'
import { type RawFlag, type SplitCommand, splitCommand } from './split-command.ts'

/** PERF: most instructions have no flags and no here-documents; the list is never changed. */
const NONE: readonly never[] = []

/** Context for reading one instruction. Bodies of here-documents are read from the same lines. */
export interface ReadingContext {
  readonly reader: LineReader
  readonly source: NamedSource
  readonly escape: string
}

/**
 * Reads an instruction from its logical line, and the bodies of its here-documents. Names, counts and flags are not
 * checked: an unknown name passes.
 */
export function readInstruction(read: InstructionLine, context: ReadingContext): Instruction {
  const { line, comments, blankLines } = read
  const command = splitCommand(line.text)
  const { keyword, keywordStart, restStart } = command
  const name = keyword.toUpperCase()
  const operands = operandsOf(command, 0, line, context)
  const heredocs = holdsHeredocs(command, operands, line, context) ? readHeredocs(line, context) : NONE
  const { line: first, column } = line.position(keywordStart, keywordStart + keyword.length)
  const instruction: Instruction = {
    name: name as InstructionName,
    keyword,
    flags: command.flags.length === 0 ? NONE : command.flags.map(flag => flagOf(flag, line)),
    words: operands.words.map(({ text, start, end }) => ({
      text,
      position: line.position(restStart + start, restStart + end),
    })),
    heredocs,
    comments,
    text: trimSpace(line.text),
    blankLines,
    position: { line: first, column, endLine: context.reader.lineNumber },
  }
  const optional = optionalMembers(name, operands, line, heredocs)
  return optional ? { ...instruction, ...optional } : instruction
}

/** PERF: hardly any instruction has one of these; spreading nothing into each costs more than reading the line. */
function optionalMembers(
  name: string,
  { json, legacy }: Operands,
  line: LogicalLine,
  heredocs: readonly Heredoc[],
): Pick<Instruction, 'json' | 'legacy' | 'trigger'> | undefined {
  if (name === 'ONBUILD') return { trigger: triggerText(line.text, heredocs) }
  if (json) return { json }
  return legacy && { legacy }
}

/** Reads the operands; `base` is the offset of the command in the line. */
function operandsOf(command: SplitCommand, base: number, line: LogicalLine, context: ReadingContext): Operands {
  const { keyword, rest, restStart } = command
  const operands = readOperands(keyword.toUpperCase(), rest, context.escape)
  if (!('fault' in operands)) return operands
  const start = base + restStart + operands.start
  throw dockerfileFault(context.source, line.position(start, base + restStart + rest.length), operands.fault)
}

/** SPEC: the operands of the instruction that ONBUILD stores must be well-formed, and it may have here-documents. */
function holdsHeredocs(command: SplitCommand, operands: Operands, line: LogicalLine, context: ReadingContext): boolean {
  const name = command.keyword.toUpperCase()
  if (name !== 'ONBUILD') return mayHaveHeredocs(name) && operands.json === undefined
  const stored = splitCommand(command.rest)
  const { json } = operandsOf(stored, command.restStart, line, context)
  return mayHaveHeredocs(stored.keyword.toUpperCase()) && json === undefined
}

function flagOf({ text, start, end }: RawFlag, line: LogicalLine): InstructionFlag {
  const equals = text.indexOf('=')
  const name = text.slice(2, equals < 0 ? undefined : equals)
  return { name, ...(equals >= 0 && { value: text.slice(equals + 1) }), position: line.position(start, end) }
}

function readHeredocs(line: LogicalLine, { reader, source }: ReadingContext): Heredoc[] {
  return heredocWordsIn(line.text).map(({ start, end, ...word }) => {
    const position = line.position(start, end)
    const content = readBody(word, reader, source)
    if (content !== undefined) return { ...word, content, position }
    const hint = `its last line must be ${quoted(word.name)}, without blanks`
    throw dockerfileFault(source, position, `here-document ${quoted(word.name)} has no end`, { hint })
  })
}

function readBody(
  { name, chomp }: Pick<HeredocWord, 'name' | 'chomp'>,
  reader: LineReader,
  source: NamedSource,
): string | undefined {
  const body: string[] = []
  for (let line = reader.take(); line; line = reader.take()) {
    const text = chomp ? line.text.replace(/^\t+/, '') : line.text
    if (text === name) return body.join('')
    body.push(source.source.slice(line.start, line.end))
  }
  return undefined
}

/** SPEC: the stored text is the rest of the line as it is, then the bodies as they are. */
function triggerText(line: string, heredocs: readonly Heredoc[]): string {
  const text = line.replace(/^[\t\n\f\r ]*onbuild[\t\n\f\r ]*/i, '')
  return text + heredocs.map(({ content, name }) => `\n${content}${name}`).join('')
}
