import { readFile, realpath, stat } from 'node:fs/promises'
import { type PinnedDockerfile, type PinnedImage, pinDockerfile } from '../../../dockerfile/index.ts'
import { writeFileAtomic } from '../../../internal/atomic-file.ts'
import { collectBytes } from '../../../internal/collect-bytes.ts'
import { parseReference } from '../../../oci/index.ts'
import { stdinOf } from '../../arguments/stdin-of.ts'
import { fileFault } from '../../failing/file-fault.ts'
import { OutputError } from '../../failing/output-error.ts'
import { UsageError } from '../../failing/usage-error.ts'
import type { Session } from '../../session/session.ts'

/** Options of `pin`. */
export interface PinOptions {
  readonly check?: boolean
  readonly update?: boolean
}

/** Largest Dockerfile that is read. */
const MOST_BYTES = 64 * 1024 * 1024

/**
 * `pin [FILE]`: writes the digests of images into a Dockerfile, and prints each image. With `-` it reads stdin and
 * prints the new text. `--check` writes nothing, and ends with 1 if an image has no digest or its tag another one.
 */
export async function pin(session: Session, file: string, options: PinOptions): Promise<void> {
  const { check = false, update = false } = options
  if (check && update) throw new UsageError('--check writes nothing: it does not go with --update')
  const piped = file === '-'
  const name = piped ? 'stdin' : file
  const text = textOf(await read(session, file), name)
  const resolve = async (reference: string) => {
    const registry = await session.registry()
    return (await registry.resolve(parseReference(reference), { signal: session.signal })).digest
  }
  const pinned = await pinDockerfile(text, resolve, { file: name, update })
  if (!check && !piped && pinned.text !== text) await write(file, pinned.text)
  report(session, name, pinned, { check, piped })
  if (check && pinned.images.some(({ outcome }) => outcome !== 'kept')) session.exit = 1
}

async function read(session: Session, file: string): Promise<Uint8Array> {
  if (file === '-') return collectBytes(stdinOf(session), MOST_BYTES, 'Dockerfile bytes')
  return readFile(file).catch(cause => {
    throw fileFault('pin', file, cause)
  })
}

/**
 * SAFETY: decoding replaces bytes that are not UTF-8. Writing the text back would then change other parts of the file
 * than the images.
 */
function textOf(bytes: Uint8Array, name: string): string {
  const text = Buffer.from(bytes).toString()
  if (Buffer.from(text).equals(bytes)) return text
  throw new UsageError(`${name} is not UTF-8: its bytes would not be kept`)
}

/** Writes the file that a link points to, with the mode that it has. */
async function write(file: string, text: string): Promise<void> {
  try {
    const path = await realpath(file)
    const { mode } = await stat(path)
    await writeFileAtomic(path, Buffer.from(text), { mode: mode & 0o777 })
  } catch (cause) {
    throw new OutputError(cause as Error, JSON.stringify(file))
  }
}

function report(
  session: Session,
  name: string,
  { text, images }: PinnedDockerfile,
  { check, piped }: { readonly check: boolean; readonly piped: boolean },
): void {
  const lines = images.map(image => lineOf(image, name, check))
  const data = { file: name, images, ...(piped && !check ? { text } : {}) }
  if (piped && !check && !session.json) {
    for (const line of lines) session.note(line)
    session.terminal.stdout.write(text)
  } else session.result(lines, data)
  const count = (...wanted: readonly string[]) => images.filter(({ outcome }) => wanted.includes(outcome)).length
  const done = check ? 'not pinned' : 'pinned'
  const [fixed, moved] = [count('pinned', 'updated'), count('moved')]
  const parts = [`${fixed} ${done}`, `${count('kept')} kept`, `${moved} moved`, `${count('unpinned')} cannot be pinned`]
  session.note(`${name}: ${parts.join(', ')}`)
}

function lineOf({ position, reference, outcome, pinned, digest, reason }: PinnedImage, name: string, check: boolean) {
  const place = `${name}:${position.line}:${position.column}: ${reference}`
  if (outcome === 'pinned' && check) return `${place}: not pinned; its tag has ${digest}`
  if (outcome === 'moved') return `${place}: moved; its tag has ${digest}`
  if (outcome === 'unpinned') return `${place}: cannot be pinned: ${reason}`
  return outcome === 'kept' ? `${place}: kept` : `${place}: ${outcome} as ${pinned}`
}
