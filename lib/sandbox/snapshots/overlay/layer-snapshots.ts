import { existsSync } from 'node:fs'
import { chmod, mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { chainIds, type ImageLayer } from '../../../image/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { SingleFlight } from '../../../internal/concurrency/single-flight.ts'
import { isLocked, withLock } from '../../../internal/locks/lock.ts'
import { type UnpackReport, unpackLayers } from '../../../rootfs/index.ts'
import type { Store } from '../../../store/index.ts'
import { namespaceIds } from '../../executors/process/namespace-ids.ts'
import { removeDirectory } from '../../keeping/remove-directory.ts'
import { copyRoot } from './copy-root.ts'
import { touchLayer, writeAbout } from './layer-about.ts'
import { mountOverlay, unmount } from './mounting/overlay-mount.ts'
import type { SnapshotPlaces } from './snapshot-places.ts'

/** Characters of a chain id in the name of a directory: short, because all names of a stack go into one mount. */
const NAME_LENGTH = 24
/** The directory in that of a layer that overlayfs uses. */
export const FILES = 'fs'
/** End of the name of a layer that is being unpacked. */
export const UNFINISHED = '.tmp'

/**
 * Layers that are unpacked, each in a directory of its own, which all stacks with the same layers up to it share.
 *
 * A layer is unpacked onto a mount of the layers below it, so that the kernel writes its directory as overlayfs reads
 * it: whiteouts, directories that hide others, links through lower layers. It appears under its name only when it is
 * complete and its diffID has been proven. One process unpacks it; others that need it wait for that process.
 */
export class LayerSnapshots {
  readonly #places: SnapshotPlaces
  readonly #fuse: boolean
  readonly #unpacking = new SingleFlight<void>()
  /** Number of layers that this process has unpacked. */
  unpacked = 0

  /** @param fuse - True if fuse-overlayfs mounts overlays. */
  constructor(places: SnapshotPlaces, fuse: boolean) {
    this.#places = places
    this.#fuse = fuse
  }

  /** The names of layers, lowest first. With one id layers have other owners, so they have other names. */
  static async namesOf(layers: readonly ImageLayer[]): Promise<string[]> {
    const chain = await chainIds(layers.map(({ diffId }) => diffId))
    const begin = namespaceIds() === 'one' ? NAME_LENGTH : 0
    return chain.map(id => id.slice(id.indexOf(':') + 1).slice(begin, begin + NAME_LENGTH))
  }

  /**
   * Unpacks what is missing. Resolves to directories relative to that of the snapshots, topmost layer first. The caller
   * holds the layers already, see `holdLayers`.
   */
  async open(
    store: Store,
    layers: readonly ImageLayer[],
    names: readonly string[],
    { signal }: AbortOptions,
  ): Promise<string[]> {
    await this.#awaitCollection(signal)
    const lower: string[] = []
    for (const [index, name] of names.entries()) {
      const layer = layers[index] as ImageLayer
      const unpack = (stop: AbortSignal) => this.#unpackOnce(store, layer, { name, lower: [...lower] }, stop)
      if (!touchLayer(join(this.#places.layers, name))) await this.#unpacking.run(name, unpack, signal)
      lower.unshift(`${name}/${FILES}`)
    }
    return lower
  }

  /** SAFETY: a collection that began before this process held its layers may be about to remove one. */
  async #awaitCollection(signal: AbortSignal | undefined): Promise<void> {
    const { collectLock } = this.#places
    if (await isLocked(collectLock)) await withLock(collectLock, async () => {}, { signal })
  }

  async #unpackOnce(store: Store, layer: ImageLayer, place: LayerPlace, signal: AbortSignal): Promise<void> {
    const { layers, locks } = this.#places
    const directory = join(layers, place.name)
    const unpack = async () => {
      // Another process was faster.
      if (touchLayer(directory)) return
      const unfinished = `${directory}${UNFINISHED}`
      await removeUnfinished(unfinished)
      try {
        const { bytes } = await this.#unpack(store, layer, { ...place, unfinished }, signal)
        const { diffId, descriptor } = layer
        writeAbout(unfinished, { version: 1, diffId, layer: descriptor.digest, bytes })
        await rename(unfinished, directory)
        this.unpacked++
      } catch (error) {
        await removeUnfinished(unfinished)
        throw error
      }
    }
    await withLock(join(locks, place.name), unpack, { signal })
  }

  async #unpack(
    store: Store,
    layer: ImageLayer,
    { lower, unfinished }: LayerPlace & { readonly unfinished: string },
    signal: AbortSignal,
  ): Promise<UnpackReport> {
    const [files, work, target] = [join(unfinished, FILES), join(unfinished, 'work'), join(unfinished, 'rootfs')]
    for (const directory of [unfinished, files, work, target]) await mkdir(directory)
    // The umask of this process has no say.
    await chmod(files, 0o755)
    const { layers } = this.#places
    // With one id owners cannot be applied; the bits stay, because the files are those of the image's root.
    const owners = namespaceIds() === 'one' ? { rootless: true, keepSetId: true } : {}
    let report: UnpackReport
    if (lower.length === 0) report = await unpackLayers(store, [layer], files, { ...owners, signal })
    else {
      copyRoot(join(layers, lower[0] as string), files)
      await mountOverlay({ directory: layers, lower, upper: files, work, target, fuse: this.#fuse })
      try {
        report = await unpackLayers(store, [layer], target, { ...owners, signal, overwrite: true })
      } finally {
        await unmount(target)
      }
    }
    for (const path of [work, target]) await removeDirectory(path)
    return report
  }
}

/** Place of a layer in its stack. */
interface LayerPlace {
  readonly name: string
  /** Directories of the layers below, topmost first. */
  readonly lower: readonly string[]
}

/** Removes what is left of an unpacking that failed, or whose process was killed. */
export async function removeUnfinished(directory: string, remove = removeDirectory): Promise<void> {
  if (!existsSync(directory)) return
  // Not mounted any more, or never: the removal reports what matters.
  await unmount(join(directory, 'rootfs')).catch(() => {})
  await remove(directory)
}
