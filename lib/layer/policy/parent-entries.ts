import { FormatError } from '../../errors/index.ts'
import type { TarInput } from '../../tar/index.ts'

/** Returns entries for a directory of an image and its parents, the outermost first; none for the root. */
export function parentEntries(path: string): TarInput[] {
  if (path === '.') return []
  const components = path.split('/')
  for (const name of components) refuseWhiteout(name)
  return components.map((_, i) => ({ path: components.slice(0, i + 1).join('/'), type: 'directory', mode: 0o755 }))
}

/**
 * SPEC: SAFETY: a file with such a name deletes another file when the layer is applied; it cannot be a file of an
 * image.
 */
function refuseWhiteout(name: string): void {
  if (!name.startsWith('.wh.')) return
  throw new FormatError('ERR_INVALID_ARGUMENT', `name ${JSON.stringify(name)} would be a whiteout in a layer`)
}
