/** Final metadata of a directory. */
export interface DirectoryMetadata {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: number
  readonly xattrs?: ReadonlyMap<string, Uint8Array> | undefined
}

/**
 * A directory of the tree that is being written, at its real path without links. It records the names that the current
 * layer has written in it, because a whiteout hides lower layers only, at any position in its layer.
 */
export class DirectoryNode {
  readonly name: string
  readonly parent: DirectoryNode | undefined
  readonly depth: number
  /** Known subdirectories. */
  readonly children = new Map<string, DirectoryNode>()
  /** File descriptor while it is open, else -1. */
  fd = -1
  /** Inode, once the directory has been opened. */
  inode: number | undefined
  /** True if this run created it. */
  made = false
  /** Mode that this run created it with. */
  born = -1
  /** Metadata of its entry; `undefined` for an implicit directory. */
  metadata: DirectoryMetadata | undefined
  /** The layer whose entry set the metadata. */
  metadataLayer = -1
  /** The last layer that has an entry for it or below it. */
  layer = -1
  /** Names with an overlayfs whiteout device. Every other part of the writer treats them as absent. */
  readonly hidden = new Set<string>()
  /** True if overlayfs must show nothing of the lower directories: the directory gets the opaque xattr. */
  opaque = false
  /** The last layer that resolved a link, or linked to a file, of a lower layer in it or below it. */
  usedBelow = -1
  /** The last layer whose whiteouts removed everything of lower layers in it. */
  purgedBy = -1
  #namesLayer = -1
  #names = new Set<string>()
  #hasForgotten = false
  #used = new Set<string>()
  #gaveWay = new Set<string>()
  #folded: Map<string, string> | undefined

  constructor(name: string, parent: DirectoryNode | undefined) {
    this.name = name
    this.parent = parent
    this.depth = parent ? parent.depth + 1 : 0
  }

  /** Path from the root, for messages. */
  get path(): string {
    const parts: string[] = []
    for (let node: DirectoryNode = this; node.parent; node = node.parent) parts.push(node.name)
    return parts.reverse().join('/') || '.'
  }

  /** Records that a layer wrote a name here that is no directory. */
  put(name: string, layer: number): void {
    this.touch(layer)
    this.#turnTo(layer)
    this.#names.add(name)
  }

  /** Records that an entry of a layer replaced a directory here. */
  giveWay(name: string, layer: number): void {
    this.#turnTo(layer)
    this.#gaveWay.add(name)
  }

  /** True if an entry of the layer replaced a directory under this name. */
  hasGivenWay(name: string, layer: number): boolean {
    return this.#namesLayer === layer && this.#gaveWay.has(name)
  }

  /** True if the layer wrote this name, and not as a directory. */
  has(name: string, layer: number): boolean {
    return this.#namesLayer === layer && this.#names.has(name)
  }

  /**
   * True if the name can only be that of a known subdirectory: this run created the directory and remembers every name
   * in it.
   */
  lacks(name: string): boolean {
    return this.made && !this.#hasForgotten && !this.#names.has(name)
  }

  /** Removes a name from the records. */
  forget(name: string): void {
    this.#names.delete(name)
    this.hidden.delete(name)
    if (this.#folded?.get(folded(name)) === name) this.#folded.delete(folded(name))
  }

  /** Records that a layer has an entry for the directory or below it. */
  touch(layer: number): void {
    for (let node: DirectoryNode | undefined = this; node && node.layer !== layer; node = node.parent)
      node.layer = layer
  }

  /** Records that an entry of a layer depends on a name that a lower layer wrote here. */
  use(name: string, layer: number): void {
    if (this.has(name, layer)) return
    this.#turnTo(layer)
    this.#used.add(name)
    for (let node: DirectoryNode | undefined = this; node && node.usedBelow !== layer; node = node.parent) {
      node.usedBelow = layer
    }
  }

  /** True if an entry of the layer depends on this name of a lower layer. */
  uses(name: string, layer: number): boolean {
    return this.#namesLayer === layer && this.#used.has(name)
  }

  /** Returns another name here that a case-insensitive target would treat as equal, if any. */
  collision(name: string): string | undefined {
    this.#folded ??= new Map()
    const other = this.#folded.get(folded(name))
    if (other === undefined) this.#folded.set(folded(name), name)
    return other === name ? undefined : other
  }

  #turnTo(layer: number): void {
    if (this.#namesLayer === layer) return
    if (this.#names.size > 0) this.#hasForgotten = true
    this.#namesLayer = layer
    this.#names = new Set()
    this.#used = new Set()
    this.#gaveWay = new Set()
  }
}

/** Normal form of a name on a case-insensitive target; upper case comes first, for letters such as ß. */
function folded(name: string): string {
  return name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC')
}
