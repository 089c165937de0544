import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { settleAll } from '../../internal/settle-all.ts'
import type { DerivedStore } from '../derived-store.ts'
import { forgetLayerFact } from './layer-facts.ts'

/** PERF: removing a file waits for the disk where freed space is discarded at once. */
const AT_ONCE = 64

/**
 * Forgets the facts about removed blobs: their sources, their compressed blocks, their layer facts, and the entry index
 * if no other blob holds the layer. Best effort: a fact that stays costs a little space.
 */
export async function forgetFacts(
  derived: DerivedStore,
  gone: ReadonlySet<Digest>,
  options: AbortOptions = {},
): Promise<void> {
  if (gone.size === 0) return
  const forgotten = (await derived.list('facts', options).catch(() => [])).filter(key => gone.has(digestIn(key)))
  for (let i = 0; i < forgotten.length; i += AT_ONCE) {
    options.signal?.throwIfAborted()
    await settleAll(forgotten.slice(i, i + AT_ONCE).map(key => forget(derived, key)))
  }
}

function digestIn(key: string): Digest {
  return key.slice(key.indexOf(':') + 1) as Digest
}

async function forget(derived: DerivedStore, key: string): Promise<void> {
  try {
    if (key.startsWith('sources:') || key.startsWith('blocks:')) await derived.delete('facts', key)
    if (key.startsWith('layer:')) await forgetLayerFact(derived, digestIn(key))
  } catch {
    // A fact that stays costs a little space.
  }
}
