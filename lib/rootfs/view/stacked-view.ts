import { verifyBytes } from '../../digest/index.ts'
import { FormatError, RootfsError } from '../../errors/index.ts'
import { readFileRange } from '../../layer/index.ts'
import type { BlobReader } from '../../store/index.ts'
import type { TarInput } from '../../tar/index.ts'
import type {
  ContentOptions,
  LookupOptions,
  Provenance,
  ReadFileOptions,
  UnionView,
  ViewEntry,
  ViewLayer,
  ViewWarning,
} from '../union-view.ts'
import { fillEntries } from './fill-entries.ts'
import type { LayerStack } from './layer-stack.ts'
import { sortNames } from './name-order.ts'
import { type Resolved, resolvePath } from './resolve-path.ts'
import { isDirectory } from './tree-node.ts'
import { viewEntry } from './view-entry.ts'
import { countTree, walkTree } from './walk-tree.ts'

/** Parts of a {@link StackedView}. */
export interface StackedViewParts {
  readonly store: Pick<BlobReader, 'read'>
  readonly layers: readonly ViewLayer[]
  readonly stack: LayerStack
  readonly warnings: readonly ViewWarning[]
}

/** A view over a tree in memory; see {@link UnionView}. */
export class StackedView implements UnionView {
  readonly layers: readonly ViewLayer[]
  readonly warnings: readonly ViewWarning[]
  readonly #store: Pick<BlobReader, 'read'>
  readonly #stack: LayerStack
  #entries: number | undefined

  constructor({ store, layers, stack, warnings }: StackedViewParts) {
    this.layers = layers
    this.warnings = warnings
    this.#store = store
    this.#stack = stack
  }

  /** PERF: counted by the first call, because most views are never asked. */
  get entries(): number {
    this.#entries ??= countTree(this.#stack.root)
    return this.#entries
  }

  /** The tree, for views of more layers. It must not be changed. */
  get stack(): LayerStack {
    return this.#stack
  }

  stat(path: string, options: LookupOptions = {}): ViewEntry | undefined {
    const found = this.#find(path, options.follow ?? false)
    return found && viewEntry(found.path, found.node)
  }

  list(path: string, options: LookupOptions = {}): readonly ViewEntry[] {
    const found = this.#get(path, options.follow ?? true)
    const { node } = found
    if (!isDirectory(node)) throw new RootfsError('ERR_NOT_A_DIRECTORY', 'not a directory', { path })
    const prefix = found.path === '.' ? '' : `${found.path}/`
    const names = sortNames([...(node.children?.keys() ?? [])])
    return names.map(name => viewEntry(prefix + name, node.children!.get(name)!))
  }

  async *read(path: string, options: ReadFileOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const { entry, layer } = this.#get(path, options.follow ?? true).node
    if (entry?.type !== 'file') throw new RootfsError('ERR_NOT_A_FILE', 'not a regular file', { path })
    const offset = Math.min(wholeNumber('offset', options.offset ?? 0), entry.size)
    const length = Math.min(wholeNumber('length', options.length ?? entry.size), entry.size - offset)
    const range = { offset, length, signal: options.signal }
    const bytes = readFileRange(this.#store, this.layers[layer]!, entry, range)
    const isWhole = length === entry.size && entry.digest !== undefined
    if (!isWhole) return yield* bytes
    yield* verifyBytes(bytes, { digest: entry.digest!, size: length }, { what: `content of ${JSON.stringify(path)}` })
  }

  walk(path = '.'): IterableIterator<ViewEntry> {
    const found = this.#get(path, true)
    if (!isDirectory(found.node)) throw new RootfsError('ERR_NOT_A_DIRECTORY', 'not a directory', { path })
    return walkTree(found.node, found.path, this.#stack.shared)
  }

  provenance(path: string, options: LookupOptions = {}): Provenance | undefined {
    const index = this.#find(path, options.follow ?? false)?.node.layer ?? -1
    const layer = this.layers[index]
    return layer && { index, descriptor: layer.descriptor, diffId: layer.diffId }
  }

  withContent(entries: Iterable<ViewEntry>, options: ContentOptions = {}): AsyncIterable<TarInput> {
    return fillEntries(this.#store, this.layers, entries, options)
  }

  #get(path: string, follow: boolean): Resolved {
    const found = this.#find(path, follow)
    if (!found) throw new RootfsError('ERR_PATH_NOT_FOUND', 'nothing in the root filesystem', { path })
    return found
  }

  #find(path: string, follow: boolean): Resolved | undefined {
    return resolvePath(this.#stack.root, path, { follow })
  }
}

function wholeNumber(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new FormatError('ERR_INVALID_ARGUMENT', `${name} of a read must be a whole number of bytes, is ${value}`)
}
