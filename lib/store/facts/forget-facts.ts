import { type Digest, isDigest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import type { DerivedStore } from '../derived-store.ts'
import { forgetLayerFact } from './layer-facts.ts'

/**
 * Forgets the facts about removed blobs: their sources, their layer facts, and the entry index if no other blob holds
 * the layer. Best effort: a fact that stays costs a little space.
 */
export async function forgetFacts(
  derived: DerivedStore,
  gone: ReadonlySet<Digest>,
  options: AbortOptions = {},
): Promise<void> {
  if (gone.size === 0) return
  for (const key of await derived.list('facts', options).catch(() => [])) {
    options.signal?.throwIfAborted()
    const colon = key.indexOf(':')
    const [kind, digest] = [key.slice(0, colon), key.slice(colon + 1)]
    if (!isDigest(digest) || !gone.has(digest)) continue
    if (kind === 'sources') await derived.delete('facts', key).catch(() => undefined)
    if (kind === 'layer') await forgetLayerFact(derived, digest).catch(() => undefined)
  }
}
