import { readFileSync } from 'node:fs'
import { listTree } from '../list-tree.ts'

/**
 * Describes a tree in the notation of `Attack.tree`. Directories are included only if expected by name, so that
 * expectations need not list implicit parents; `@mode` is included where the expectation has it.
 */
export function treeOf(root: string, expected: Readonly<Record<string, string>>): Record<string, string> {
  const tree: Record<string, string> = {}
  for (const entry of listTree(root)) {
    const name = shownName(entry.path, expected)
    const wanted = Object.hasOwn(expected, name) ? expected[name] : undefined
    if (entry.kind === 'directory' && wanted === undefined) continue
    const path = Buffer.concat([Buffer.from(`${root}/`), Buffer.from(entry.path, 'latin1')])
    const word = {
      directory: 'dir',
      file: `file:${entry.kind === 'file' ? readFileSync(path).toString('latin1') : ''}`,
      symlink: `link:${entry.target}`,
      fifo: 'fifo',
      'character-device': 'device',
      'block-device': 'device',
      socket: 'socket',
    }[entry.kind]
    tree[name] = wanted?.includes('@') ? `${word}@${entry.mode}` : word
  }
  return tree
}

/** Returns the name as text if the expectation has it, else its bytes in latin1. */
function shownName(latin1: string, expected: Readonly<Record<string, string>>): string {
  const text = Buffer.from(latin1, 'latin1').toString('utf8')
  return Object.hasOwn(expected, latin1) ? latin1 : text
}
