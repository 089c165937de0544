import type { TreeDirectory, TreeFile } from './file-tree.ts'

/**
 * A directory as compact JSON: its name; the names of its files, joined by `/`; their sizes; their marks, or one mark
 * if all are equal; its directories; files that are only counted.
 */
export type PackedDirectory = readonly [
  name: string,
  files: string,
  sizes: readonly number[],
  marks: number | readonly number[],
  directories: readonly PackedDirectory[],
  grouped?: readonly GroupedFiles[],
]

/** Files of one mark that are counted and not listed. */
export type GroupedFiles = readonly [mark: number, count: number, bytes: number]

/** A tree for the page. */
export interface PackedTree {
  /** The root. */
  readonly root: PackedDirectory
  /** Number of files that are counted and not listed. */
  readonly grouped: number
  /** Largest size of such a file in bytes; 0 without any. */
  readonly groupedBelow: number
}

/** A number for the layer of a file, and whether a container sees it. */
export function markOf({ layer, hidden }: Pick<TreeFile, 'layer' | 'hidden'>): number {
  return layer * 2 + (hidden ? 1 : 0)
}

/**
 * Packs a tree into at most `budget` characters of JSON. If it does not fit, the smallest files and directories are
 * counted in their directory and not listed.
 */
export function packTree(root: TreeDirectory, budget: number): PackedTree {
  // The cost of a node is an estimate, often too high; names that need escapes make it too low.
  let limit = 2 * budget
  for (;;) {
    const { kept, grouped, groupedBelow } = chooseKept(root, limit)
    const packed = { root: pack(root, kept), grouped, groupedBelow }
    const length = Buffer.byteLength(JSON.stringify(packed))
    if (length <= budget || kept.size === 0) return packed
    limit = Math.floor(Math.min(limit, length) * (budget / length) * 0.9)
  }
}

type Node = TreeDirectory | TreeFile

/** Keeps the largest nodes. A directory is never smaller than what it holds, so it is kept before that. */
function chooseKept(root: TreeDirectory, limit: number): { kept: Set<Node>; grouped: number; groupedBelow: number } {
  const nodes: Node[] = []
  const visit = (directory: TreeDirectory) => {
    for (const one of directory.directories.values()) {
      nodes.push(one)
      visit(one)
    }
    for (const file of directory.files) nodes.push(file)
  }
  visit(root)
  // The sort is stable, and a directory comes before what is in it.
  nodes.sort((a, b) => b.bytes - a.bytes)
  const kept = new Set<Node>()
  let [used, grouped, groupedBelow] = [0, 0, 0]
  for (const node of nodes) {
    used += costOf(node)
    if (used <= limit) kept.add(node)
    else if (!('files' in node)) {
      grouped++
      groupedBelow = Math.max(groupedBelow, node.bytes)
    }
  }
  return { kept, grouped, groupedBelow }
}

/** Characters that a node needs in JSON, about. */
function costOf(node: Node): number {
  const isDirectory = 'files' in node
  return Buffer.byteLength(node.name) + (isDirectory ? 20 : 4 + String(node.bytes).length)
}

function pack(directory: TreeDirectory, kept: ReadonlySet<Node>): PackedDirectory {
  const files = directory.files.filter(file => kept.has(file)).sort(byName)
  const directories = [...directory.directories.values()].filter(one => kept.has(one)).sort(byName)
  const marks = files.map(markOf)
  const isUniform = marks.every(mark => mark === marks[0])
  const grouped = groupRest(directory, kept)
  const packed = [
    directory.name,
    files.map(({ name }) => name).join('/'),
    files.map(({ bytes }) => bytes),
    isUniform ? (marks[0] ?? 0) : marks,
    directories.map(one => pack(one, kept)),
  ] as const
  return grouped.length > 0 ? [...packed, grouped] : packed
}

/** Counts the files of a directory that are not kept, with those in its directories that are not. */
function groupRest(directory: TreeDirectory, kept: ReadonlySet<Node>): GroupedFiles[] {
  const groups = new Map<number, { count: number; bytes: number }>()
  const count = (file: TreeFile) => {
    const mark = markOf(file)
    const group = groups.get(mark) ?? { count: 0, bytes: 0 }
    groups.set(mark, group)
    group.count++
    group.bytes += file.bytes
  }
  const countAll = (one: TreeDirectory) => {
    one.files.forEach(count)
    for (const below of one.directories.values()) countAll(below)
  }
  for (const file of directory.files) if (!kept.has(file)) count(file)
  for (const one of directory.directories.values()) if (!kept.has(one)) countAll(one)
  return [...groups].map(([mark, { count, bytes }]) => [mark, count, bytes])
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}
