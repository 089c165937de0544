import type {
  DockerfileDocument,
  Instruction,
  InstructionFlag,
  InstructionName,
  Position,
} from '../document/document.ts'
import { readMountFields } from '../document/mount-fields.ts'
import { declaredArgument } from '../evaluate/arguments/global-arguments.ts'
import { readTrigger } from '../evaluate/stages/read-trigger.ts'
import { splitStages, type WrittenStage } from '../evaluate/stages/split-stages.ts'
import { sourceOffset } from './source-offset.ts'

/** An image that a Dockerfile names, and its place in the text. */
export interface ImageInDockerfile {
  readonly instruction: InstructionName
  /** Position of the word or the flag that names the image. */
  readonly position: Position
  /** Reference as written; that of the ARG if the whole word is one. */
  readonly text: string
  /** Offset behind the reference; absent if it cannot be changed in place. */
  readonly end?: number
  /** Reason that it cannot be changed in place. */
  readonly reason?: string
}

/** A name that is written out: no variable, no escape, quotes only around the whole. */
const LITERAL = /^(["']?)([^"'\\`$\s]+)\1$/
const WHOLE_VARIABLE = /^(["']?)\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))\1$/
const SPLIT = 'it is written over several lines, or with quotes or escapes'

/** Lists the images that the text of a Dockerfile names, in its order: no stages, and not `scratch`. */
export function writtenImages(document: DockerfileDocument): ImageInDockerfile[] {
  const { globals, stages } = splitStages(document)
  const names = new Set(stages.flatMap(({ name }) => name ?? []))
  return stages.flatMap((stage, index) => {
    const earlier = new Set(stages.slice(0, index).flatMap(({ name }) => name ?? []))
    // SPEC: COPY takes a number for a stage, a mount does not.
    const isStage = ({ text, instruction }: ImageInDockerfile) =>
      names.has(text.toLowerCase()) || (instruction === 'COPY' && /^[+-]?\d+$/.test(text))
    return [
      ...baseOf(document, globals, stage).filter(({ text }) => text !== 'scratch' && !earlier.has(text)),
      ...stage.instructions
        .flatMap(instruction => imagesOf(document, instruction))
        .filter(image => image.text !== 'scratch' && !isStage(image)),
    ]
  })
}

function baseOf(
  document: DockerfileDocument,
  globals: readonly Instruction[],
  { from }: WrittenStage,
): ImageInDockerfile[] {
  const { text, position } = from.words[0]!
  const place = { instruction: from.name, position }
  const variable = WHOLE_VARIABLE.exec(text)
  const name = variable?.[2] ?? variable?.[3]
  if (name !== undefined) return [{ ...place, ...argumentImage(document, globals, name, text) }]
  if (text.includes('$')) return [{ ...place, text, reason: 'a part of it is a variable' }]
  return [{ ...place, ...literalImage(document, text, position, text) }]
}

/** The image that the default of an ARG names, if the file uses the ARG for nothing else. */
function argumentImage(document: DockerfileDocument, globals: readonly Instruction[], name: string, text: string) {
  const words = document.instructions.filter(one => one.name === 'ARG').flatMap(one => one.words)
  const declared = words.filter(word => declaredArgument(word.text).name === name)
  const [word] = globals.flatMap(one => one.words).filter(one => declaredArgument(one.text).name === name)
  const value = word && declaredArgument(word.text).value
  if (word === undefined || value === undefined || value === '')
    return { text, reason: `ARG ${name} has no default before the first FROM` }
  const used = [...document.source.matchAll(new RegExp(`\\$\\{?${name}(?!\\w)`, 'g'))].length
  const asBase = document.instructions.filter(one => one.name === 'FROM' && variableOf(one) === name).length
  // SAFETY: `node:22` with a digest would break `${BASE}-slim`, and a second ARG may have another value.
  if (declared.length > 1 || used !== asBase)
    return { text, reason: `ARG ${name} is used for more than the name of a base` }
  return literalImage(document, value, word.position, word.text)
}

function variableOf({ words }: Instruction): string | undefined {
  const found = WHOLE_VARIABLE.exec(words[0]!.text)
  return found?.[2] ?? found?.[3]
}

/** @param within - Text of the word, which ends with `written`. */
function literalImage({ source }: DockerfileDocument, written: string, position: Position, within: string) {
  const literal = LITERAL.exec(written)
  if (!literal) return { text: written, reason: written.includes('$') ? 'a part of it is a variable' : SPLIT }
  const [, quote = '', text = ''] = literal
  const start = sourceOffset(source, position)
  if (!source.startsWith(within, start)) return { text, reason: SPLIT }
  return { text, end: start + within.length - quote.length }
}

function imagesOf(document: DockerfileDocument, instruction: Instruction): ImageInDockerfile[] {
  const { name, flags, trigger, position } = instruction
  if (trigger !== undefined) {
    const stored = readTrigger(trigger)
    const named = imagesOf({ ...document, source: trigger }, stored)
    return named.map(({ text }) => ({ instruction: stored.name, position, text, reason: 'ONBUILD stores it' }))
  }
  if (name === 'COPY') return flags.flatMap(flag => (flag.name === 'from' ? fromFlag(document, name, flag) : []))
  if (name === 'RUN') return flags.flatMap(flag => (flag.name === 'mount' ? fromMount(document, name, flag) : []))
  return []
}

function fromFlag(
  { source }: DockerfileDocument,
  instruction: InstructionName,
  flag: InstructionFlag,
): ImageInDockerfile[] {
  const { value: text = '', position } = flag
  if (text === '') return []
  const start = sourceOffset(source, position)
  const written = `--from=${text}`
  if (!source.startsWith(written, start)) return [{ instruction, position, text, reason: SPLIT }]
  return [{ instruction, position, text, end: start + written.length }]
}

function fromMount(
  { source }: DockerfileDocument,
  instruction: InstructionName,
  flag: InstructionFlag,
): ImageInDockerfile[] {
  const { value = '', position } = flag
  const start = sourceOffset(source, position) + '--mount='.length
  const isPlain = !value.includes('"') && source.startsWith(value, start)
  let end = start - 1
  return (readMountFields(value) ?? []).flatMap(field => {
    end += field.text.length + 1
    if (field.key !== 'from' || !field.value) return []
    const image = { instruction, position, text: field.value }
    return [isPlain ? { ...image, end } : { ...image, reason: SPLIT }]
  })
}
