import { RootfsError } from '../../errors/index.ts'
import type { Image } from '../../image/index.ts'
import { type OpenUnionViewOptions, openUnionView, type UnionView } from '../../rootfs/index.ts'
import type { ImageBlobs } from './image-blobs.ts'

/**
 * Opens a view in which one file can be read. Takes layers from the top down, and stops as soon as lower layers can no
 * longer change what the path leads to: of an image in a registry only these layers are fetched.
 *
 * @throws as `openUnionView`, of all layers.
 */
export async function openFileView(
  blobs: ImageBlobs,
  { layers }: Image,
  path: string,
  options: OpenUnionViewOptions,
): Promise<UnionView> {
  for (let lowest = layers.length - 1; lowest > 0; lowest--) {
    const view = await openTop(blobs, layers.slice(lowest), options)
    if (view && isSettled(view, path)) return view
  }
  return openUnionView(blobs, layers, options)
}

/** Opens a view of the upper layers; `undefined` if they depend on lower ones, as a hard link to a file there does. */
async function openTop(blobs: ImageBlobs, layers: Image['layers'], options: OpenUnionViewOptions) {
  try {
    return await openUnionView(blobs, layers, options)
  } catch (error) {
    if (error instanceof RootfsError) return undefined
    throw error
  }
}

/**
 * True if the path leads to a regular file through directories that all have entries of their own. A directory without
 * an entry may be a symbolic link in a lower layer.
 */
function isSettled(view: UnionView, path: string): boolean {
  const found = lookUp(view, path)
  if (found?.type !== 'file') return false
  return [path, found.path].every(one => parentsOf(one).every(parent => lookUp(view, parent)?.implicit === false))
}

function lookUp(view: UnionView, path: string) {
  try {
    return view.stat(path, { follow: true })
  } catch (error) {
    if (error instanceof RootfsError) return undefined
    throw error
  }
}

function parentsOf(path: string): string[] {
  const parts = path.split('/').filter(part => part !== '' && part !== '.')
  return parts.slice(0, -1).map((_, i) => parts.slice(0, i + 1).join('/'))
}
