import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { chainIds, type ImageLayer } from '../../../image/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { SingleFlight } from '../../../internal/concurrency/single-flight.ts'
import { isErrno } from '../../../internal/errno.ts'
import { unpackLayers } from '../../../rootfs/index.ts'
import type { Store } from '../../../store/index.ts'
import { namespaceIds } from '../namespace-ids.ts'
import { copyRoot } from './copy-root.ts'
import { mountOverlay, unmount } from './overlay-mount.ts'

/** Characters of a chain id in the name of a directory: short, because all names of a stack go into one mount. */
const NAME_LENGTH = 24
/** The directory in that of a layer that overlayfs uses. */
const FILES = 'fs'

/**
 * Layers that are unpacked, each in a directory of its own, which all stacks with the same layers up to it share.
 *
 * A layer is unpacked onto a mount of the layers below it, so that the kernel writes its directory as overlayfs reads
 * it: whiteouts, directories that hide others, links through lower layers. It appears under its name only when it is
 * complete and its diffID has been proven.
 */
export class LayerSnapshots {
  readonly #directory: string
  readonly #unpacking = new SingleFlight<void>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Unpacks what is missing. Resolves to directories relative to that of the snapshots, topmost layer first. */
  async open(store: Store, layers: readonly ImageLayer[], { signal }: AbortOptions): Promise<string[]> {
    const chain = await chainIds(layers.map(({ diffId }) => diffId))
    const lower: string[] = []
    for (const [index, id] of chain.entries()) {
      const name = id.slice(id.indexOf(':') + 1).slice(0, NAME_LENGTH)
      const layer = layers[index] as ImageLayer
      const unpack = (flightSignal: AbortSignal) =>
        this.#unpack(store, layer, { name, lower: [...lower] }, flightSignal)
      if (!(await isDirectory(join(this.#directory, name)))) await this.#unpacking.run(name, unpack, signal)
      lower.unshift(`${name}/${FILES}`)
    }
    return lower
  }

  async #unpack(
    store: Store,
    layer: ImageLayer,
    { name, lower }: { readonly name: string; readonly lower: readonly string[] },
    signal: AbortSignal,
  ): Promise<void> {
    const place = join(this.#directory, `${name}.${randomBytes(4).toString('hex')}.tmp`)
    const files = join(place, FILES)
    const [work, target] = [join(place, 'work'), join(place, 'rootfs')]
    // With one id owners cannot be applied; the bits stay, because the files are those of the image's root.
    const owners = namespaceIds() === 'one' ? { rootless: true, keepSetId: true } : {}
    try {
      for (const directory of [place, files, work, target]) await mkdir(directory, { mode: 0o755 })
      if (lower.length === 0) await unpackLayers(store, [layer], files, { ...owners, signal })
      else {
        await copyRoot(join(this.#directory, lower[0] as string), files)
        await mountOverlay({ directory: this.#directory, lower, upper: files, work, target })
        try {
          await unpackLayers(store, [layer], target, { ...owners, signal, overwrite: true })
        } finally {
          await unmount(target)
        }
      }
      await rm(work, { recursive: true, force: true })
      await rename(place, join(this.#directory, name))
    } catch (error) {
      await rm(place, { recursive: true, force: true })
      // Another process was faster; its directory holds the same.
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error
    }
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}
