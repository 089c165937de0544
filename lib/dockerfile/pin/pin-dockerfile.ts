import type { Digest } from '../../digest/index.ts'
import { LayerStoreError } from '../../errors/index.ts'
import { parseReference, type Reference } from '../../oci/index.ts'
import type { InstructionName, Position } from '../document/document.ts'
import { parseDockerfile } from '../document/parse-dockerfile.ts'
import { type ImageInDockerfile, writtenImages } from './written-images.ts'

/** Options of {@link pinDockerfile}. */
export interface PinDockerfileOptions {
  /** Name of the file in messages. @defaultValue `'Dockerfile'` */
  readonly file?: string | undefined
  /** Gives images that have a digest the one that their tag has now. @defaultValue false: they are left as they are */
  readonly update?: boolean | undefined
}

/**
 * Outcome for an image: `pinned` got a digest; `kept` has the digest of its tag, or has no tag; `moved` has a digest
 * that its tag does not have any more; `updated` got the one that its tag has; `unpinned` could not be pinned.
 */
export type PinOutcome = 'pinned' | 'kept' | 'moved' | 'updated' | 'unpinned'

/** An image that a Dockerfile names. */
export interface PinnedImage {
  /** Instruction that names it: FROM, COPY or RUN. */
  readonly instruction: InstructionName
  /** Position of the word or the flag that names it. */
  readonly position: Position
  /** Reference as it was written, or that of the ARG which FROM uses. */
  readonly reference: string
  /** Outcome for this image. */
  readonly outcome: PinOutcome
  /** Reference in the new text. */
  readonly pinned?: string
  /** Digest that the tag has now; absent if it was not asked for. */
  readonly digest?: Digest
  /** Reason, for `unpinned`. */
  readonly reason?: string
}

/** Result of {@link pinDockerfile}. */
export interface PinnedDockerfile {
  /** The new text: the given one, with digests put behind the names. */
  readonly text: string
  /** The images that the text names, in its order. Stages and `scratch` are none. */
  readonly images: readonly PinnedImage[]
}

/**
 * Pins the images of a Dockerfile in place: `FROM node:22` becomes `FROM node:22@sha256:…`, likewise `COPY --from` and
 * `from=` of a mount. Comments, positions and line endings stay. If FROM names an ARG that has a default and no other
 * use, the default is pinned. Names that contain a variable, and those that ONBUILD stores, are reported as `unpinned`.
 * The function reads no file and no registry; `resolve` does.
 *
 * @example
 * ```ts
 * const { text, images } = await pinDockerfile(await readFile('Dockerfile', 'utf8'), async reference => {
 *   return (await registry.resolve(parseReference(reference))).digest
 * })
 * ```
 *
 * @param resolve - Returns the digest that a reference with a tag has now. Called once for each reference.
 * @throws {@link DockerfileError} as `parseDockerfile`; the errors of `resolve`.
 */
export async function pinDockerfile(
  text: string,
  resolve: (reference: string) => Promise<Digest>,
  options: PinDockerfileOptions = {},
): Promise<PinnedDockerfile> {
  const { file, update = false } = options
  const document = parseDockerfile(text, file === undefined ? {} : { file })
  const digests = new Map<string, Promise<Digest>>()
  const digestOf = (reference: string) => {
    const known = digests.get(reference) ?? resolve(reference)
    digests.set(reference, known)
    return known
  }
  const images: PinnedImage[] = []
  const changes = new Map<number, Change>()
  for (const image of writtenImages(document)) {
    const { instruction, position, text: reference } = image
    const pinned = await pinImage(image, digestOf, update)
    images.push({ instruction, position, reference, ...pinned })
    if (pinned.pinned !== undefined && image.end !== undefined)
      changes.set(image.end, { end: image.end, old: reference, text: pinned.pinned })
  }
  return { text: changed(text, changes), images }
}

/** A reference in the text that another one replaces. */
interface Change {
  readonly end: number
  readonly old: string
  readonly text: string
}

async function pinImage(
  { text, end, reason }: ImageInDockerfile,
  digestOf: (reference: string) => Promise<Digest>,
  update: boolean,
): Promise<Omit<PinnedImage, 'instruction' | 'position' | 'reference'>> {
  const reference = readReference(text)
  if (!reference) return { outcome: 'unpinned', reason: reason ?? 'it is not an image reference' }
  const { digest: written } = reference
  const named = written === undefined ? text : text.slice(0, text.indexOf('@'))
  // SPEC: a digest alone has no tag that could move.
  if (written !== undefined && reference.tag === undefined) return { outcome: 'kept' }
  if (written === undefined && end === undefined) return { outcome: 'unpinned', reason: reason! }
  const digest = await digestOf(named)
  const pinned = `${withTag(named, reference)}@${digest}`
  if (written === undefined) return { outcome: 'pinned', pinned, digest }
  if (written === digest) return { outcome: 'kept', digest }
  return update && end !== undefined ? { outcome: 'updated', pinned, digest } : { outcome: 'moved', digest }
}

/** The tag that no tag means is written out: only a tag shows later that it was moved. */
function withTag(named: string, { tag }: Reference): string {
  return tag === undefined || named.endsWith(`:${tag}`) ? named : `${named}:${tag}`
}

function readReference(text: string): Reference | undefined {
  try {
    return parseReference(text)
  } catch (error) {
    if (LayerStoreError.is(error)) return undefined
    throw error
  }
}

function changed(text: string, changes: ReadonlyMap<number, Change>): string {
  let result = text
  for (const { end, old, text: replacement } of [...changes.values()].sort((a, b) => b.end - a.end)) {
    result = result.slice(0, end - old.length) + replacement + result.slice(end)
  }
  return result
}
