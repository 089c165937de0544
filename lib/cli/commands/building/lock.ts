import type { ImageLock, LockDifference, LockedBase } from '../../../build/index.ts'
import type { Digest } from '../../../digest/index.ts'
import type { ImageDiff } from '../../../inspect/index.ts'
import { familiarName, formatReference, isIndexType, parseReference } from '../../../oci/index.ts'
import type { PackagesDiff } from '../../../trust/index.ts'
import { buildArgsOf } from '../../building/build-options.ts'
import { pathInContext, readLockFile, writeLockFile } from '../../building/lock-option.ts'
import { openBuildContext } from '../../building/open-build-context.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { countOf } from '../../printing/count-of.ts'
import { openImage } from '../../reading/open-image.ts'
import { RegistryBlobs } from '../../reading/registry-blobs.ts'
import type { Session } from '../../session/session.ts'

/** Options of `lock`. */
export interface LockCommandOptions {
  readonly lock?: string
  readonly file?: string
  readonly target?: string
  readonly buildArg?: readonly string[]
  readonly packages?: boolean
  readonly write?: boolean
}

/** Operands of `lock`. */
export interface LockOperands {
  readonly name: string | undefined
  readonly context: string | undefined
}

/** `lock check NAME [CONTEXT]` and `lock update`. */
export async function lock(
  session: Session,
  act: string,
  operands: LockOperands,
  options: LockCommandOptions,
): Promise<void> {
  const { name, context } = operands
  const file = options.lock ?? 'image.lock'
  if (act === 'update' && name === undefined) return update(session, file, options)
  if (act !== 'check' || name === undefined)
    throw new UsageError('lock takes "check NAME [CONTEXT]" or "update", with --lock FILE')
  const locked = (await readLockFile(file, true))!
  const { compareLock, lockedImage, lockInputs } = await import('../../../build/index.ts')
  const { readImage } = await import('../../../image/index.ts')
  const { compressorOf } = await import('../../../layer/index.ts')
  const { signal, terminal } = session
  const { blobs, name: found } = await openImage(session, name)
  const images = []
  for (const { platform } of locked.images)
    images.push(lockedImage(await readImage(blobs, found, { platform, signal }), platform))
  const opened = await openBuildContext(session, { context: context ?? '.', file: options.file }, undefined)
  await using _context = opened.context
  const inputs = await lockInputs(
    {
      context: opened.context,
      dockerfile: await opened.readDockerfile(),
      buildArgs: buildArgsOf(options.buildArg, terminal.env),
      target: options.target,
      omit: pathInContext(context ?? '.', file),
    },
    { signal },
  )
  const [, type, level] = /^(gzip|zstd)-(\d+)\//.exec(locked.compressor) ?? []
  const compressor = type === undefined ? 'none' : compressorOf(type as 'gzip' | 'zstd', Number(level))
  const differences = compareLock(locked, { images, inputs, compressor })
  session.result(differences.map(lineOf), { name, lock: file, differences })
  session.note(differences.length === 0 ? `${name} is as ${file} says` : countOf(differences.length, 'difference'))
  if (differences.length > 0) session.exit = 1
}

function lineOf({ part, name, platform, locked = 'none', actual = 'none' }: LockDifference): string {
  const of = [part, name, platform && `(${platform})`].filter(Boolean).join(' ')
  if (part === 'base') return `${of}: the layers are not those of ${locked}`
  return `${of}: ${locked} -> ${actual}`
}

/** A base that has another digest now. */
interface NewerBase {
  readonly base: LockedBase
  readonly newer: LockedBase
  readonly diff: ImageDiff
  readonly packages?: PackagesDiff
}

async function update(
  session: Session,
  file: string,
  { packages = false, write = false }: LockCommandOptions,
): Promise<void> {
  const locked = (await readLockFile(file, true))!
  const newer: NewerBase[] = []
  for (const base of locked.bases) {
    const found = await newerBase(session, base, packages)
    if (found) newer.push(found)
  }
  session.result(newer.flatMap(linesOf), { lock: file, bases: newer, written: write && newer.length > 0 })
  session.note(`${countOf(locked.bases.length, 'base')}, ${newer.length} changed`)
  if (!write || newer.length === 0) return
  const bases = locked.bases.map(base => newer.find(one => one.base === base)?.newer ?? base)
  await writeLockFile(file, { ...locked, bases } satisfies ImageLock)
}

async function newerBase(session: Session, base: LockedBase, packages: boolean): Promise<NewerBase | undefined> {
  const { reference, platform, digest } = base
  // A layout is a directory of this machine; no registry has its images.
  if (reference.startsWith('oci-layout://')) return undefined
  const parsed = parseReference(reference)
  // A digest in the reference fixes the base already.
  if (parsed.digest !== undefined) return undefined
  const { readImage } = await import('../../../image/index.ts')
  const { signal, hasher } = session
  const name = familiarName(parsed)
  const registry = await session.registry()
  const top = await registry.resolve(parsed, { signal })
  if (top.digest === digest || top.digest === base.index) return undefined
  const at = (of: Digest) => formatReference({ registry: parsed.registry, repository: parsed.repository, digest: of })
  const image = await readImage(registry, at(top.digest), { platform, signal })
  if (image.descriptor.digest === digest) return undefined
  const { diffImages } = await import('../../../inspect/index.ts')
  const [before, after] = [at(digest), at(image.descriptor.digest)]
  const places = [before, after].map(of => ({ store: new RegistryBlobs(registry, of), image: of }))
  const [older, current] = places as [(typeof places)[number], (typeof places)[number]]
  const diff = await diffImages(older, current, { files: false, signal })
  const layers = image.layers.map(({ descriptor }) => descriptor.digest)
  const index = isIndexType(top.mediaType) ? { index: top.digest } : {}
  const newer = { reference, platform, digest: image.descriptor.digest, ...index, layers }
  session.note(`${name} (${platform}): a newer one exists`)
  if (!packages) return { base, newer, diff }
  const { diffPackages, readPackages } = await import('../../../trust/index.ts')
  const [was, is] = [
    await readPackages(older.store, await readImage(older.store, older.image, { signal }), { signal, hasher }),
    await readPackages(current.store, await readImage(current.store, current.image, { signal }), { signal, hasher }),
  ]
  return { base, newer, diff, packages: diffPackages(was, is) }
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
