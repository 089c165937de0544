import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { SourceNode, SourceTree } from '../context/source-tree.ts'
import type { FileCopyInput } from './file-copy.ts'
import type { ModeChange } from './parse-mode.ts'
import { pathBelow, type SourceMatch } from './source-match.ts'

/** Members that a step sets itself; they are not read from the source. */
export interface InputPolicy {
  readonly setsOwner: boolean
  readonly mode: ModeChange | undefined
}

interface NamedNode {
  readonly tree: SourceTree
  readonly name: string
  readonly node: SourceNode
  /** True for a directory of which only the content is copied. */
  readonly isTop: boolean
}

/** PERF: paths that are looked at together: tens of thousands are never in memory at once. */
const BATCH = 1024

/** Yields what a step reads of its sources, in a fixed order. */
export async function* copyInputs(
  matches: readonly SourceMatch[],
  policy: InputPolicy,
  options: AbortOptions,
): AsyncGenerator<readonly FileCopyInput[], void, undefined> {
  let batch: NamedNode[] = []
  for (const match of matches) {
    for (const named of namesOf(match)) {
      if (batch.push(named) < BATCH) continue
      yield await inputsOf(batch, policy, options)
      batch = []
    }
  }
  if (batch.length > 0) yield await inputsOf(batch, policy, options)
}

async function inputsOf(
  named: readonly NamedNode[],
  policy: InputPolicy,
  options: AbortOptions,
): Promise<readonly FileCopyInput[]> {
  const nextDigest = await digestsOf(named, options)
  return named.map(input => inputOf(input, input.node.type === 'file' ? nextDigest(input.tree) : undefined, policy))
}

function* namesOf({ tree, source, match, name, node, content }: SourceMatch): Generator<NamedNode, void, undefined> {
  const place = `${source}.${match}`
  if (node.type !== 'directory') {
    yield { tree, name: `${place}:${name}`, node, isTop: false }
    return
  }
  yield { tree, name: `${place}/`, node, isTop: true }
  for (const below of content) yield { tree, name: `${place}/${pathBelow(node, below)}`, node: below, isTop: false }
}

/** Resolves to a function that gives the digests of the files of each tree, one after the other. */
async function digestsOf(named: readonly NamedNode[], options: AbortOptions): Promise<(tree: SourceTree) => Digest> {
  const files = new Map<SourceTree, { readonly nodes: SourceNode[]; digests: readonly Digest[]; at: number }>()
  for (const { tree, node } of named) {
    if (node.type !== 'file') continue
    const known = files.get(tree)
    if (known) known.nodes.push(node)
    else files.set(tree, { nodes: [node], digests: [], at: 0 })
  }
  for (const [tree, of] of files) of.digests = await tree.digests(of.nodes, options)
  return tree => {
    const of = files.get(tree)!
    return of.digests[of.at++]!
  }
}

function inputOf(
  { tree, name, node, isTop }: NamedNode,
  digest: Digest | undefined,
  { setsOwner, mode }: InputPolicy,
): FileCopyInput {
  const isDirectory = node.type === 'directory'
  // The mode of a link means nothing, and that of a directory whose content is copied is not used.
  const bits = isTop || node.type === 'symlink' ? 0 : (mode?.apply(node.mode, isDirectory) ?? node.mode)
  const { path: source, type } = node
  // PERF: one object for each of tens of thousands of files, not several that are copied into each other.
  if (type === 'file' && !tree.keepsOwners && !node.xattrs) return { name, source, type, mode: bits, digest }
  const input = { name, source, type, mode: bits }
  const extra = extraOf(node)
  if (isDirectory && !tree.keepsOwners && extra === undefined) return input
  return {
    ...input,
    ...(node.linkname !== undefined && { linkname: node.linkname }),
    ...(digest && { digest }),
    ...(tree.keepsOwners && !setsOwner && !isTop && { owner: `${node.uid}:${node.gid}` }),
    ...(extra !== undefined && { extra }),
  }
}

function extraOf({ devMajor, devMinor, xattrs }: SourceNode): string | undefined {
  if (devMajor === undefined && !xattrs?.size) return undefined
  const values = [...(xattrs ?? [])].map(([name, value]) => [name, Buffer.from(value).toString('base64')]).sort()
  return JSON.stringify([devMajor ?? 0, devMinor ?? 0, values])
}
