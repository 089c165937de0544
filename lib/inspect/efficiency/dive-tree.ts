import type { IndexedEntry } from '../../layer/index.ts'

/** A node of a tree as dive builds it. */
export interface DiveNode {
  /** Entry of the path; `undefined` for a directory that exists because of its children. */
  entry: IndexedEntry | undefined
  /** PERF: created with the first child; most nodes are files and have none. */
  children: Map<string, DiveNode> | undefined
}

const WHITEOUT = '.wh.'
const DOUBLE_WHITEOUT = '.wh..wh..'

/** True for the name of a whiteout, as dive recognises it. */
export function isDiveWhiteout(name: string): boolean {
  return name.startsWith(WHITEOUT)
}

/** Returns the path that dive gives a node: without the mark of a whiteout. */
export function divePath(directory: string, name: string): string {
  return `${directory}/${isDiveWhiteout(name) ? name.slice(WHITEOUT.length) : name}`
}

/**
 * A tree of paths with dive's rules: entries with the prefix `.wh..wh..` are dropped, an entry replaces the attributes
 * of its path and keeps the children, and a directory without an entry has no attributes.
 */
export class DiveTree {
  readonly root: DiveNode = newNode()

  add(path: string, entry: IndexedEntry | undefined): void {
    let node = this.root
    for (const name of path.split('/')) {
      let child = node.children?.get(name)
      if (!child) {
        if (name.startsWith(DOUBLE_WHITEOUT)) return
        child = newNode()
        node.children ??= new Map()
        node.children.set(name, child)
      }
      node = child
    }
    node.entry = entry
  }

  get(path: string): DiveNode | undefined {
    let node: DiveNode | undefined = this.root
    for (const name of path.split('/')) node = node?.children?.get(name)
    return node
  }

  remove(path: string): void {
    const slash = path.lastIndexOf('/')
    const parent = slash < 0 ? this.root : this.get(path.slice(0, slash))
    if (!parent?.children?.delete(path.slice(slash + 1))) return
    if (parent.children.size === 0) parent.children = undefined
  }

  /** Puts the tree of a layer on top: whiteouts remove their path, everything else replaces attributes. */
  stack(upper: DiveTree): void {
    for (const { path, name, node } of postOrder(upper.root)) {
      if (isDiveWhiteout(name)) this.remove(path.slice(1))
      else this.add(path.slice(1), node.entry)
    }
  }
}

/** Makes the tree of one layer. */
export function diveTreeOf(entries: readonly IndexedEntry[]): DiveTree {
  const tree = new DiveTree()
  for (const entry of entries) if (entry.path !== '.') tree.add(entry.path, entry)
  return tree
}

/** A node with its path. */
export interface VisitedNode {
  /** Path with a leading `/`. */
  readonly path: string
  readonly name: string
  readonly node: DiveNode
}

/** Visits all nodes below a node, children before their parents, names in order. Paths have at most 4096 bytes. */
export function postOrder(top: DiveNode): readonly VisitedNode[] {
  const visited: VisitedNode[] = []
  const visit = (directory: string, from: DiveNode) => {
    for (const name of [...(from.children?.keys() ?? [])].sort()) {
      const node = from.children!.get(name)!
      if (node.children) visit(`${directory}/${name}`, node)
      visited.push({ path: divePath(directory, name), name, node })
    }
  }
  visit('', top)
  return visited
}

function newNode(): DiveNode {
  return { entry: undefined, children: undefined }
}
