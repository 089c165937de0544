import { LimitError, RootfsError, type RootfsErrorCode } from '../../errors/index.ts'
import { type IndexedEntry, isPseudoLink, type LayerIndex, parseWhiteout, type Whiteout } from '../../layer/index.ts'
import { LayerBudget } from '../layer-budget.ts'
import { type ResolveOptions, resolvePath } from './resolve-path.ts'
import { copyDirectory, implicitDirectory, isDirectory, setChild, type TreeNode } from './tree-node.ts'

/**
 * The merged tree of layers, lowest first.
 *
 * A stack may begin with the tree of another one, which does not change any more. Directories that further layers
 * change are copied first, with all above them; everything else is shared (a persistent tree).
 */
export class LayerStack {
  #root: TreeNode
  /** Directories that this stack may change; `undefined` if it may change all. */
  readonly #owned: Set<TreeNode> | undefined
  /** Entries that have had more than one name. */
  readonly shared: Set<IndexedEntry>
  readonly #maxEntries: number
  #layers: number
  #layer = ''
  /** Number of entries so far, including directories without an entry. */
  #seen: number
  #budget = new LayerBudget()
  /** Options for resolving paths in the current layer. PERF: created once, not for each directory. */
  #resolving: ResolveOptions = { follow: true }
  #entering: ResolveOptions = { follow: true }
  /** Nodes of hard links in the current layer. They belong to the layer of their file. */
  readonly #hardLinks = new Set<TreeNode>()
  /** Hidden files that hard links of the current layer may refer to (pseudo-links of AUFS). */
  readonly #pseudoLinks = new Map<string, IndexedEntry>()
  /**
   * PERF: entries of one directory are adjacent. The cache is cleared when a component of its path may have changed.
   */
  #last: { path: string; node: TreeNode } | undefined

  constructor(maxEntries: number, below?: LayerStack) {
    this.#maxEntries = maxEntries
    this.#root = below ? copyDirectory(below.#root) : implicitDirectory()
    this.#owned = below && new Set([this.#root])
    this.shared = new Set(below?.shared)
    this.#layers = below ? below.#layers : 0
    this.#seen = below ? below.#seen : 0
  }

  /** The root directory. */
  get root(): TreeNode {
    return this.#root
  }

  /**
   * Adds a layer on top, in steps, so that the order of whiteouts and entries does not matter: opaque whiteouts,
   * whiteouts, then entries in their order.
   *
   * SPEC: a whiteout hides paths of lower layers, never of its own layer (layer.md#whiteouts).
   *
   * @throws {@link RootfsError}, {@link LimitError}. The tree must not be used afterwards.
   */
  add(index: LayerIndex): void {
    this.#layer = index.diffId
    this.#resolving = { follow: true, layer: index.diffId, mayFollow: target => this.#budget.mayFollow(target) }
    // A directory of this layer replaces an entry of a lower layer with the same path; another entry of this layer
    // contradicts it.
    const replaces = (file: TreeNode) => !this.#isOwn(file)
    this.#entering = { ...this.#resolving, ...this.#changing, make: this.#makeDirectory, strict: true, replaces }
    this.#hardLinks.clear()
    this.#pseudoLinks.clear()
    this.#count(index.entries.length)
    this.#budget = new LayerBudget()
    this.#budget.addEntries(index.entries.length)
    const entries: IndexedEntry[] = []
    const marks: Exclude<Whiteout, { kind: 'ignored' }>[] = []
    for (const entry of index.entries) {
      const mark = parseWhiteout(entry.path, index.diffId)
      if (!mark || isPseudoLink(entry.path)) entries.push(entry)
      else if (mark.kind !== 'ignored') marks.push(mark)
    }
    if (marks.length > 0) this.#hide(marks, entries)
    for (const entry of entries) {
      if (entry.path === '.') this.#placeRoot(entry)
      else if (isPseudoLink(entry.path)) this.#keepPseudoLink(entry)
      else this.#place(entry)
    }
    this.#makeMarked(marks)
    this.#layers++
  }

  #hide(marks: readonly Exclude<Whiteout, { kind: 'ignored' }>[], entries: readonly IndexedEntry[]): void {
    // A path that this layer makes a directory is no link of a lower layer any more, also for whiteouts inside it.
    const own = new Set(entries.filter(entry => entry.type === 'directory').map(entry => entry.path))
    // The same holds for a path that this layer hides.
    for (const mark of marks) if (mark.kind === 'hide') own.add(pathOf(mark))
    const isEnd = (_: TreeNode, written: string | undefined) => written !== undefined && own.has(written)
    const options = { ...this.#resolving, ...this.#changing, isEnd }
    for (const mark of [...marks].sort((a, b) => Number(b.kind === 'opaque') - Number(a.kind === 'opaque'))) {
      const found = this.#resolve(mark.directory, options)
      if (!found || !isDirectory(found)) continue
      if (mark.kind === 'opaque') found.children = undefined
      else found.children?.delete(mark.name)
    }
    this.#last = undefined
  }

  /** Creates the directories of opaque whiteouts, unless the layer has another kind of entry in their place. */
  #makeMarked(marks: readonly Exclude<Whiteout, { kind: 'ignored' }>[]): void {
    const isEnd = (node: TreeNode) => this.#isOwn(node)
    const options = { ...this.#resolving, ...this.#changing, make: this.#makeDirectory, replaces: () => true, isEnd }
    for (const mark of marks) if (mark.kind === 'opaque') this.#resolve(mark.directory, options)
    this.#last = undefined
  }

  /** True if the entry of the node is in the current layer. */
  #isOwn(node: TreeNode): boolean {
    return node.layer === this.#layers || this.#hardLinks.has(node)
  }

  #keepPseudoLink(entry: IndexedEntry): void {
    if (entry.type === 'file') this.#pseudoLinks.set(entry.path, entry)
  }

  #place(entry: IndexedEntry): void {
    const { path, type } = entry
    const slash = path.lastIndexOf('/')
    const name = path.slice(slash + 1)
    // SAFETY: tar readers reject these names, but an index may come from another source, and such a name could leave
    // the root.
    if (name === '' || name === '.' || name === '..' || path.includes('\0')) throw this.#unsafe(path)
    const parent = slash < 0 ? this.root : this.#parent(path.slice(0, slash))
    const before = parent.children?.get(name)
    if (type === 'directory' && before && isDirectory(before)) {
      const own = this.#own(parent, name, before)
      own.entry = entry
      own.layer = this.#layers
      return
    }
    const node = type === 'hardlink' ? this.#link(entry, before) : { entry, layer: this.#layers, children: undefined }
    this.#owned?.add(node)
    // SAFETY: the cached directory may have been reached through the entry that is replaced here; it would be stale.
    if (before) this.#last = undefined
    setChild(parent, name, node)
  }

  #placeRoot(entry: IndexedEntry): void {
    if (entry.type !== 'directory') throw this.#fault('ERR_UNSAFE_PATH', 'the root must be a directory', entry.path)
    this.#root.entry = entry
    this.#root.layer = this.#layers
  }

  #parent(path: string): TreeNode {
    if (this.#last?.path === path) return this.#last.node
    const node = this.#resolve(path, this.#entering)
    if (!node || !isDirectory(node)) {
      throw this.#fault('ERR_NOT_A_DIRECTORY', 'an entry inside something that its own layer makes no directory', path)
    }
    this.#last = { path, node }
    return node
  }

  /**
   * Makes the node of a hard link. Its target is resolved now, in the lower layers and the earlier entries of this
   * layer.
   */
  #link(entry: IndexedEntry, before: TreeNode | undefined): TreeNode {
    const { path, linkname = '' } = entry
    const pseudo = this.#pseudoLinks.get(linkname)
    if (pseudo) return this.#shared(pseudo, this.#layers)
    const found = resolvePath(this.#root, linkname, { ...this.#resolving, follow: false })
    const target = found?.node
    const fault = (why: string) => this.#fault('ERR_INVALID_LINK', `hard link to ${why}`, path)
    if (!target) throw fault('something that is not there')
    if (isDirectory(target)) throw fault('a directory')
    // SAFETY: an unpacker removes the path before it creates the link; for a link to itself the content would be lost.
    if (target === before) throw fault('itself')
    if (before && found.parents.includes(before)) throw fault('something inside what it replaces')
    return this.#shared(target.entry!, target.layer)
  }

  #shared(entry: IndexedEntry, layer: number): TreeNode {
    this.shared.add(entry)
    const node = { entry, layer, children: undefined }
    this.#hardLinks.add(node)
    return node
  }

  /** Resolves the path of a directory of an entry or a whiteout. */
  #resolve(path: string, options: ResolveOptions): TreeNode | undefined {
    // SAFETY: `..` in a path could lead out of the root, so it is rejected. In the target of a link it stops at the
    // root.
    if (path.split('/').includes('..')) throw this.#unsafe(path)
    return resolvePath(this.#root, path, options)?.node
  }

  readonly #makeDirectory = (): TreeNode => {
    this.#budget.makeDirectory()
    this.#count(1)
    const directory = implicitDirectory()
    this.#owned?.add(directory)
    return directory
  }

  /** The directory itself, or a copy in its place if another stack has it too. */
  readonly #own = (parent: TreeNode, name: string, directory: TreeNode): TreeNode => {
    if (!this.#owned || this.#owned.has(directory)) return directory
    const copy = copyDirectory(directory)
    this.#owned.add(copy)
    setChild(parent, name, copy)
    return copy
  }

  /** Options for paths whose directory is changed. */
  get #changing(): Pick<ResolveOptions, 'own'> {
    return this.#owned ? { own: this.#own } : {}
  }

  #count(entries: number): void {
    this.#seen += entries
    if (this.#seen <= this.#maxEntries) return
    throw new LimitError('entries of an image', { limit: this.#maxEntries, actual: this.#seen })
  }

  #unsafe(path: string): RootfsError {
    return this.#fault('ERR_UNSAFE_PATH', 'not a path inside a root', path)
  }

  #fault(code: RootfsErrorCode, why: string, path: string): RootfsError {
    return new RootfsError(code, why, { path, layer: this.#layer })
  }
}

function pathOf({ directory, name }: Extract<Whiteout, { kind: 'hide' }>): string {
  return directory === '.' ? name : `${directory}/${name}`
}
