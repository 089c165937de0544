import { realpath, stat } from 'node:fs/promises'
import type { HasherEngine } from '../../digest/index.ts'
import { parseGitAddress } from '../../dockerfile/index.ts'
import { FormatError, SourceError } from '../../errors/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { ByteSource } from '../../internal/byte-source.ts'
import { type Files, loadXattrLister } from '../../layer/index.ts'
import { openUnionView, type UnionView, type ViewSource } from '../../rootfs/index.ts'
import type { Store } from '../../store/index.ts'
import { GitCheckouts } from '../git/git-checkouts.ts'
import { AheadOfWalk } from './ahead-of-walk.ts'
import type { BuildContext } from './build-context.ts'
import { DigestCache } from './digest-cache.ts'
import { DirectorySource } from './directory-source.ts'
import { findIgnoreFile } from './ignore-file.ts'
import { ListingCache } from './listing-cache.ts'
import { createMemoryTree } from './memory-tree.ts'
import { openGitTree } from './open-git-tree.ts'
import { openTarTree } from './open-tar-tree.ts'
import { openUrlTree } from './open-url-tree.ts'
import { readControlFile } from './read-control-file.ts'
import type { SourceTree } from './source-tree.ts'
import { createViewTree } from './view-tree.ts'

/** Source of the files of a context. A string is the path of a directory. */
export type ContextSource =
  | string
  | {
      /** Path of a directory. */
      readonly directory: string
    }
  | {
      /**
       * A tar archive, plain or compressed with gzip or zstd. Needs a store, which keeps the archive until the context
       * is closed.
       */
      readonly tar: ByteSource
    }
  | {
      /**
       * Address of a tar archive, http or https. A file that is none is a context of this one file, such as a
       * Dockerfile. Needs a store, which keeps the file until the context is closed.
       */
      readonly url: string
    }
  | {
      /**
       * Address of a git repository, as `https://host/repo.git#ref:directory`: its files without `.git`, submodules
       * among them.
       */
      readonly git: string
      /** Keep `.git`. @defaultValue `false` */
      readonly keepGitDirectory?: boolean | undefined
    }
  | {
      /** An image of the store: a name, a digest, or layers. Needs the store. */
      readonly image: ViewSource
    }
  | {
      /** A view of an image. */
      readonly view: UnionView
    }
  | {
      /** Files in memory or generated files. */
      readonly files: Files
    }

/** Options of {@link openContext}. */
export interface OpenContextOptions extends AbortOptions {
  /** Store for the digests of files between builds, and for archives and images. @defaultValue none */
  readonly store?: Store | undefined
  /** Text for messages. @defaultValue `'the build context'` */
  readonly name?: string | undefined
  /** Path of the Dockerfile inside the context: `<path>.dockerignore` wins over `.dockerignore`. */
  readonly dockerfile?: string | undefined
  /**
   * Patterns of files to leave out, instead of those of the ignore file. Only a directory has an ignore file: archives,
   * images and files in memory are taken whole, as in BuildKit.
   */
  readonly ignore?: readonly string[] | undefined
  /** Keep extended attributes of a directory's files; needs the package `fs-xattr`. @defaultValue `false` */
  readonly xattrs?: boolean | undefined
  /**
   * Look at the files of a directory at once, in a thread, as far as the last build has seen them: for a build that
   * follows within seconds. An edit after this call may then count for the next build only. @defaultValue `false`
   */
  readonly lookAhead?: boolean | undefined
  /** Engine that computes the digests of files. @defaultValue `'native'` */
  readonly hasher?: HasherEngine | undefined
}

/**
 * Opens the files that a build may copy. Nothing is read yet, except the ignore file of a directory, and an archive.
 *
 * A directory is looked at when a step needs it, each path once. No path and no symbolic link leads out of it. The
 * digests of its files are kept in the derived data of the store, and count as long as device, inode, size, and both
 * times of a file are unchanged, so an edit that keeps the size and restores the modification time is noticed. Close
 * the context at the end.
 *
 * @throws {@link SourceError} `ERR_SOURCE_NOT_FOUND` if the directory does not exist.
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for a malformed ignore pattern, or if a store is needed and
 * missing, or for a malformed git address; `ERR_INVALID_TAR`, `ERR_UNSUPPORTED_COMPRESSION` for an archive.
 * @throws {@link BuildError} `ERR_BUILD_FETCH` for an address that does not answer; `ERR_BUILD_UNSUPPORTED` if git is
 * needed and not installed.
 */
export async function openContext(source: ContextSource, options: OpenContextOptions = {}): Promise<BuildContext> {
  const { name = 'the build context', signal } = options
  if (typeof source === 'string') return openDirectory(source, options)
  if ('directory' in source) return openDirectory(source.directory, options)
  if ('files' in source) return wholeContext(createMemoryTree(source.files, { name }))
  if ('view' in source) return wholeContext(createViewTree(source.view, name))
  if ('git' in source) return openGitContext(source, options)
  const store = storeOf(options)
  if ('url' in source) {
    const { tree, close } = await openUrlTree(source.url, { store, name, signal })
    return wholeContext(tree, close)
  }
  if ('image' in source) return wholeContext(createViewTree(await openUnionView(store, source.image, { signal }), name))
  const { tree, close } = await openTarTree(source.tar, { ...options, store, name })
  return wholeContext(tree, close)
}

async function openDirectory(directory: string, options: OpenContextOptions): Promise<BuildContext> {
  const { store, name = 'the build context', xattrs, hasher, signal, lookAhead } = options
  const root = await realDirectory(directory)
  const cache = await DigestCache.open(store?.derived, root)
  const listings = await ListingCache.open(store?.derived, root)
  const ahead = lookAhead && listings ? await AheadOfWalk.start(root, listings.stored) : undefined
  const close = async () => {
    await ahead?.stop()
    await cache.save()
    await listings?.save()
  }
  const parts = { root, name, cache, listings, ahead, hasher, xattrs: xattrs ? await loadXattrLister() : undefined }
  const wholeTree = new DirectorySource({ ...parts, ignore: [] })
  const read = (path: string, options: AbortOptions = { signal }) => readControlFile(wholeTree, path, options)
  const file = options.ignore ? undefined : await findIgnoreFile(read, options.dockerfile)
  const lines = options.ignore?.map((pattern, i) => ({ pattern, line: i + 1 })) ?? file?.lines ?? []
  return {
    tree: new DirectorySource({ ...parts, ignore: lines.map(({ pattern }) => pattern) }),
    wholeTree,
    ignoreFile: file?.path,
    ignoreLines: lines,
    readControlFile: read,
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function openGitContext(
  { git, keepGitDirectory }: Extract<ContextSource, { git: string }>,
  { signal }: OpenContextOptions,
): Promise<BuildContext> {
  const source = parseGitAddress(git, { keepGitDirectory })
  if (typeof source === 'string') throw new FormatError('ERR_INVALID_ARGUMENT', source)
  const checkouts = new GitCheckouts(openGitTree)
  try {
    return wholeContext(await checkouts.files(source, { signal }), () => checkouts.close())
  } catch (error) {
    await checkouts.close()
    throw error
  }
}

/** A context without an ignore file. */
function wholeContext(tree: SourceTree, close: () => Promise<void> = async () => {}): BuildContext {
  return {
    tree,
    wholeTree: tree,
    ignoreLines: [],
    readControlFile: (path, options) => readControlFile(tree, path, options),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function realDirectory(directory: string): Promise<string> {
  try {
    const root = await realpath(directory)
    if ((await stat(root)).isDirectory()) return root
  } catch (cause) {
    throw new SourceError('ERR_SOURCE_NOT_FOUND', 'no such directory for the build context', directory, { cause })
  }
  throw new SourceError('ERR_SOURCE_NOT_FOUND', 'the build context is not a directory', directory)
}

function storeOf({ store }: OpenContextOptions): Store {
  if (store) return store
  throw new FormatError('ERR_INVALID_ARGUMENT', 'a context from an archive or an image needs a store')
}
