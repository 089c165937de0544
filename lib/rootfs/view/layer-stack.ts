import { LimitError, RootfsError, type RootfsErrorCode } from '../../errors/index.ts'
import { type IndexedEntry, type LayerIndex, parseWhiteout, type Whiteout } from '../../layer/index.ts'
import { type ResolveOptions, resolvePath } from './resolve-path.ts'
import { implicitDirectory, isDirectory, setChild, type TreeNode } from './tree-node.ts'

/** The tree that layers make, lowest first. */
export class LayerStack {
  readonly root: TreeNode = implicitDirectory()
  /** Files, and whatever else, that have had more than one name at some time. */
  readonly shared = new Set<IndexedEntry>()
  readonly #maxEntries: number
  #layers = 0
  #layer = ''
  #seen = 0
  /** PERF: entries of one directory follow one another. Forgotten as soon as anything on the way might be another. */
  #last: { path: string; node: TreeNode } | undefined

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries
  }

  /**
   * Puts a layer on top, in steps, so that the order in which whiteouts and entries stand in it makes no difference:
   * opaque marks, whiteouts, then entries in their order.
   *
   * SPEC: a whiteout hides what lower layers have, never what its own layer has (layer.md#whiteouts).
   *
   * @throws {@link RootfsError}, {@link LimitError}. The tree is of no use after that.
   */
  add(index: LayerIndex): void {
    this.#layer = index.diffId
    this.#seen += index.entries.length
    if (this.#seen > this.#maxEntries) {
      throw new LimitError('entries of an image', { limit: this.#maxEntries, actual: this.#seen })
    }
    const entries: IndexedEntry[] = []
    const marks: Exclude<Whiteout, { kind: 'ignored' }>[] = []
    for (const entry of index.entries) {
      const mark = parseWhiteout(entry.path, index.diffId)
      if (!mark) entries.push(entry)
      else if (mark.kind !== 'ignored') marks.push(mark)
    }
    if (marks.length > 0) this.#hide(marks, entries)
    for (const entry of entries) {
      if (entry.path === '.') this.#placeRoot(entry)
      else this.#place(entry)
    }
    this.#makeMarked(marks, entries)
    this.#layers++
  }

  #hide(marks: readonly Exclude<Whiteout, { kind: 'ignored' }>[], entries: readonly IndexedEntry[]): void {
    // What this layer makes a directory is no link of a lower layer any more, also for the marks inside.
    const own = new Set(entries.filter(entry => entry.type === 'directory').map(entry => entry.path))
    // Nor is what it hides.
    for (const mark of marks) if (mark.kind === 'hide') own.add(pathOf(mark))
    const options = { isReplaced: (path: string) => own.has(path) }
    for (const mark of [...marks].sort((a, b) => Number(b.kind === 'opaque') - Number(a.kind === 'opaque'))) {
      const found = this.#resolveDirectory(mark.directory, options)
      if (!found) continue
      if (mark.kind === 'opaque') found.children = undefined
      else found.children?.delete(mark.name)
    }
    this.#last = undefined
  }

  /** A directory that is marked is there, unless the layer has something else in its place. */
  #makeMarked(marks: readonly Exclude<Whiteout, { kind: 'ignored' }>[], entries: readonly IndexedEntry[]): void {
    const opaque = marks.filter(mark => mark.kind === 'opaque')
    if (opaque.length === 0) return
    const others = new Set(entries.filter(entry => entry.type !== 'directory').map(entry => entry.path))
    const options = { isReplaced: (path: string) => others.has(path), make: true }
    for (const { directory } of opaque) this.#resolveDirectory(directory, options)
    this.#last = undefined
  }

  #place(entry: IndexedEntry): void {
    const { path, type } = entry
    const slash = path.lastIndexOf('/')
    const name = path.slice(slash + 1)
    // SAFETY: tar readers refuse these; an index may come from somewhere else.
    if (name === '' || name === '.' || name === '..' || path.includes('\0')) throw this.#unsafe(path)
    const parent = slash < 0 ? this.root : this.#parent(path.slice(0, slash))
    const before = parent.children?.get(name)
    if (type === 'directory' && before && isDirectory(before)) {
      before.entry = entry
      before.layer = this.#layers
      return
    }
    const node = type === 'hardlink' ? this.#link(entry, before) : { entry, layer: this.#layers, children: undefined }
    // SAFETY: the way to the directory used last may have led through what is replaced here.
    if (before) this.#last = undefined
    setChild(parent, name, node)
  }

  #placeRoot(entry: IndexedEntry): void {
    if (entry.type !== 'directory') throw this.#fault('ERR_UNSAFE_PATH', 'the root must be a directory', entry.path)
    this.root.entry = entry
    this.root.layer = this.#layers
  }

  #parent(path: string): TreeNode {
    if (this.#last?.path === path) return this.#last.node
    const node = this.#resolveDirectory(path, { make: true })!
    this.#last = { path, node }
    return node
  }

  /** What a hard link shares: looked up now, in what lower layers and the entries before it have made. */
  #link(entry: IndexedEntry, before: TreeNode | undefined): TreeNode {
    const { path, linkname = '' } = entry
    const found = resolvePath(this.root, linkname, { follow: false, layer: this.#layer })
    const target = found?.node
    const fault = (why: string) => this.#fault('ERR_INVALID_LINK', `hard link to ${why}`, path)
    if (!target) throw fault('something that is not there')
    if (isDirectory(target)) throw fault('a directory')
    // SAFETY: to make the link, its own name is cleared first; the content would be gone.
    if (target === before) throw fault('itself')
    if (before && found.parents.includes(before)) throw fault('something inside what it replaces')
    this.shared.add(target.entry!)
    return { entry: target.entry, layer: target.layer, children: undefined }
  }

  /** The directory of an entry or a mark. */
  #resolveDirectory(path: string, options: Partial<ResolveOptions>): TreeNode | undefined {
    // SAFETY: links may say `..`, which stops at the root; a path of a layer never needs it.
    if (path.split('/').includes('..')) throw this.#unsafe(path)
    const node = resolvePath(this.root, path, { ...options, follow: true, strict: true, layer: this.#layer })?.node
    if (!node || isDirectory(node)) return node
    throw this.#fault('ERR_NOT_A_DIRECTORY', 'an entry inside something that is no directory', path)
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
