import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { entryNames } from '../../keeping/entry-names.ts'
import { ownDirectory } from '../../keeping/own-directory.ts'

/**
 * Directories of snapshots, for one boot of the machine:
 *
 * ```text
 * <directory>/<boot id>/layers/<name>/fs          an unpacked layer, as overlayfs reads it
 *                                     about.json  what it is; its modification time is the time of the last use
 *                       locks/<name>              taken while the layer is unpacked
 *                       locks/collect             taken while a collection decides
 *                       stacks/stack-…/           an open stack: its owner, and the layers that it holds
 * ```
 */
export class SnapshotPlaces {
  readonly directory: string
  readonly boot: string

  private constructor(directory: string, boot: string) {
    this.directory = directory
    this.boot = boot
  }

  /** Finds the places of this boot. Changes nothing. */
  static async find(directory: string): Promise<SnapshotPlaces> {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
    return new SnapshotPlaces(directory, boot)
  }

  /** Creates the directories, and removes those of earlier boots: nothing was synced, so they are not trusted. */
  static async open(directory: string): Promise<SnapshotPlaces> {
    const places = await SnapshotPlaces.find(directory)
    await ownDirectory(directory)
    await ownDirectory(join(directory, places.boot))
    for (const path of [places.layers, places.stacks, places.locks]) await ownDirectory(path)
    for (const path of await places.earlierBoots()) await rm(path, { recursive: true, force: true })
    return places
  }

  get layers(): string {
    return join(this.directory, this.boot, 'layers')
  }

  get stacks(): string {
    return join(this.directory, this.boot, 'stacks')
  }

  get locks(): string {
    return join(this.directory, this.boot, 'locks')
  }

  get collectLock(): string {
    return join(this.locks, 'collect')
  }

  /** Directories of earlier boots. */
  async earlierBoots(): Promise<string[]> {
    const names = await entryNames(this.directory)
    return names
      .filter(name => /^[0-9a-f-]{36}$/.test(name) && name !== this.boot)
      .map(name => join(this.directory, name))
  }
}
