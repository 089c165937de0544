import { type Digest, isDigest } from '../../digest/index.ts'
import { BuildError } from '../../errors/index.ts'
import { parseStrictJson } from '../../internal/strict-json.ts'
import type { ImageLock, LockedBase, LockedImage, LockedInputs } from './image-lock.ts'

/**
 * Parses a lock file. Every member is checked, and a member that this version does not know is refused: a lock that is
 * understood in part fixes less than it says.
 *
 * @example
 * ```ts
 * const locked = parseImageLock(await readFile('image.lock'))
 * console.log(locked.bases.map(({ reference, digest }) => `${reference} ${digest}`))
 * ```
 *
 * @throws {@link BuildError} `ERR_BUILD_LOCK`.
 */
export function parseImageLock(bytes: Uint8Array): ImageLock {
  const lock = membersOf(parsed(bytes), 'the file', ['version', 'bases', 'compressor', 'inputs', 'images'])
  if (lock.version !== 1) return fail(`version ${JSON.stringify(lock.version)} is not known; this program reads 1`)
  return {
    version: 1,
    bases: listOf(lock.bases, 'bases').map(baseOf),
    compressor: textOf(lock.compressor, 'compressor'),
    inputs: inputsOf(lock.inputs),
    images: listOf(lock.images, 'images').map(imageOf),
  }
}

/**
 * Formats a lock as a file: sorted, one member a line, so that a version control system shows what changed.
 *
 * @example
 * ```ts
 * console.log(formatImageLock(parseImageLock(await readFile('image.lock'))))
 * ```
 */
export function formatImageLock({ bases, compressor, inputs, images }: ImageLock): string {
  const { args, ...others } = inputs
  const sortedArgs = Object.fromEntries(Object.entries(args).sort(([a], [b]) => compare(a, b)))
  const sorted = {
    version: 1,
    bases: [...bases].sort((a, b) => compare(a.reference, b.reference) || compare(a.platform, b.platform)),
    compressor,
    inputs: { ...others, args: sortedArgs },
    images: [...images].sort((a, b) => compare(a.platform, b.platform)),
  }
  return `${JSON.stringify(sorted, null, 2)}\n`
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(bytes)
  } catch (cause) {
    throw new BuildError('ERR_BUILD_LOCK', `the lock is not JSON: ${(cause as Error).message}`, {}, { cause })
  }
}

function baseOf(value: unknown, i: number): LockedBase {
  const at = `bases[${i}]`
  const base = membersOf(value, at, ['reference', 'platform', 'digest', 'index', 'layers'])
  return {
    reference: textOf(base.reference, `${at}.reference`),
    platform: textOf(base.platform, `${at}.platform`),
    digest: digestAt(base.digest, `${at}.digest`),
    ...(base.index === undefined ? {} : { index: digestAt(base.index, `${at}.index`) }),
    layers: digestsAt(base.layers, `${at}.layers`),
  }
}

function imageOf(value: unknown, i: number): LockedImage {
  const at = `images[${i}]`
  const image = membersOf(value, at, ['platform', 'digest', 'config', 'layers'])
  return {
    platform: textOf(image.platform, `${at}.platform`),
    digest: digestAt(image.digest, `${at}.digest`),
    config: digestAt(image.config, `${at}.config`),
    layers: digestsAt(image.layers, `${at}.layers`),
  }
}

function inputsOf(value: unknown): LockedInputs {
  const { context, dockerfile, target, args } = membersOf(value, 'inputs', ['context', 'dockerfile', 'target', 'args'])
  const entries = Object.entries(membersOf(args, 'inputs.args')).map(([name, text]): [string, string] => [
    name,
    typeof text === 'string' ? text : fail(`inputs.args.${name} is not a text`),
  ])
  return {
    ...(context === undefined ? {} : { context: digestAt(context, 'inputs.context') }),
    ...(dockerfile === undefined ? {} : { dockerfile: digestAt(dockerfile, 'inputs.dockerfile') }),
    ...(target === undefined ? {} : { target: textOf(target, 'inputs.target') }),
    args: Object.fromEntries(entries),
  }
}

function membersOf(value: unknown, at: string, known?: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(`${at} is not an object`)
  const other = known && Object.keys(value).find(key => !known.includes(key))
  if (other !== undefined) return fail(`${at} has the unknown member ${JSON.stringify(other.slice(0, 80))}`)
  return value as Record<string, unknown>
}

function listOf(value: unknown, at: string): readonly unknown[] {
  return Array.isArray(value) ? value : fail(`${at} is not a list`)
}

function textOf(value: unknown, at: string): string {
  return typeof value === 'string' && value !== '' ? value : fail(`${at} is not a text`)
}

function digestAt(value: unknown, at: string): Digest {
  return typeof value === 'string' && isDigest(value) ? value : fail(`${at} is not a digest`)
}

function digestsAt(value: unknown, at: string): readonly Digest[] {
  return listOf(value, at).map((digest, i) => digestAt(digest, `${at}[${i}]`))
}

function fail(message: string): never {
  throw new BuildError('ERR_BUILD_LOCK', `the lock is not valid: ${message}`)
}
