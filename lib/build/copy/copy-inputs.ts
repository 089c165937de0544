import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { SourceNode, SourceTree } from '../context/source-tree.ts'
import type { FileCopyInput } from './file-copy.ts'
import type { ModeChange } from './parse-mode.ts'
import type { SourceMatch } from './source-match.ts'

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

/** Resolves to what a step reads of its sources, in a fixed order. */
export async function copyInputs(
  matches: readonly SourceMatch[],
  policy: InputPolicy,
  options: AbortOptions,
): Promise<readonly FileCopyInput[]> {
  const named = matches.flatMap(namesOf)
  const digests = await digestsOf(named, options)
  return named.map(input => inputOf(input, digests.get(input), policy))
}

function namesOf({ tree, source, match, name, node, content }: SourceMatch): NamedNode[] {
  const place = `${source}.${match}`
  if (node.type !== 'directory') return [{ tree, name: `${place}:${name}`, node, isTop: false }]
  const below = content.map(({ path, node }) => ({ tree, name: `${place}/${path}`, node, isTop: false }))
  return [{ tree, name: `${place}/`, node, isTop: true }, ...below]
}

async function digestsOf(named: readonly NamedNode[], options: AbortOptions): Promise<Map<NamedNode, Digest>> {
  const byTree = new Map<SourceTree, NamedNode[]>()
  for (const input of named) {
    if (input.node.type !== 'file') continue
    const known = byTree.get(input.tree)
    if (known) known.push(input)
    else byTree.set(input.tree, [input])
  }
  const digests = new Map<NamedNode, Digest>()
  for (const [tree, inputs] of byTree) {
    const found = await tree.digests(
      inputs.map(({ node }) => node),
      options,
    )
    for (const [i, input] of inputs.entries()) digests.set(input, found[i]!)
  }
  return digests
}

function inputOf(
  { tree, name, node, isTop }: NamedNode,
  digest: Digest | undefined,
  { setsOwner, mode }: InputPolicy,
): FileCopyInput {
  const isDirectory = node.type === 'directory'
  // The mode of a link means nothing, and that of a directory whose content is copied is not used.
  const bits = isTop || node.type === 'symlink' ? 0 : (mode?.apply(node.mode, isDirectory) ?? node.mode)
  const extra = extraOf(node)
  return {
    name,
    source: node.path,
    type: node.type,
    mode: bits,
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
