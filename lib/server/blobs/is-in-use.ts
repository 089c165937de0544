import type { Digest } from '../../digest/index.ts'
import { type Descriptor, isIndexType, isManifestType, parseImageDocument, successorsOf } from '../../spec/index.ts'
import { findDocument, type Store } from '../../store/index.ts'

/** Whether any name of the store needs a blob: then it must not be deleted, or the name would stand for a broken image. */
export async function isInUse(store: Store, digest: Digest, signal: AbortSignal): Promise<boolean> {
  const seen = new Set<string>()
  for await (const { descriptor } of store.references.list({ signal })) {
    const open: Descriptor[] = [descriptor]
    for (let next = open.pop(); next; next = open.pop()) {
      if (next.digest === digest) return true
      if (seen.has(next.digest)) continue
      seen.add(next.digest)
      open.push(...(await below(store, next, signal)))
    }
  }
  return false
}

async function below(store: Store, descriptor: Descriptor, signal: AbortSignal): Promise<readonly Descriptor[]> {
  const { mediaType } = descriptor
  if (!isManifestType(mediaType) && !isIndexType(mediaType)) return []
  const bytes = await findDocument(store, descriptor, { signal })
  return bytes ? successorsOf(parseImageDocument(bytes, mediaType)) : []
}
