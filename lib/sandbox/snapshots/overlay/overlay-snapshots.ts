import { chmodSync, mkdirSync } from 'node:fs'
import { rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { ImageLayer } from '../../../image/index.ts'
import { isErrno } from '../../../internal/errno.ts'
import { openUnionView, type UnionView } from '../../../rootfs/index.ts'
import type { Store } from '../../../store/index.ts'
import type { OpenStackOptions, SnapshotDriver, Stack } from '../stack.ts'
import { makeStackDirectory, ownStack, sweepStacks } from '../stack-owner.ts'
import { copyRoot } from './copy-root.ts'
import { fitSnapshots } from './fit-snapshots.ts'
import { holdLayers } from './held-layers.ts'
import { type FoundChanges, type KeptUpper, keepUpper } from './keep-upper.ts'
import { FILES, LayerSnapshots } from './layer-snapshots.ts'
import { KernelCalls } from './mounting/kernel-calls.ts'
import { mountOverlay, unmount } from './mounting/overlay-mount.ts'
import { SnapshotPlaces } from './snapshot-places.ts'
import { upperChanges } from './upper-changes.ts'

/** Limit for unpacked layers, in bytes, unless the caller sets one. */
const MOST_BYTES = 20_000_000_000
/** Beginning of the names of stacks. */
const PREFIX = 'stack-'
/** The mount, in the directory of a stack. */
const ROOT = 'rootfs'
/** Directory of the changes, in the directory of a stack. */
export const UPPER = 'upper'

/** Options of {@link overlaySnapshots}. */
export interface OverlaySnapshotsOptions {
  /**
   * Directory for unpacked layers and mounts; any number of processes may share it. It must be on a filesystem that can
   * be the upper layer of an overlay, such as ext4, xfs or tmpfs.
   */
  readonly directory: string
  /**
   * Size limit of all unpacked layers, in bytes. After a layer was unpacked, the least recently used ones that no stack
   * holds are removed until the rest fits. @defaultValue 20 GB
   */
  readonly maxBytes?: number | undefined
  /**
   * Mount with the program fuse-overlayfs, which works on more filesystems and is slower than the kernel.
   * @defaultValue `false`
   */
  readonly fuse?: boolean | undefined
}

/**
 * Snapshots with overlayfs: each layer is unpacked once, and a stack is a mount of its layers below a directory of its
 * own, which holds what was written. Needs root, of the machine or of a user namespace.
 *
 * Of several processes that need a layer one unpacks it, and the others wait. Unpacked layers stay until the limit is
 * reached, a collection removes them ({@link collectSnapshots}), or the machine starts anew: they are not fsynced, so
 * they are trusted for one boot. What a killed process left mounted is unmounted and removed by the next one.
 *
 * @throws {@link SandboxError} `ERR_SANDBOX_MOUNT` from `openStack`; the errors of `unpackLayers` and `openUnionView`.
 */
export function overlaySnapshots(options: OverlaySnapshotsOptions): SnapshotDriver {
  let opened: Promise<OverlayDirectory> | undefined
  return {
    async openStack(store, layers, openOptions = {}) {
      opened ??= OverlayDirectory.open({ ...options, directory: resolve(options.directory) })
      return (await opened).openStack(store, layers, openOptions)
    },
    removePlace: removeStack,
  }
}

/** Unmounts and removes the directory of a stack. */
async function removeStack(directory: string): Promise<void> {
  const root = join(directory, ROOT)
  // The removal below reports what matters.
  if (await isMounted(root).catch(() => true)) await unmount(root).catch(() => {})
  await rm(directory, { recursive: true, force: true })
}

/** Unmounts a stack and removes all but what was written. */
async function closeStack(directory: string): Promise<void> {
  const { root, work, scratch } = partsOf(directory)
  if (await isMounted(root)) await unmount(root)
  // SAFETY: without recursion, as it would remove what a mount shows if its end has failed.
  await rmdir(root).catch(ignoreAbsent)
  // The kernel refuses the work directory of a volatile mount that a killed process has left.
  for (const path of [work, scratch]) await rm(path, { recursive: true, force: true })
}

/** Whether a directory is on another filesystem than the directory it is in. */
async function isMounted(path: string): Promise<boolean> {
  const [stats, parent] = await Promise.all([path, dirname(path)].map(each => stat(each).catch(ignoreAbsent)))
  return stats !== undefined && stats.dev !== parent?.dev
}

function ignoreAbsent(error: unknown): undefined {
  if (isErrno(error, 'ENOENT')) return undefined
  throw error
}

class OverlayDirectory {
  readonly #places: SnapshotPlaces
  readonly #snapshots: LayerSnapshots
  readonly #maxBytes: number
  readonly #fuse: boolean
  readonly #calls = new KernelCalls()

  private constructor(places: SnapshotPlaces, maxBytes: number, fuse: boolean) {
    this.#places = places
    this.#maxBytes = maxBytes
    this.#fuse = fuse
    this.#snapshots = new LayerSnapshots(places, fuse)
  }

  static async open({
    directory,
    maxBytes = MOST_BYTES,
    fuse = false,
  }: OverlaySnapshotsOptions): Promise<OverlayDirectory> {
    const places = await SnapshotPlaces.open(directory)
    await sweepStacks({ directory: places.stacks, prefix: PREFIX, remove: removeStack })
    return new OverlayDirectory(places, maxBytes, fuse)
  }

  async openStack(store: Store, layers: readonly ImageLayer[], options: OpenStackOptions): Promise<Stack> {
    const { signal, place, view } = options
    const below = view ?? (await openUnionView(store, layers, { signal }))
    if (place?.attach && (await isMounted(partsOf(place.directory).root))) {
      return this.#stackOf(place.directory, below, async () => {})
    }
    // One mount alone is not worth a helper.
    if (!place) this.#calls.prepare()
    const names = await LayerSnapshots.namesOf(layers)
    const own = await makeStackDirectory(this.#places.stacks, PREFIX)
    const directory = place && !place.attach ? place.directory : own
    let found: FoundChanges | undefined
    const close = async () => {
      if (directory !== own) await closeStack(directory)
      await removeStack(own)
    }
    try {
      await ownStack(own)
      holdLayers(own, names)
      const lower = await this.#open(store, layers, names, signal)
      if (place?.attach) return await this.#look(own, place.directory, { below, lower, close })
      if (place) await closeStack(directory)
      await this.#mount(directory, lower, place?.durable ?? false)
    } catch (error) {
      await close()
      throw error
    }
    const stack = this.#stackOf(directory, below, close, changes => {
      found = changes
    })
    const keepAs = async (layer: ImageLayer, latestTime?: number) => {
      if (found) await this.#keep(own, layers, { layer, latestTime, changes: found })
    }
    return place ? stack : { ...stack, keepAs }
  }

  /**
   * Mounts what another process writes to, read-only: only the process that made the mount of a user without privileges
   * sees it. What is written meanwhile may be missing.
   */
  async #look(
    own: string,
    place: string,
    { below, lower, close }: { below: UnionView; lower: readonly string[]; close: () => Promise<void> },
  ): Promise<Stack> {
    const { root, scratch, empty } = partsOf(own)
    const { upper } = partsOf(place)
    for (const path of [root, scratch, empty]) mkdirSync(path, { mode: 0o755 })
    // An overlay that is only read needs two directories.
    const directories = [upper, ...(lower.length === 0 ? [empty] : lower)]
    const fuse = this.#fuse
    await mountOverlay({ directory: this.#places.layers, lower: directories, target: root, fuse })
    return {
      path: root,
      scratch,
      changes: (options = {}) => upperChanges({ below, upper, root, fuse }, options),
      close,
      [Symbol.asyncDispose]: close,
    }
  }

  async #keep(
    stack: string,
    layers: readonly ImageLayer[],
    kept: Pick<KeptUpper, 'layer' | 'latestTime' | 'changes'>,
  ): Promise<void> {
    const { root, upper } = partsOf(stack)
    const names = await LayerSnapshots.namesOf([...layers, kept.layer])
    const parent = names.at(-2)
    const below = parent === undefined ? undefined : join(this.#places.layers, parent, FILES)
    await unmount(root, this.#calls)
    await keepUpper(this.#places, { ...kept, upper, below, name: names.at(-1) as string })
  }

  /** Unpacks what is missing, and removes what was not used for longest if all takes too much then. */
  async #open(
    store: Store,
    layers: readonly ImageLayer[],
    names: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<string[]> {
    const before = this.#snapshots.unpacked
    const lower = await this.#snapshots.open(store, layers, names, { signal })
    if (this.#snapshots.unpacked > before) await fitSnapshots(this.#places, this.#maxBytes, { signal })
    return lower
  }

  async #mount(place: string, lower: readonly string[], durable: boolean): Promise<void> {
    const { upper, root, work, scratch, empty } = partsOf(place)
    const isNew = mkdirSync(upper, { recursive: true }) !== undefined
    // The umask of this process has no say.
    if (isNew) chmodSync(upper, 0o755)
    for (const path of [work, root, scratch]) mkdirSync(path, { mode: 0o755 })
    // An image without layers has nothing below; a mount needs something there.
    if (lower.length === 0) mkdirSync(empty, { recursive: true, mode: 0o755 })
    const directories = lower.length === 0 ? [empty] : lower
    const { layers } = this.#places
    if (isNew && lower[0] !== undefined) copyRoot(join(layers, lower[0]), upper)
    const overlay = { directory: layers, lower: directories, upper, work, target: root, durable, fuse: this.#fuse }
    await mountOverlay(overlay, durable ? undefined : this.#calls)
  }

  #stackOf(
    place: string,
    below: UnionView,
    close: () => Promise<void>,
    onFound?: (changes: FoundChanges) => void,
  ): Stack {
    const { upper, root, scratch } = partsOf(place)
    const calls = this.#calls
    return {
      path: root,
      scratch,
      changes: (options = {}) => upperChanges({ below, upper, root, fuse: this.#fuse, calls, onFound }, options),
      close,
      [Symbol.asyncDispose]: close,
    }
  }
}

/** Directories in that of a stack. */
function partsOf(place: string) {
  const at = (name: string) => join(place, name)
  return { upper: at(UPPER), root: at(ROOT), work: at('work'), scratch: at('scratch'), empty: at('empty') }
}
