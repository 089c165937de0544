import type { ArchiveAddress } from '../../archive/index.ts'
import { isDigest } from '../../digest/index.ts'
import { ReferenceNotFoundError } from '../../errors/index.ts'
import { attachedTagIn } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import type { CopySource } from '../../transfer/index.ts'
import { UsageError } from '../failing/usage-error.ts'
import type { Session } from '../session/session.ts'
import { archiveSource, archiveTarget, type OpenedTarget } from './archive-place.ts'

/**
 * Opens the source of a `copy`: a reference, `docker://REF`, `store:NAME`, `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`,
 * `docker-archive:FILE[:NAME]`.
 */
export async function openCopySource(session: Session, text: string): Promise<CopySource> {
  const archive = await archiveAddress(text)
  if (archive) return archiveSource(session, archive, text)
  const { kind, rest } = splitPlace(text)
  if (kind === 'store') return { remoteLayers: true, store: await session.store({ create: false }), name: rest }
  if (kind !== 'oci') {
    await session.noteDefaults(rest)
    return { registry: await session.registry(), reference: rest }
  }
  const { directory, tag } = splitLayout(rest)
  const store = await session.layout(directory, { readOnly: true })
  return { store, name: await nameInLayout(store, text, tag), label: text, verbatim: true }
}

/** Opens the target of a `copy`. */
export async function openCopyTarget(session: Session, text: string): Promise<OpenedTarget> {
  const archive = await archiveAddress(text)
  if (archive) return archiveTarget(session, archive, text)
  const { kind, rest } = splitPlace(text)
  if (kind === 'store') return { target: { store: await session.store(), name: rest } }
  if (kind !== 'oci') return { target: { registry: await session.registry(), reference: rest } }
  const { directory, tag } = splitLayout(rest)
  return { target: { store: await session.layout(directory, {}), name: tag, label: text, verbatim: true } }
}

/** Parses an archive address; `undefined` if the text names no archive. */
export async function archiveAddress(text: string): Promise<ArchiveAddress | undefined> {
  if (!/^(oci|docker)-archive:/.test(text)) return undefined
  return (await import('../../archive/index.ts')).parseArchiveAddress(text)
}

/** Prefixes of skopeo that have no counterpart, and what does the same. An image of that name is `docker://dir:tag`. */
const OTHER_TRANSPORTS: Readonly<Record<string, string>> = {
  'containers-storage:': 'use oci-archive:FILE with "podman save --format oci-archive" or "podman load"',
  'dir:': 'use oci:DIR[:TAG]',
  'docker-daemon:': 'use docker-archive:FILE with "docker save" or "docker load"',
}

/** Splits a place into its kind and the text after the prefix. */
export function splitPlace(text: string): { kind: 'registry' | 'store' | 'oci'; rest: string } {
  const [, prefix, rest] = /^(docker:\/\/|store:|oci:)(.*)$/s.exec(text) ?? []
  if (prefix === undefined) {
    const [, other = ''] = /^([a-z-]+:)/.exec(text) ?? []
    if (Object.hasOwn(OTHER_TRANSPORTS, other))
      throw new UsageError(`${other} is not there; ${OTHER_TRANSPORTS[other]}`)
    return { kind: 'registry', rest: text }
  }
  if (!rest) throw new UsageError(`nothing after ${prefix}`)
  if (prefix === 'docker://') return { kind: 'registry', rest }
  return { kind: prefix === 'store:' ? 'store' : 'oci', rest }
}

/** Splits `DIR[:TAG]`. The first colon ends the directory, as for skopeo; on Windows the colon of a drive does not. */
export function splitLayout(text: string): { directory: string; tag: string | undefined } {
  const isDrive = process.platform === 'win32' && /^[A-Za-z]:[\\/]/.test(text)
  const colon = text.indexOf(':', isDrive ? 2 : 0)
  if (colon < 0) return { directory: text, tag: undefined }
  if (colon === 0 || colon === text.length - 1) throw new UsageError(`not oci:DIR[:TAG]: oci:${text}`)
  return { directory: text.slice(0, colon), tag: text.slice(colon + 1) }
}

/**
 * Returns the name of an image in a layout: that of the place, or the only one.
 *
 * @throws {@link ReferenceNotFoundError} if the layout does not have the name.
 */
export async function nameInLayout(
  { references }: Pick<Store, 'references'>,
  place: string,
  tag: string | undefined,
): Promise<string> {
  if (tag === undefined) return onlyName(references.list(), place)
  if (isDigest(tag) || (await references.get(tag)) !== undefined) return tag
  throw new ReferenceNotFoundError(tag, { where: place.slice(0, -tag.length - 1) })
}

/** Number of names that an error lists. */
const MOST_SHOWN = 8

/** Returns the only name of a layout, apart from those of what is attached to images. */
async function onlyName(names: AsyncIterable<{ readonly name: string }>, place: string): Promise<string> {
  const all: string[] = []
  for await (const { name } of names) if (attachedTagIn(name) === undefined && all.push(name) > MOST_SHOWN) break
  if (all.length === 1) return all[0]!
  if (all.length === 0) throw new UsageError(`${place} has no image with a name`)
  const shown = `${all.slice(0, MOST_SHOWN).join(', ')}${all.length > MOST_SHOWN ? ', …' : ''}`
  throw new UsageError(`${place} has several images; write ${place}:TAG with one of ${shown}`)
}
