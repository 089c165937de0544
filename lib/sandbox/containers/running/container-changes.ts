import { posix } from 'node:path'
import type { ImageLayer } from '../../../image/index.ts'
import type { AbortOptions } from '../../../internal/abort.ts'
import { parseWhiteout } from '../../../layer/index.ts'
import { openUnionView } from '../../../rootfs/index.ts'
import type { Store } from '../../../store/index.ts'
import type { Stack } from '../../snapshots/stack.ts'

/** A path that differs from the image. */
export interface ContainerChange {
  /** Absolute path. */
  readonly path: string
  /** A file or directory that is new, is another one, or is gone. */
  readonly kind: 'added' | 'changed' | 'deleted'
}

/**
 * Resolves to what was changed in a container, sorted by path. As `docker diff` does, it lists the directories above a
 * path as changed, and of a directory that was deleted only the directory itself.
 */
export async function listChanges(
  store: Store,
  layers: readonly ImageLayer[],
  stack: Stack,
  { signal }: AbortOptions,
): Promise<ContainerChange[]> {
  const below = await openUnionView(store, layers, { signal })
  const changes = new Map<string, ContainerChange['kind']>()
  const add = (path: string, kind: ContainerChange['kind']) => {
    changes.set(path, kind)
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const parent = path.slice(0, end)
      if (!changes.has(parent)) changes.set(parent, below.stat(parent) ? 'changed' : 'added')
    }
  }
  for await (const { path } of stack.changes({ signal })) {
    const whiteout = parseWhiteout(path)
    if (whiteout?.kind === 'hide') add(posix.join(whiteout.directory, whiteout.name), 'deleted')
    else if (!whiteout && path !== '.') add(path, below.stat(path) ? 'changed' : 'added')
  }
  return [...changes].map(([path, kind]) => ({ path: `/${path}`, kind })).sort((a, b) => (a.path < b.path ? -1 : 1))
}
