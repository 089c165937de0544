/** What a directory shall be like in the end. */
export interface DirectoryMetadata {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: number
  readonly xattrs?: ReadonlyMap<string, Uint8Array> | undefined
}

/**
 * A real directory of the tree that is being written, at its real place: links are never part of the way to it. Also
 * remembers what the layer at hand has put there, so that a whiteout hides lower layers only, wherever it stands.
 */
export class DirectoryNode {
  readonly name: string
  readonly parent: DirectoryNode | undefined
  readonly depth: number
  /** Directories known to be in it. */
  readonly children = new Map<string, DirectoryNode>()
  /** Handle, while it is open. */
  fd = -1
  /** Inode, once it was open. */
  inode: number | undefined
  /** Whether this run made it. */
  made = false
  /** The mode that this run made it with. */
  born = -1
  /** What the entry for it said; none as long as it is there only because something in it is. */
  metadata: DirectoryMetadata | undefined
  /** The layer whose entry set the metadata. */
  metadataLayer = -1
  /** The last layer that has an entry at it or below it. */
  layer = -1
  /** Names under which overlayfs is told that nothing below shows through; to everybody else nothing is there. */
  readonly hidden = new Set<string>()
  /** Whether overlayfs is to be told that nothing below shows through in the whole directory. */
  opaque = false
  /** The last layer that went through a link, or linked to a file, at or below it that it had not put there itself. */
  usedBelow = -1
  /** The last layer that has hidden everything of lower layers in it. */
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

  /** Path from the root, for people. */
  get path(): string {
    const parts: string[] = []
    for (let node: DirectoryNode = this; node.parent; node = node.parent) parts.push(node.name)
    return parts.reverse().join('/') || '.'
  }

  /** Notes that a layer has something here that is no directory. */
  put(name: string, layer: number): void {
    this.touch(layer)
    this.#turnTo(layer)
    this.#names.add(name)
  }

  /** Notes that a directory here has given way to something of a layer. */
  giveWay(name: string, layer: number): void {
    this.#turnTo(layer)
    this.#gaveWay.add(name)
  }

  /** Whether a directory here has given way to something of a layer. */
  hasGivenWay(name: string, layer: number): boolean {
    return this.#namesLayer === layer && this.#gaveWay.has(name)
  }

  /** Whether a layer has put something here that is no directory. */
  has(name: string, layer: number): boolean {
    return this.#namesLayer === layer && this.#names.has(name)
  }

  /** Whether nothing can be under a name but a known directory: this run made this one and remembers all it has put here. */
  lacks(name: string): boolean {
    return this.made && !this.#hasForgotten && !this.#names.has(name)
  }

  /** Forgets what was under a name. */
  forget(name: string): void {
    this.#names.delete(name)
    this.hidden.delete(name)
    if (this.#folded?.get(folded(name)) === name) this.#folded.delete(folded(name))
  }

  /** Notes that a layer has an entry at it or below it. */
  touch(layer: number): void {
    for (let node: DirectoryNode | undefined = this; node && node.layer !== layer; node = node.parent)
      node.layer = layer
  }

  /** Notes that a layer relies on a name that a lower layer has put here. */
  use(name: string, layer: number): void {
    if (this.has(name, layer)) return
    this.#turnTo(layer)
    this.#used.add(name)
    for (let node: DirectoryNode | undefined = this; node && node.usedBelow !== layer; node = node.parent) {
      node.usedBelow = layer
    }
  }

  /** Whether a layer relies on a name of a lower layer. */
  uses(name: string, layer: number): boolean {
    return this.#namesLayer === layer && this.#used.has(name)
  }

  /** The other name here that a target which folds names would take for this one, if any. */
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

/** The form in which names are equal to a target that folds them; upper case first, for letters like sharp s. */
function folded(name: string): string {
  return name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC')
}
