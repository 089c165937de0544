import type { DockerfileDocument, Instruction } from '../../document/document.ts'
import type { CheckSettings } from '../check-settings.ts'
import { type RawFinding, warning } from '../rule.ts'
import { casingRules } from './casing.ts'

/** BuildKit's rules that need no evaluation. */
export function documentRules(document: DockerfileDocument, { experimental }: CheckSettings): RawFinding[] {
  const { instructions } = document
  const describes = experimental === 'all' || experimental.has('InvalidDefinitionDescription')
  return [
    ...casingRules(instructions),
    ...stageNames(instructions),
    ...instructions.flatMap(instruction => [
      ...emptyContinuation(instruction),
      ...maintainer(instruction),
      ...legacyFormat(instruction),
      ...(describes ? description(instruction) : []),
    ]),
  ]
}

/** Reported once, at the last line of the instruction before the bodies of its here-documents. */
function emptyContinuation(instruction: Instruction): RawFinding[] {
  const { blankLines, position, heredocs } = instruction
  if (blankLines.length === 0) return []
  const bodies = heredocs.map(({ content }) => content.split('\n').length).reduce((sum, lines) => sum + lines, 0)
  const line = position.endLine - bodies
  const message = `empty line ${blankLines[0]} inside the continuation lines of ${instruction.keyword}`
  const hint = 'remove the line, or make it a comment'
  return [warning('NoEmptyContinuation', instruction, message, hint, { line, column: 1, endLine: line })]
}

function maintainer(instruction: Instruction): RawFinding[] {
  if (instruction.name !== 'MAINTAINER') return []
  const hint = 'use LABEL org.opencontainers.image.authors="…"'
  return [warning('MaintainerDeprecated', instruction, 'MAINTAINER is deprecated', hint)]
}

function legacyFormat(instruction: Instruction): RawFinding[] {
  if (!instruction.legacy) return []
  const { name, words } = instruction
  const hint = `write ${name} ${words[0]!.text}=…, with quotes round a value with blanks`
  return [warning('LegacyKeyValueFormat', instruction, `${name} without =`, hint)]
}

function stageNames(instructions: readonly Instruction[]): RawFinding[] {
  const seen = new Set<string>()
  return instructions.flatMap(from => {
    const name = from.name === 'FROM' ? from.words[2]?.text.toLowerCase() : undefined
    if (name === undefined) return []
    const found: RawFinding[] = []
    if (name === 'scratch' || name === 'context') {
      found.push(warning('ReservedStageName', from, `the stage name ${name} is reserved`, 'choose another name'))
    }
    if (seen.has(name)) {
      const hint = 'choose another name: a later FROM or --from sees only one of them'
      found.push(warning('DuplicateStageName', from, `duplicate stage name ${name}`, hint))
    }
    seen.add(name)
    return found
  })
}

/** Experimental in BuildKit: the last comment above ARG or a named FROM begins with a name that it declares. */
function description(instruction: Instruction): RawFinding[] {
  const { name, words, comments } = instruction
  const last = comments.at(-1)
  if (last === undefined || (name !== 'ARG' && name !== 'FROM')) return []
  const names = name === 'ARG' ? words.map(({ text }) => text.split('=', 1)[0]!) : words.slice(2).map(w => w.text)
  if (names.length === 0 || names.some(known => last.startsWith(`${known} `))) return []
  const hint = `write # ${names[0]} …, or leave a line with # between`
  const message = `the comment above ${name} does not begin with ${names.join(' or ')}`
  return [warning('InvalidDefinitionDescription', instruction, message, hint)]
}
