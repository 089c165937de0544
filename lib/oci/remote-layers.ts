import { FormatError } from '../errors/index.ts'
import { Annotation } from './annotations.ts'
import type { Descriptor } from './descriptor.ts'
import type { BlobRole } from './graph.ts'
import { formatReference, parseReference, type Repository } from './reference.ts'

/** SAFETY: limits the requests that one entry of a list of names can cause. */
const MOST = 16

/** True for blobs that may stay in a registry: layers and the content of artifacts, but no documents and configs. */
export function mayStayRemote(role: BlobRole): boolean {
  return role === 'layer' || role === 'blob'
}

/**
 * Returns the repositories that hold the layers of an image which a store may lack; an empty list for every image whose
 * layers must all be in the store. Stores keep the list as an annotation of the name's entry. A list that cannot be
 * parsed counts as empty.
 */
export function remoteLayersOf({ annotations }: Descriptor): readonly Repository[] {
  const key = Annotation.LayersFrom
  const text = annotations && Object.hasOwn(annotations, key) ? annotations[key] : undefined
  if (!text) return []
  try {
    return text.split(' ', MOST).map(name => {
      const { registry, repository } = parseReference(name)
      return { registry, repository }
    })
  } catch (error) {
    if (error instanceof FormatError) return []
    throw error
  }
}

/**
 * Returns the descriptor with the repositories that hold the layers which a store may lack. Without repositories, the
 * annotation is removed: all layers must be in the store.
 */
export function withRemoteLayers(descriptor: Descriptor, repositories: readonly Repository[]): Descriptor {
  const { annotations, ...rest } = descriptor
  const { [Annotation.LayersFrom]: _, ...others } = annotations ?? {}
  const names = [...new Set(repositories.map(({ registry, repository }) => formatReference({ registry, repository })))]
  const kept = names.length > 0 ? { ...others, [Annotation.LayersFrom]: names.slice(0, MOST).join(' ') } : others
  return Object.keys(kept).length > 0 ? { ...rest, annotations: kept } : rest
}
