import { settleAll } from '../../../internal/settle-all.ts'
import { platformsIn } from '../../arguments/platforms-in.ts'
import { ifChangedOf, needed, noteChanges, type StoredPlanOptions, storedPlan } from '../../arguments/stored-plan.ts'
import { referenceIn } from '../../places/name-place.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import { formatPlan } from '../../printing/format-plan.ts'
import { noteLayers } from '../../results/note-layers.ts'
import type { Session } from '../../session/session.ts'
import { type PolicyOption, verifierOf } from '../../signing/policy-of.ts'

/** Options of `pull`. */
export interface PullOptions extends StoredPlanOptions, PolicyOption {
  readonly platform?: readonly string[]
  readonly allPlatforms?: boolean
  readonly verifyDiffIds?: boolean
  readonly tag?: string
}

/** `pull REF`, or `pull --from-plan FILE`: pulls an image into the store and prints its digest. */
export async function pull(session: Session, reference: string | undefined, options: PullOptions): Promise<void> {
  const platform = platformsIn(options)
  const { allPlatforms, tag, verifyDiffIds } = options
  const others = { REF: reference, '--platform': platform, '--all-platforms': allPlatforms, '--tag': tag }
  const stored = await storedPlan(session, 'pull', options, others)
  const [ref, ifChanged] = [stored?.reference ?? referenceIn(needed(reference, 'REF')), ifChangedOf(options)]
  const { signal } = session
  const verify = await verifierOf(session, options)
  // PERF: the code is loaded while the store opens, which mostly waits for the disk.
  const [store, registry, { planPull, runPull }] = await settleAll([
    options.plan ? session.storeToPlan() : session.store(),
    session.registry(),
    import('../../../transfer/index.ts'),
  ])
  const plan = stored ?? (await planPull(registry, store, ref, { platform, allPlatforms, name: tag, signal }))
  if (!stored) await session.noteDefaults(ref)
  if (options.plan) return session.result(formatPlan(plan), plan)
  const result = await session.transfer(
    onProgress =>
      runPull(plan, {
        registry,
        store,
        ifChanged,
        concurrency: session.jobs,
        verifyDiffIds,
        verify,
        onProgress,
        signal,
      }),
    { plan },
  )
  noteChanges(session, result.changes)
  noteLayers(session, plan, result.unverified)
  const { bytesFromOthers } = session
  const through = bytesFromOthers > 0 ? `, ${formatBytes(bytesFromOthers)} through another process` : ''
  const again = result.bytesFetchedAgain > 0 ? ` (${formatBytes(result.bytesFetchedAgain)} of it again)` : ''
  const fetched = `${formatBytes(result.bytesFetched)} fetched${again}`
  session.note(
    `${result.name}: ${fetched}${through}, ${formatBytes(stored ? result.bytesSaved - bytesFromOthers : plan.bytesPresent)} already there${session.pace(result.bytesFetched)}`,
  )
  session.result(result.digest, { ...result, bytesFromOthers })
}
