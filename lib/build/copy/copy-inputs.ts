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

/** PERF: paths that are looked at together: tens of thousands are never in memory at once. */
const BATCH = 1024

/** Yields what a step reads of its sources, in a fixed order. */
export async function* copyInputs(
  matches: readonly SourceMatch[],
  policy: InputPolicy,
  options: AbortOptions,
): AsyncGenerator<readonly FileCopyInput[], void, undefined> {
  let batch: NodeBatch | undefined
  for (const match of matches) {
    for (const node of nodesOf(match)) {
      if (batch && (batch.tree !== match.tree || batch.size === BATCH)) {
        yield await batch.inputs(policy, options)
        batch = undefined
      }
      batch ??= new NodeBatch(match.tree)
      batch.add(node, nameOf(match, node))
    }
  }
  if (batch) yield await batch.inputs(policy, options)
}

function* nodesOf({ node, content }: SourceMatch): Generator<SourceNode, void, undefined> {
  yield node
  yield* content
}

/** The name of a directory of which only the content is copied ends with a slash. */
function nameOf({ source, match, name, node }: SourceMatch, named: SourceNode): string {
  if (named !== node) return `${source}.${match}/${pathBelow(node, named)}`
  return node.type === 'directory' ? `${source}.${match}/` : `${source}.${match}:${name}`
}

/** Nodes of one tree with their names in the list. */
class NodeBatch {
  readonly tree: SourceTree
  readonly #nodes: SourceNode[] = []
  readonly #names: string[] = []

  constructor(tree: SourceTree) {
    this.tree = tree
  }

  get size(): number {
    return this.#nodes.length
  }

  add(node: SourceNode, name: string): void {
    this.#nodes.push(node)
    this.#names.push(name)
  }

  async inputs(policy: InputPolicy, options: AbortOptions): Promise<readonly FileCopyInput[]> {
    const { tree } = this
    const digests = await tree.digests(
      this.#nodes.filter(({ type }) => type === 'file'),
      options,
    )
    let at = 0
    return this.#nodes.map((node, i) =>
      inputOf(tree, node, this.#names[i]!, node.type === 'file' ? digests[at++] : undefined, policy),
    )
  }
}

function inputOf(
  tree: SourceTree,
  node: SourceNode,
  name: string,
  digest: Digest | undefined,
  { setsOwner, mode }: InputPolicy,
): FileCopyInput {
  const isDirectory = node.type === 'directory'
  const isTop = name.endsWith('/')
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
