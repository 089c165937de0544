import type { TransferSource } from '../endpoints/transfer-source.ts'
import type { PlanStep } from '../plan.ts'
import { targetHoldsMore } from '../planning/attached-tags.ts'
import type { PlannedEnds } from '../planning/planned-ends.ts'

/** Target of a run, its source, and the documents that were read for the plan. */
interface CheckedEnds extends Pick<PlannedEnds, 'target' | 'signal'> {
  readonly source: Pick<TransferSource, 'readDocument'>
  readonly documents: ReadonlyMap<string, Uint8Array>
}

/**
 * Compares the signatures that a stored plan copies under tags with those that the target has by now. A step loses a
 * tag under which the target has its signatures and others.
 *
 * SAFETY: days may lie between the plan and its run. Without this check, the run would remove signatures that the
 * target got meanwhile.
 *
 * @throws {@link StoreError} `ERR_REFERENCE_CONFLICT` if each side has signatures that the other lacks.
 */
export async function recheckTags(
  steps: readonly PlanStep[],
  { source, documents, target, signal }: CheckedEnds,
): Promise<readonly PlanStep[]> {
  const kept: PlanStep[] = []
  for (const step of steps) {
    const { descriptor, tags } = step
    if (!tags) {
      kept.push(step)
      continue
    }
    const bytes = documents.get(descriptor.digest) ?? (await source.readDocument(descriptor, { signal }))
    const left: string[] = []
    for (const tag of tags) if (!(await targetHoldsMore({ target, signal }, tag, { descriptor, bytes }))) left.push(tag)
    kept.push({ ...step, tags: left })
  }
  return kept
}
