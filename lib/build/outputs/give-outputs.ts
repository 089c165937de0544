import { join } from 'node:path'
import { saveArchive, type WriteArchiveOptions } from '../../archive/index.ts'
import { BuildError } from '../../errors/index.ts'
import type { Image } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/index.ts'
import { unpackImage } from '../../rootfs/index.ts'
import { type PushResult, pushImage } from '../../transfer/index.ts'
import type { BuildSession } from '../session/build-session.ts'
import { settleLayers } from './settle-layers.ts'

/** Outputs of a build. Without any of them the image is only in the store, under its digest. */
export interface BuildOutputs {
  /** Names in the store. Set last. */
  readonly names?: readonly string[] | undefined
  /** References in registries. Layers that the registry has, or can mount, are not sent. */
  readonly push?: readonly string[] | undefined
  /** A file. */
  readonly archive?: ArchiveOutput | undefined
  /** A directory for the root filesystem, empty or absent; with several platforms one directory for each in it. */
  readonly directory?: string | undefined
}

/** A build's result as a file. */
export interface ArchiveOutput extends Pick<WriteArchiveOptions, 'format' | 'compression'> {
  /** Path of the file. */
  readonly path: string
  /** Name of the image in the archive. @defaultValue the first of the names */
  readonly name?: string | undefined
}

/** Results of the outputs. */
export interface GivenOutputs {
  /** Names in the store, as they are stored. */
  readonly names: readonly string[]
  /** Result of each push, in order. */
  readonly pushed: readonly PushResult[]
}

interface Built {
  readonly descriptor: Descriptor
  readonly images: readonly (Image & { readonly platform: string })[]
}

/** Writes a result to the outputs of the caller. Names in the store are set last. */
export async function giveOutputs(
  session: BuildSession,
  { descriptor, images }: Built,
  options: BuildOutputs & AbortOptions & { readonly registry?: RegistryClient | undefined },
): Promise<GivenOutputs> {
  const { store } = session
  const { names = [], push = [], archive, directory, registry, signal } = options
  const layers = images.flatMap(image => image.layers)
  const needsAll = archive !== undefined || directory !== undefined
  const entry = await settleLayers(session, descriptor, layers, { needsAll, signal })
  if (directory !== undefined) await unpackAll(session, images, directory, signal)
  if (archive) {
    const { path, name = names[0], ...how } = archive
    await saveArchive(store, [{ image: descriptor, name }], path, { ...how, signal })
  }
  const pushed: PushResult[] = []
  for (const reference of push) {
    if (!registry) throw new BuildError('ERR_BUILD_INVALID_STEP', `a push to ${reference} needs the option registry`)
    pushed.push(await pushImage(store, registry, descriptor.digest, reference, { signal }))
  }
  const set: string[] = []
  for (const name of names) set.push(await store.references.set(name, entry, { signal }))
  return { names: set, pushed }
}

async function unpackAll(
  { store }: BuildSession,
  images: Built['images'],
  directory: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const image of images) {
    const place = images.length === 1 ? directory : join(directory, image.platform.replaceAll('/', '_'))
    await unpackImage(store, image, place, { signal })
  }
}
