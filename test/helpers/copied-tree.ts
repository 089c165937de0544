import { createMemoryTree, type FileCopyStep, planFileCopy, type SourceTree } from '../../lib/build/index.ts'
import { type Files, fromFiles, writeLayer } from '../../lib/layer/index.ts'
import { openUnionView, type UnionView, type ViewLayer } from '../../lib/rootfs/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import type { TarInput } from '../../lib/tar/index.ts'
import { readAll } from './read-all.ts'

/** A COPY or ADD in a test: paths instead of trees. */
export interface CopyCase extends Omit<Partial<FileCopyStep>, 'sources'> {
  /** Root filesystem below; absent: scratch. */
  readonly below?: Files
  readonly source: Files | SourceTree
  readonly paths: readonly string[]
}

/** Copies files onto a root filesystem and says what is there then, one line for each path. */
export async function copiedTree({ below, source, paths, ...step }: CopyCase): Promise<Record<string, string>> {
  await using store = createMemoryStore()
  const layers: ViewLayer[] = below ? [await writeLayer(store, fromFiles(below), { compression: 'none' })] : []
  const view = below ? await openUnionView(store, layers) : undefined
  const tree = isTree(source) ? source : createMemoryTree(source, { name: 'the context', mtime: 5 })
  const sources = paths.map(path => ({ tree, path }))
  const plan = await planFileCopy({ destination: '/', ...step, sources })
  const layer = await writeLayer(store, plan.entries({ below: view, time: 7 }), { compression: 'none' })
  return await describeView(await openUnionView(store, [...layers, layer]))
}

/** One line for each path: type, mode, owner, and link target, content or `= first name` of a file with several. */
export async function describeView(view: UnionView): Promise<Record<string, string>> {
  const lines: Record<string, string> = {}
  for (const { path, type, mode, uid, gid, linkname, size } of view.walk()) {
    const bits = type === 'symlink' ? '' : ` ${mode.toString(8)}`
    const owner = uid === 0 && gid === 0 ? '' : ` ${uid}:${gid}`
    const content = type === 'file' && size > 0 ? ` ${JSON.stringify((await readAll(view.read(path))).toString())}` : ''
    const link = linkname === undefined ? '' : type === 'hardlink' ? ` = ${linkname}` : ` -> ${linkname}`
    lines[path] = `${type}${bits}${owner}${link}${content}`
  }
  return lines
}

/** A symbolic link. */
export const link = (path: string, linkname: string): TarInput => ({ path, type: 'symlink', linkname })

/** A file; by default its content is its path. */
export const file = (path: string, more: Partial<TarInput> = {}): TarInput => ({
  path,
  type: 'file',
  content: path,
  ...more,
})

/** A directory. */
export const directory = (path: string, more: Partial<TarInput> = {}): TarInput => ({
  path,
  type: 'directory',
  ...more,
})

function isTree(source: Files | SourceTree): source is SourceTree {
  return 'digests' in source && typeof source.digests === 'function'
}
