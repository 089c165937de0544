import { join } from 'node:path'
import type { WriteArchiveOptions } from '../../archive/index.ts'
import { BuildError, LayerStoreError } from '../../errors/index.ts'
import type { Image } from '../../image/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { Descriptor } from '../../oci/index.ts'
import type { RegistryClient } from '../../registry/index.ts'
import type { PushResult } from '../../transfer/index.ts'
import type { BuildTask } from '../build-progress.ts'
import type { BuildSession } from '../session/build-session.ts'
import { runTask } from '../session/run-task.ts'
import { settleLayers } from './settle-layers.ts'

/** Outputs of a build. Without any of them the image is only in the store, under its digest. */
export interface BuildOutputs {
  /** Names in the store. Set last. */
  readonly names?: readonly string[] | undefined
  /** References in registries. Layers that the registry has, or can mount, are not sent. */
  readonly push?: readonly string[] | undefined
  /** Archives of the image. */
  readonly archive?: ArchiveOutput | readonly ArchiveOutput[] | undefined
  /**
   * Directories for the root filesystem; with several platforms one directory for each in them. What is there already
   * stays, unless the image has it too.
   */
  readonly directory?: string | readonly string[] | undefined
  /** Tar archives of the root filesystem; with several platforms one directory for each in them. */
  readonly tar?: OutputPlace | readonly OutputPlace[] | undefined
}

/** A path, whose file is replaced when all is written, or a function that takes the bytes. */
export type OutputPlace = string | ((bytes: AsyncIterable<Uint8Array>) => Promise<void>)

/** A build's result as a file. */
export interface ArchiveOutput extends Pick<WriteArchiveOptions, 'format' | 'compression'> {
  /** Place of the archive. */
  readonly path: OutputPlace
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

/**
 * Writes a result to the outputs of the caller. Names in the store are set last.
 *
 * PERF: the code of an output is loaded with it; most builds only set a name.
 */
export async function giveOutputs(
  session: BuildSession,
  { descriptor, images }: Built,
  options: BuildOutputs & AbortOptions & { readonly registry?: RegistryClient | undefined },
): Promise<GivenOutputs> {
  const { store } = session
  const { names = [], push = [], registry, signal } = options
  const archives = listOf(options.archive)
  const directories = listOf(options.directory)
  const tars = listOf(options.tar)
  const layers = images.flatMap(image => image.layers)
  const needsAll = archives.length + directories.length + tars.length > 0
  const entry = await settleLayers(session, descriptor, layers, { needsAll, signal })
  const report = (task: BuildTask['task'], place: OutputPlace, act: () => Promise<unknown>) =>
    runTask(session.onProgress, { task, place: typeof place === 'string' ? place : 'a stream' }, act)
  for (const directory of directories) {
    await report('directory', directory, () => unpackAll(session, images, directory, signal))
  }
  for (const place of tars) {
    const { rootTar } = await import('./root-tar.ts')
    await report('tar', place, () => putBytes(place, rootTar(store, images, { signal })))
  }
  for (const { path, name = names[0], ...how } of archives) {
    const image = [{ image: descriptor, name }]
    await report('archive', path, async () => {
      const { saveArchive, writeArchive } = await import('../../archive/index.ts')
      if (typeof path === 'string') await saveArchive(store, image, path, { ...how, signal })
      else await path(writeArchive(store, image, { ...how, signal }))
    })
  }
  const pushed: PushResult[] = []
  for (const reference of push) {
    if (!registry) throw new BuildError('ERR_BUILD_INVALID_STEP', `a push to ${reference} needs the option registry`)
    await report('push', reference, async () => {
      const { pushImage } = await import('../../transfer/index.ts')
      pushed.push(await pushImage(store, registry, descriptor.digest, reference, { signal }))
    })
  }
  const set: string[] = []
  for (const name of names) set.push(await store.references.set(name, entry, { signal }))
  return { names: set, pushed }
}

function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value as T]
}

async function putBytes(place: OutputPlace, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  if (typeof place !== 'string') return place(bytes)
  const { saveBytes } = await import('../../archive/index.ts')
  await saveBytes(place, bytes)
}

async function unpackAll(
  { store }: BuildSession,
  images: Built['images'],
  directory: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { unpackImage } = await import('../../rootfs/index.ts')
  const { directoryOf } = await import('./root-tar.ts')
  for (const image of images) {
    const place = images.length === 1 ? directory : join(directory, directoryOf(image.platform))
    try {
      await unpackImage(store, image, place, { signal })
    } catch (error) {
      // As other builders do; a new directory is complete or absent, which cannot be had here.
      if (!LayerStoreError.is(error) || error.code !== 'ERR_TARGET_NOT_EMPTY') throw error
      await unpackImage(store, image, place, { overwrite: true, signal })
    }
  }
}
