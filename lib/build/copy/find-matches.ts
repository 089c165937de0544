import { BuildError } from '../../errors/index.ts'
import { createIgnoreRules } from '../../layer/index.ts'
import { pathComponents, resolveInTree } from '../context/resolve-in-tree.ts'
import type { SourceNode } from '../context/source-tree.ts'
import type { FileCopySource, FileCopyStep } from './file-copy.ts'
import { selectContent } from './select-content.ts'
import type { SourceMatch } from './source-match.ts'
import { compileName, hasWildcard, splitWildcards } from './wildcard.ts'

/** Separates the path that is left out from the path that is kept, in a source of `--parents`. */
const PIVOT = '/./'

/**
 * Finds what the sources of a COPY or ADD name, in their order; matches of a pattern are in byte order. Reads no file.
 *
 * @throws {@link BuildError} `ERR_BUILD_SOURCE_NOT_FOUND` for a path without wildcards that does not exist, and for a
 * pattern whose literal beginning does not; `ERR_BUILD_INVALID_STEP` for a malformed pattern.
 */
export function findMatches(step: FileCopyStep): SourceMatch[] {
  const patterns = step.exclude?.filter(pattern => !isAbsolute(pattern)) ?? []
  const excludes = patterns.length > 0 ? createIgnoreRules(patterns) : undefined
  return step.sources.flatMap((source, i) => {
    const { directory, include } = step.parents
      ? cutAtPivot(source.path)
      : { directory: source.path, include: undefined }
    return matchesOf(source, directory).flatMap((found, j) => {
      const { name, node } = found
      const isDirectory = node.type === 'directory'
      if (!isDirectory && excludes?.ignores(name)) return []
      const content = isDirectory ? selectContent(source.tree, node, { include, excludes }) : []
      // SPEC: BuildKit requires a path only if there is no wildcard before and behind the pivot.
      if (include !== undefined && isDirectory && !hasWildcard(directory)) assertFound(source, include, content.length)
      const unpack = node.type === 'file' && (source.unpack ?? step.unpack ?? false)
      return [{ tree: source.tree, source: i, match: j, name, node, content, unpack }]
    })
  })
}

interface FoundSource {
  readonly name: string
  readonly node: SourceNode
}

function matchesOf(source: FileCopySource, path: string): FoundSource[] {
  const { literal, pattern } = splitWildcards(clampedNames(path))
  const base = resolveInTree(source.tree, literal.join('/'))
  if (!base.node) throw notFound(source, literal.join('/'))
  if (pattern.length === 0) return [{ name: literal.at(-1) ?? '', node: base.node }]
  if (base.node.type !== 'directory') throw notFound(source, [...literal, ...pattern].join('/'))
  const prefix = base.path === '.' ? '' : `${base.path}/`
  return namesBelow(source, base.path, pattern.map(compileName)).map(found => {
    const { node } = resolveInTree(source.tree, prefix + found)
    if (!node) throw notFound(source, prefix + found)
    return { name: found.slice(found.lastIndexOf('/') + 1), node }
  })
}

/** Paths below a directory whose names match a list of patterns, in byte order. No link is followed on the way. */
function namesBelow(
  { tree }: FileCopySource,
  directory: string,
  [first, ...rest]: readonly ((name: string) => boolean)[],
): string[] {
  return tree.list(directory).flatMap(node => {
    const name = node.path.slice(node.path.lastIndexOf('/') + 1)
    if (!first!(name)) return []
    if (rest.length === 0) return [name]
    return node.type === 'directory'
      ? namesBelow({ tree, path: '' }, node.path, rest).map(below => `${name}/${below}`)
      : []
  })
}

/** Names of a path whose `..` stop at the root, as the reference does. */
function clampedNames(path: string): string[] {
  const names: string[] = []
  for (const name of pathComponents(path)) {
    if (name === '..') names.pop()
    else names.push(name)
  }
  return names
}

function cutAtPivot(path: string): { readonly directory: string; readonly include: string } {
  const pivot = path.indexOf(PIVOT)
  if (pivot < 0) return { directory: '/', include: clampedNames(path).join('/') }
  return { directory: path.slice(0, pivot) || '/', include: clampedNames(path.slice(pivot + PIVOT.length)).join('/') }
}

function assertFound(source: FileCopySource, include: string, found: number): void {
  if (found === 0 && !hasWildcard(include) && include !== '') throw notFound(source, include)
}

function notFound({ tree, path }: FileCopySource, missing: string): BuildError {
  const named = missing === path || `/${missing}` === path ? '' : ` (source ${JSON.stringify(path)})`
  const why = tree.whyMissing?.(missing)
  const what = `${JSON.stringify(missing.slice(0, 512))} is not in ${tree.name}${named}`
  return new BuildError('ERR_BUILD_SOURCE_NOT_FOUND', why === undefined ? what : `${what}: ${why}`, { path: missing })
}

/** SPEC: only an ignore file takes a slash at the beginning away. Here the pattern matches nothing, as in BuildKit. */
function isAbsolute(pattern: string): boolean {
  return /^\s*!?\//.test(pattern)
}
