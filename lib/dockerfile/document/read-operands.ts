import { isSpace } from '../expansion/character-classes.ts'
import { quoted } from './dockerfile-fault.ts'
import type { InstructionName } from './document.ts'
import { readJsonForm } from './json-form.ts'
import { type PlacedWord, splitAtBlanks, splitQuoted } from './split-words.ts'

/** Operands of an instruction; the places are offsets in the text of the operands. */
export interface Operands {
  readonly words: readonly PlacedWord[]
  readonly json?: readonly string[]
  readonly legacy?: true
}

/** Operands that break the grammar; `start` is the offset of the fault. */
export interface OperandFault {
  readonly fault: string
  readonly start: number
}

/** Reads the operands of an instruction by its own grammar. */
export function readOperands(name: string, rest: string, escapeCharacter: string): Operands | OperandFault {
  switch (name as InstructionName) {
    case 'ADD':
    case 'COPY':
    case 'VOLUME':
      return jsonOr(rest, 0, () => splitAtBlanks(rest))
    case 'EXPOSE':
    case 'FROM':
      return { words: splitAtBlanks(rest) }
    case 'CMD':
    case 'ENTRYPOINT':
    case 'RUN':
    case 'SHELL':
      return jsonOr(rest, 0, () => wholeText(rest, 0))
    case 'ENV':
    case 'LABEL':
      return readPairs(name, rest, escapeCharacter)
    case 'ARG':
      return { words: splitQuoted(rest, escapeCharacter) }
    case 'HEALTHCHECK':
      return readHealthcheck(rest)
    default:
      return { words: wholeText(rest, 0) }
  }
}

function wholeText(text: string, start: number): PlacedWord[] {
  return text === '' ? [] : [{ text, start, end: start + text.length }]
}

function jsonOr(rest: string, start: number, plain: () => readonly PlacedWord[]): Operands | OperandFault {
  const form = readJsonForm(rest)
  if (form === undefined) return { words: plain() }
  return 'fault' in form ? { fault: form.fault, start } : { words: [], json: form.words }
}

/** Reads `name=value …`, or the legacy form `name value`, which has no `=` in its first word. */
function readPairs(name: string, rest: string, escapeCharacter: string): Operands | OperandFault {
  const words = splitQuoted(rest, escapeCharacter)
  const bare = words.find(({ text }) => !text.includes('='))
  if (words.length === 0 || bare === undefined) return { words }
  if (bare !== words[0]) return { fault: `${quoted(bare.text)} has no =: the form is name=value`, start: bare.start }
  const blank = /[\t\v\f\r ]+/.exec(rest)
  if (!blank) return { fault: `${name} needs a name and a value`, start: 0 }
  const value = blank.index + blank[0].length
  const key = { text: rest.slice(0, blank.index), start: 0, end: blank.index }
  return { words: [key, ...wholeText(rest.slice(value), value)], legacy: true }
}

function readHealthcheck(rest: string): Operands | OperandFault {
  let end = 0
  while (end < rest.length && !isSpace(rest[end]!)) end++
  let next = end
  while (next < rest.length && isSpace(rest[next]!)) next++
  const type = wholeText(rest.slice(0, end), 0)
  const command = rest.slice(next)
  const operands = jsonOr(command, next, () => wholeText(command, next))
  return 'fault' in operands ? operands : { ...operands, words: [...type, ...operands.words] }
}
