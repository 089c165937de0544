import { lstat } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { SandboxError } from '../../../errors/index.ts'
import type { ProcessMount } from '../executor.ts'
import { coveringMount } from './covering-mount.ts'
import { MountStubs } from './mount-stubs.ts'

/** Directories that every process sees mounts at. */
const SYSTEM_POINTS = ['/proc', '/sys', '/dev']

/**
 * The mount points of one process: in its root filesystem, and in the sources of other mounts.
 *
 * SAFETY: a mount may lie below another one, whose files are those of a context or a cache: a link among them may lead
 * to this machine. Such a path is resolved inside the source of the other mount.
 */
export class ProcessMountPoints {
  readonly #root: string
  readonly #made: MountStubs[] = []
  readonly #mounts: ProcessMount[] = []

  constructor(root: string) {
    this.#root = root
  }

  /** Mounts that were placed, in order, at paths that are no links. */
  get mounts(): readonly ProcessMount[] {
    return this.#mounts
  }

  /**
   * Creates the mount points of what every process sees.
   *
   * SAFETY: the executors mount and create files at these paths. runc follows a link of the image there, out of the
   * root filesystem.
   *
   * @throws {@link SandboxError} `ERR_SANDBOX_MOUNT` if one is a link.
   */
  async makeSystemPoints(): Promise<void> {
    const stubs = this.#stubsOf(this.#root, true)
    for (const point of SYSTEM_POINTS) {
      const at = await stubs.makeDirectory(point)
      if (at !== point) throw new SandboxError('ERR_SANDBOX_MOUNT', `${point} of the image is a link to ${at}`)
    }
  }

  /** Creates the mount point of one more mount, if it is missing. */
  async place(mount: ProcessMount): Promise<void> {
    const inMount = await this.#inMount(mount)
    if (inMount) {
      this.#mounts.push(inMount)
      return
    }
    const target = await this.#stubsOf(this.#root, true).make(mount)
    const placed = await this.#withMode({ ...mount, target })
    this.#mounts.push((await this.#inMount(placed)) ?? placed)
  }

  /** The mount at its place in an earlier mount of files; `undefined` if it lies in no such mount. */
  async #inMount(mount: ProcessMount): Promise<ProcessMount | undefined> {
    const target = posix.normalize(mount.target)
    const cover = coveringMount(target, this.#mounts)
    if (cover?.type !== 'bind') return undefined
    const rest = target.slice(cover.target.length)
    const inner = await this.#stubsOf(cover.source, !cover.readOnly).make({ ...mount, target: rest })
    return { ...mount, target: cover.target + inner }
  }

  /** A new filesystem has the mode of the directory that it hides. */
  async #withMode(mount: ProcessMount): Promise<ProcessMount> {
    if (mount.type !== 'tmpfs' || mount.mode !== undefined) return mount
    return { ...mount, mode: (await lstat(join(this.#root, mount.target))).mode & 0o7777 }
  }

  #stubsOf(root: string, creates: boolean): MountStubs {
    const stubs = new MountStubs(root, { creates })
    this.#made.push(stubs)
    return stubs
  }

  /** Removes what was created, if it is still empty. */
  async remove(): Promise<void> {
    for (const stubs of this.#made.splice(0).reverse()) await stubs.remove()
  }
}
