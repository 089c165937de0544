import { createDigester, type Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { EventLoopYielder } from '../../internal/concurrency/event-loop-yielder.ts'
import type { BuildContext } from './build-context.ts'
import type { SourceNode } from './source-tree.ts'
import { walkSource } from './walk-source.ts'

/** Options of {@link contextDigest}. */
export interface ContextDigestOptions extends AbortOptions {
  /** Path in the context that is left out, such as that of the lock file which has the digest. */
  readonly omit?: string | undefined
}

/** First line of the hashed text; another version gives other digests. */
const VERSION = 'layerstore context 1'

/**
 * Resolves to a digest of everything in a context that a build can see: names, types, permissions, link targets,
 * device numbers, extended attributes and content, after the ignore file. Times and owners do not count. Equal contexts
 * have equal digests on every machine, whether they are directories, archives or files in memory. Files whose digest is
 * known from an earlier build are not read.
 *
 * @throws {@link SourceError} `ERR_SOURCE_CHANGED`, `ERR_SOURCE_READ`.
 */
export async function contextDigest({ tree }: BuildContext, options: ContextDigestOptions = {}): Promise<Digest> {
  const yielder = new EventLoopYielder()
  const nodes: SourceNode[] = []
  for (const node of walkSource(tree, '.')) {
    if (node.path !== options.omit) nodes.push(node)
    await yielder.yieldIfDue()
    options.signal?.throwIfAborted()
  }
  const files = nodes.filter(({ type }) => type === 'file')
  const digests = await tree.digests(files, options)
  const known = new Map(files.map((file, i) => [file, digests[i]!]))
  const digester = await createDigester({ hasher: 'native' })
  try {
    digester.update(Buffer.from(`${VERSION}\n`))
    for (const node of nodes) digester.update(Buffer.from(`${lineOf(node, known.get(node))}\n`))
    return digester.digest()
  } finally {
    digester.release()
  }
}

/** Writes an entry as a line of JSON. Names and targets may hold any character, and JSON is unambiguous. */
function lineOf({ path, type, mode, linkname, devMajor, devMinor, xattrs }: SourceNode, digest?: Digest): string {
  // Linux keeps no mode of a link.
  const bits = type === 'symlink' ? 0 : mode
  const attributes = [...(xattrs ?? [])].map(([name, value]) => [name, Buffer.from(value).toString('base64')]).sort()
  return JSON.stringify([path, type, bits, linkname ?? null, digest ?? null, devMajor ?? 0, devMinor ?? 0, attributes])
}
