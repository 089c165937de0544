import { batchesOf, inBatches } from '../../internal/memory/batched-iterable.ts'
import { type Borrowed, owned } from '../../internal/memory/borrowed.ts'
import type { TarInput } from '../../tar/index.ts'
import { isKnown, type KnownEntry } from './known-entry.ts'

/** Entries that are kept in memory; more are written as a stream. */
const MOST_ENTRIES = 1_000_000

/** All entries, if all of them are known; otherwise a stream of them. */
export type CollectedEntries = { readonly known: readonly KnownEntry[] } | { readonly stream: AsyncIterable<TarInput> }

/** Collects entries as long as they are known. An unknown entry ends that at once: nothing of it is read. */
export async function collectKnown(entries: Iterable<TarInput> | AsyncIterable<TarInput>): Promise<CollectedEntries> {
  const batches = batchesOf(entries)[Symbol.asyncIterator]()
  const known: KnownEntry[] = []
  for (let next = await batches.next(); !next.done; next = await batches.next()) {
    const { value: batch } = next.value
    if (known.length + batch.length > MOST_ENTRIES || !batch.every(isKnown)) {
      return { stream: inBatches(resumed([owned(known), next.value], batches)) }
    }
    known.push(...batch)
  }
  return { known }
}

async function* resumed(
  first: readonly Borrowed<readonly TarInput[]>[],
  rest: AsyncIterator<Borrowed<readonly TarInput[]>>,
): AsyncGenerator<Borrowed<readonly TarInput[]>, void, undefined> {
  let ended = false
  try {
    yield* first
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
    ended = true
  } finally {
    if (!ended) await rest.return?.()
  }
}
