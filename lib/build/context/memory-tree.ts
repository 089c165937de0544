import { type Digest, digestOf } from '../../digest/index.ts'
import { FormatError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { ByteSource } from '../../internal/byte-source.ts'
import { type Files, fromFiles } from '../../layer/index.ts'
import { completeHeader, type TarInput } from '../../tar/index.ts'
import type { OpenedFile, SourceNode, SourceTree } from './source-tree.ts'

/** Options of {@link createMemoryTree}. */
export interface MemoryTreeOptions {
  /** Text for messages. */
  readonly name: string
  /** Time of entries that have none, in seconds since 1970. @defaultValue `SOURCE_DATE_EPOCH`, or 0 */
  readonly mtime?: number | undefined
  /** Keep the owners of entries when they are copied. @defaultValue `false` */
  readonly keepsOwners?: boolean | undefined
}

/** A file in memory, or a function that makes its content. */
interface MemoryFile {
  readonly node: SourceNode
  readonly content: Uint8Array | (() => ByteSource | string | Promise<ByteSource | string>)
  digest?: Promise<Digest>
}

/**
 * Creates a source tree of files in memory and generated files. Missing directories have mode 0755.
 *
 * @param files - Content by path, or entries. A content function is called each time the file is read and must give the
 * same bytes each time; a stream, which can be read only once, is refused.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for a duplicate or invalid path, a stream, or a hard link.
 */
export function createMemoryTree(files: Files, options: MemoryTreeOptions): SourceTree {
  const nodes = new Map<string, SourceNode>([['.', rootNode(options.mtime ?? 0)]])
  const children = new Map<string, SourceNode[]>([['.', []]])
  const contents = new Map<string, MemoryFile>()
  for (const entry of fromFiles(withTimes(files, options.mtime))) {
    const file = entry.type === 'file' ? fileOf(entry) : undefined
    const node = file?.node ?? nodeOf(entry)
    nodes.set(node.path, node)
    if (file) contents.set(node.path, file)
    if (node.type === 'directory' && !children.has(node.path)) children.set(node.path, [])
    if (node.path !== '.') children.get(parentOf(node.path))?.push(node)
  }
  return {
    name: options.name,
    keepsOwners: options.keepsOwners ?? false,
    stat: path => nodes.get(path),
    list: path => children.get(path) ?? [],
    digests: wanted => Promise.all(wanted.map(({ path }) => digestIn(contents.get(path)!))),
    open: (wanted, options) => openFiles(contents, wanted, options),
  }
}

async function* openFiles(
  contents: ReadonlyMap<string, MemoryFile>,
  wanted: readonly SourceNode[],
  { signal }: AbortOptions = {},
): AsyncGenerator<readonly OpenedFile[], void, undefined> {
  for (const node of wanted) {
    signal?.throwIfAborted()
    yield [{ node, content: await openContent(contents.get(node.path)!) }]
  }
}

async function openContent({ content }: MemoryFile): Promise<ByteSource> {
  const opened = typeof content === 'function' ? await content() : content
  return typeof opened === 'string' ? Buffer.from(opened) : opened
}

async function digestIn(file: MemoryFile): Promise<Digest> {
  file.digest ??= openContent(file).then(content => digestOf(content, { hasher: 'native' }))
  return file.digest
}

function fileOf(entry: TarInput): MemoryFile {
  const { content = '' } = entry
  const isStream = typeof content === 'object' && !(content instanceof Uint8Array)
  if (isStream) refuse(entry, 'a stream can be read only once; pass a function that opens one')
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const size = bytes instanceof Uint8Array ? bytes.byteLength : (entry.size ?? 0)
  return { node: { ...nodeOf(entry), size }, content: bytes as MemoryFile['content'] }
}

function nodeOf(entry: TarInput): SourceNode {
  if (entry.type === 'hardlink') refuse(entry, 'a hard link is not possible in memory')
  return completeHeader(entry)
}

function rootNode(mtime: number): SourceNode {
  return { path: '.', type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtime }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '.' : path.slice(0, slash)
}

function withTimes(files: Files, mtime: number | undefined): Files {
  if (mtime === undefined) return files
  const entries: Iterable<TarInput> =
    Symbol.iterator in files
      ? (files as Iterable<TarInput>)
      : Object.entries(files).map(([path, content]) => ({ path, type: 'file', content }))
  return [...entries].map(entry => ({ ...entry, mtime: entry.mtime ?? mtime }))
}

function refuse({ path }: TarInput, why: string): never {
  throw new FormatError('ERR_INVALID_ARGUMENT', `file in memory ${JSON.stringify(path)}: ${why}`)
}
