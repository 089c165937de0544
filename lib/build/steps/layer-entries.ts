import { batchesOf, inBatches } from '../../internal/memory/batched-iterable.ts'
import type { Borrowed } from '../../internal/memory/borrowed.ts'
import { lazyListOf, withList } from '../../internal/memory/lazy-list.ts'
import { applyPolicies, type EntryPolicies, setPolicies } from '../../layer/index.ts'
import type { TarInput } from '../../tar/index.ts'
import type { LayerPolicies } from '../keys/step-parts.ts'

/** Policies of a build that apply to the entries of a step. */
export interface AppliedPolicies {
  /** Latest time of the step itself, before that of the build. */
  readonly latestTime?: number | undefined
  readonly modes: boolean
  readonly owners: boolean
}

/** The entries of a layer with the times, modes and owners that the policies of the build leave them. */
export function layerEntries(
  entries: AsyncIterable<TarInput>,
  policies: LayerPolicies,
  applied: AppliedPolicies,
): AsyncIterable<TarInput> {
  const times = applied.latestTime ?? policies.times ?? 0
  const rewritten: EntryPolicies = {
    mtime: times === 'source' ? 'source' : { notAfter: times },
    ...(applied.modes && policies.modes === 'normal' ? { mode: 'normal' } : {}),
    ...(applied.owners && policies.owners === 'root' ? { uid: 0, gid: 0 } : {}),
  }
  const set = setPolicies(rewritten)
  return withList(inBatches(appliedBatches(entries, applyPolicies(rewritten))), async () => {
    const list = await lazyListOf(entries)
    return list && { length: list.length, at: index => set(list.at(index)) }
  })
}

async function* appliedBatches(
  entries: AsyncIterable<TarInput>,
  apply: (entry: TarInput) => TarInput,
): AsyncGenerator<Borrowed<readonly TarInput[]>, void, undefined> {
  for await (const batch of batchesOf(entries)) yield { ...batch, value: batch.value.map(entry => apply(entry)) }
}
