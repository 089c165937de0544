import type { ImageLock, LockedBase } from '../../../build/index.ts'
import type { Digest } from '../../../digest/index.ts'
import {
  BlobNotFoundError,
  PlatformNotFoundError,
  ReferenceNotFoundError,
  RegistryError,
  type RegistryErrorCode,
} from '../../../errors/index.ts'
import type { ImageDiff } from '../../../inspect/index.ts'
import { type Descriptor, familiarName, formatReference, isIndexType, parseReference } from '../../../oci/index.ts'
import type { PackagesDiff } from '../../../trust/index.ts'
import { readLockFile, writeLockFile } from '../../building/lock-option.ts'
import { adviceOn } from '../../failing/advice.ts'
import { countOf } from '../../printing/count-of.ts'
import type { ImageBlobs } from '../../reading/image-blobs.ts'
import { RegistryBlobs } from '../../reading/registry-blobs.ts'
import type { Session } from '../../session/session.ts'

/** A base that has another digest now. */
interface NewerBase {
  readonly base: LockedBase
  readonly newer: LockedBase
  readonly diff: ImageDiff
  readonly packages?: PackagesDiff
}

/**
 * `lock update`: shows what newer bases change, and with `--write` puts them into the lock. A base that cannot be
 * compared is reported by its name, and the exit code is 1; this does not stop the comparison of other bases.
 */
export async function updateLock(
  session: Session,
  file: string,
  { packages = false, write = false }: { readonly packages?: boolean; readonly write?: boolean },
): Promise<void> {
  const locked = (await readLockFile(file, true))!
  const newer: NewerBase[] = []
  const failed: { readonly base: LockedBase; readonly error: { code: string; message: string } }[] = []
  for (const base of locked.bases) {
    try {
      const found = await newerBase(session, base, packages)
      if (found) newer.push(found)
    } catch (error) {
      if (session.signal.aborted || !isOfOneBase(error)) throw error
      const { code, message } = error
      failed.push({ base, error: { code, message } })
      const why = [message, adviceOn(error)].filter(Boolean).join('; ')
      session.note(`warning: ${base.reference} (${base.platform}): not compared: ${why} (${code})`)
    }
  }
  session.result(newer.flatMap(linesOf), { lock: file, bases: newer, failed, written: write && newer.length > 0 })
  const lost = failed.length > 0 ? `, ${failed.length} not compared` : ''
  session.note(`${countOf(locked.bases.length, 'base')}, ${newer.length} changed${lost}`)
  if (failed.length > 0) session.exit = 1
  if (!write || newer.length === 0) return
  const bases = locked.bases.map(base => newer.find(one => one.base === base)?.newer ?? base)
  await writeLockFile(file, { ...locked, bases } satisfies ImageLock)
}

/** True for an error that concerns one base only: a version of it is absent, or its registry cannot be reached. */
function isOfOneBase(
  error: unknown,
): error is RegistryError | ReferenceNotFoundError | BlobNotFoundError | PlatformNotFoundError {
  const kinds = [RegistryError, ReferenceNotFoundError, BlobNotFoundError, PlatformNotFoundError]
  return kinds.some(kind => error instanceof kind)
}

async function newerBase(session: Session, base: LockedBase, packages: boolean): Promise<NewerBase | undefined> {
  const { reference, platform, digest } = base
  // A layout is a directory of this machine; no registry has its images.
  if (reference.startsWith('oci-layout://')) return undefined
  // A digest in the reference fixes the base already.
  if (parseReference(reference).digest !== undefined) return undefined
  const { readImage } = await import('../../../image/index.ts')
  const { signal, hasher } = session
  const { top, open } = await findNow(session, reference)
  if (top.digest === digest || top.digest === base.index) return undefined
  const now = open(top.digest)
  const image = await readImage(now.store, now.image, { platform, signal })
  if (image.descriptor.digest === digest) return undefined
  const { diffImages } = await import('../../../inspect/index.ts')
  const [older, current] = [open(digest), open(image.descriptor.digest)]
  const diff = await diffImages(older, current, { files: false, signal })
  const layers = image.layers.map(({ descriptor }) => descriptor.digest)
  const index = isIndexType(top.mediaType) ? { index: top.digest } : {}
  const newer = { reference, platform, digest: image.descriptor.digest, ...index, layers }
  session.note(`${familiarName(parseReference(reference))} (${platform}): a newer one exists`)
  if (!packages) return { base, newer, diff }
  const { diffPackages, readPackages } = await import('../../../trust/index.ts')
  const [was, is] = [
    await readPackages(older.store, await readImage(older.store, older.image, { signal }), { signal, hasher }),
    await readPackages(current.store, await readImage(current.store, current.image, { signal }), { signal, hasher }),
  ]
  return { base, newer, diff, packages: diffPackages(was, is) }
}

/** A base as it is now, and its place, which also has the locked image. */
interface CurrentBase {
  readonly top: Descriptor
  readonly open: (digest: Digest) => { readonly store: ImageBlobs; readonly image: string }
}

/** Answers of a registry that has no such image. Docker Hub answers 401 for a repository that does not exist. */
const ABSENT: readonly RegistryErrorCode[] = ['ERR_MANIFEST_NOT_FOUND', 'ERR_UNAUTHORIZED']

/** Finds a base in its registry, else in the store: it may have been made on this machine. */
async function findNow(session: Session, reference: string): Promise<CurrentBase> {
  const parsed = parseReference(reference)
  const { registry: host, repository } = parsed
  const registry = await session.registry()
  try {
    const top = await registry.resolve(parsed, { signal: session.signal })
    const at = (digest: Digest) => formatReference({ registry: host, repository, digest })
    return { top, open: digest => ({ store: new RegistryBlobs(registry, at(digest)), image: at(digest) }) }
  } catch (error) {
    if (!(error instanceof RegistryError && ABSENT.includes(error.code))) throw error
    const stored = await inStore(session, reference)
    if (!stored) throw error
    const why = error.code === 'ERR_UNAUTHORIZED' ? 'does not show it to this user' : 'does not have it'
    session.note(`${familiarName(parsed)}: its registry ${why}, so it is compared with the one in the store`)
    return stored
  }
}

async function inStore(session: Session, reference: string): Promise<CurrentBase | undefined> {
  const store = await session.storeIfAny()
  if (!store) return undefined
  const { findDescriptor } = await import('../../../image/index.ts')
  try {
    const top = await findDescriptor(store, reference, { signal: session.signal })
    return { top, open: digest => ({ store, image: digest }) }
  } catch (error) {
    if (error instanceof ReferenceNotFoundError) return undefined
    throw error
  }
}

function linesOf({ base, newer, diff, packages }: NewerBase): string[] {
  const value = (of: unknown) => (of === undefined ? 'none' : JSON.stringify(of))
  return [
    `${base.reference} (${base.platform}): ${base.digest} -> ${newer.digest}`,
    ...diff.layers.removed.map(({ index, descriptor }) => `  - layer ${index + 1} ${descriptor.digest}`),
    ...diff.layers.added.map(({ index, descriptor }) => `  + layer ${index + 1} ${descriptor.digest}`),
    ...diff.config.map(
      one => `  ~ ${[one.member, one.name].filter(Boolean).join(' ')}: ${value(one.before)} -> ${value(one.after)}`,
    ),
    ...(packages?.removed ?? []).map(({ type, name, version }) => `  - ${type} ${name} ${version}`),
    ...(packages?.added ?? []).map(({ type, name, version }) => `  + ${type} ${name} ${version}`),
    ...(packages?.changed ?? []).map(
      one => `  ~ ${one.type} ${one.name} ${one.before.join(', ') || '-'} -> ${one.after.join(', ') || '-'}`,
    ),
  ]
}
