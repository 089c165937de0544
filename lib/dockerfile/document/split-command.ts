import { isSpace, trimSpace } from '../expansion/character-classes.ts'

/** A flag as it was cut from a line. */
export interface RawFlag {
  /** Text with dashes; quotes and escapes are removed. */
  readonly text: string
  readonly start: number
  readonly end: number
}

/** A line split into the word of the instruction, its flags, and the rest. Offsets are in the line. */
export interface SplitCommand {
  readonly keyword: string
  readonly keywordStart: number
  readonly flags: readonly RawFlag[]
  /** Operands as one text, without white space at its ends. */
  readonly rest: string
  readonly restStart: number
}

/** PERF: most lines have no flags; the list is never changed. */
const NONE: readonly never[] = []

/** Splits a logical line into keyword, flags and rest. */
export function splitCommand(line: string): SplitCommand {
  let start = 0
  while (start < line.length && isSpace(line[start]!)) start++
  const trimmed = trimSpace(line)
  // U+00A0 and its like do not separate the keyword: `RUN<nbsp>x` is one word.
  const blank = /[\t\v\f\r ]+/.exec(trimmed)
  if (!blank) return { keyword: trimmed, keywordStart: start, flags: NONE, rest: '', restStart: start + trimmed.length }
  const after = start + blank.index + blank[0].length
  const { flags, rest } = takeFlags(line, after, start + trimmed.length)
  let restStart = rest
  while (restStart < line.length && isSpace(line[restStart]!)) restStart++
  return {
    keyword: trimmed.slice(0, blank.index),
    keywordStart: start,
    flags,
    rest: trimSpace(line.slice(rest)),
    restStart,
  }
}

/** Takes words that start with `--`, up to the first other word or a bare `--`, which is dropped. */
function takeFlags(line: string, from: number, end: number): { flags: readonly RawFlag[]; rest: number } {
  if (!line.includes('--', from)) return { flags: NONE, rest: from }
  const flags: RawFlag[] = []
  for (let at = from; ; ) {
    while (at < end && isSpace(line[at]!)) at++
    if (!line.startsWith('--', at)) return { flags, rest: at }
    const flag = takeFlag(line, at, end)
    at = flag.end
    if (flag.text === '--') return { flags, rest: at }
    flags.push(flag)
  }
}

/** Reads one flag. As in BuildKit, the escape character here is always `\`, not that of the directive. */
function takeFlag(line: string, start: number, end: number): RawFlag {
  let text = ''
  let quote: string | undefined
  let at = start
  for (; at < end; at++) {
    let character = line[at]!
    if (quote === undefined && isSpace(character)) break
    if (character === quote) {
      quote = undefined
      continue
    }
    if (quote === undefined && (character === "'" || character === '"')) {
      quote = character
      continue
    }
    if (character === '\\') {
      at++
      if (at >= end) break
      character = line[at]!
    }
    text += character
  }
  return { text, start, end: Math.min(at, end) }
}
