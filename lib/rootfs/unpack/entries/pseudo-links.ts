import { randomBytes } from 'node:crypto'
import { linkSync } from 'node:fs'
import type { DirectoryNode } from '../tree/directory-node.ts'
import type { TreeState } from './tree-state.ts'

/** A file that is there for hard links only. */
interface PseudoLink {
  /** Its name in the root, for as long as its layer is written. */
  readonly name: string
  /** Whether it has a name of the image. */
  isLinked: boolean
}

/**
 * The pseudo-links of a layer that Docker made on AUFS: files that are not to be seen, whose names in the image are hard
 * links to them. They stand in the root under names that cannot be guessed until the layer ends.
 */
export class PseudoLinks {
  readonly #state: TreeState
  readonly #links = new Map<string, PseudoLink>()
  readonly #prefix = `.layerstore-${randomBytes(8).toString('hex')}-`
  #count = 0

  constructor(state: TreeState) {
    this.#state = state
  }

  /** Takes note of one; gives the name in the root to write it under. */
  add(path: string): string {
    const name = `${this.#prefix}${this.#count++}`
    this.#remove(this.#links.get(path))
    this.#links.set(path, { name, isLinked: false })
    // A whiteout of the whole root must not take it for something of lower layers.
    this.#state.tree.root.put(name, this.#state.layer)
    return name
  }

  /** Makes a name for the file behind a path of the archive; tells whether there is one. */
  link(path: string, directory: DirectoryNode, name: string): boolean {
    const found = this.#links.get(path)
    if (!found) return false
    const { tree, counts } = this.#state
    this.#state.create(directory, name, to =>
      tree.holding(directory, () => linkSync(tree.at(tree.root, found.name), to)),
    )
    if (found.isLinked) counts.links++
    else counts.files++
    found.isLinked = true
    return true
  }

  /** Removes all of them; their other names stay. */
  removeAll(): void {
    for (const link of this.#links.values()) this.#remove(link)
    this.#links.clear()
  }

  #remove(link: PseudoLink | undefined): void {
    if (!link) return
    const { tree, written } = this.#state
    this.#state.clear(tree.root, link.name)
    const at = written.lastIndexOf(link.name)
    if (at >= 0) written.splice(at, 1)
  }
}
