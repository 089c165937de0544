import { randomBytes } from 'node:crypto'
import { linkSync } from 'node:fs'
import type { DirectoryNode } from '../tree/directory-node.ts'
import type { TreeState } from './tree-state.ts'

/** A file that exists for hard links only. */
interface PseudoLink {
  /** Its name in the root while its layer is written. */
  readonly name: string
  /** True once a path of the image is linked to it. */
  isLinked: boolean
}

/**
 * The pseudo-links of a layer that Docker wrote on AUFS: invisible files whose names in the image are hard links to
 * them. Until the layer ends they are in the root, under names that cannot be guessed.
 */
export class PseudoLinks {
  readonly #state: TreeState
  readonly #links = new Map<string, PseudoLink>()
  readonly #prefix = `.layerstore-${randomBytes(8).toString('hex')}-`
  #count = 0

  constructor(state: TreeState) {
    this.#state = state
  }

  /** Adds a pseudo-link; returns the name in the root to write it under. */
  add(path: string): string {
    const name = `${this.#prefix}${this.#count++}`
    this.#remove(this.#links.get(path))
    this.#links.set(path, { name, isLinked: false })
    // Marks it as an entry of this layer: an opaque whiteout of the root must not remove it.
    this.#state.tree.root.put(name, this.#state.layer)
    return name
  }

  /** Links a name to the pseudo-link with this path; returns false if there is none. */
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

  /** Removes all pseudo-links; the hard links to them stay. */
  removeAll(): void {
    for (const link of this.#links.values()) this.#remove(link)
    this.#links.clear()
  }

  #remove(link: PseudoLink | undefined): void {
    if (!link) return
    const { tree, written } = this.#state
    try {
      this.#state.clear(tree.root, link.name)
    } catch (error) {
      written.push(link.name)
      throw error
    }
  }
}
