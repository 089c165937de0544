import { namesRegistry } from '../../../oci/index.ts'
import { platformsIn } from '../../arguments/platforms-in.ts'
import { ifChangedOf, needed, noteChanges, type StoredPlanOptions, storedPlan } from '../../arguments/stored-plan.ts'
import { openCopySource, openCopyTarget, splitPlace } from '../../places/image-place.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import { formatPlan } from '../../printing/format-plan.ts'
import { noteLayers } from '../../results/note-layers.ts'
import type { Session } from '../../session/session.ts'
import { type PolicyOption, verifierOf } from '../../signing/policy-of.ts'

/** Options of `copy`. */
export interface CopyCommandOptions extends StoredPlanOptions, PolicyOption {
  readonly platform?: readonly string[]
  readonly allPlatforms?: boolean
  readonly referrers?: boolean
  readonly tag?: readonly string[]
  readonly verifyDiffIds?: boolean
}

/**
 * `copy SRC DST`, or `copy --from-plan FILE`: copies an image between registries, stores and layouts, and prints its
 * digest.
 */
export async function copy(
  session: Session,
  from: string | undefined,
  to: string | undefined,
  options: CopyCommandOptions,
): Promise<void> {
  const platform = platformsIn(options)
  const { referrers, allPlatforms, tag: tags, verifyDiffIds } = options
  const others = {
    SRC: from,
    DST: to,
    '--platform': platform,
    '--all-platforms': allPlatforms,
    '--referrers': referrers,
    '--tag': tags,
  }
  const stored = await storedPlan(session, 'copy', options, others)
  const ifChanged = ifChangedOf(options)
  const ends = [stored?.from ?? needed(from, 'SRC'), stored?.to ?? needed(to, 'DST')] as const
  const { planCopy, runCopy } = await import('../../../transfer/index.ts')
  const { signal } = session
  const verify = await verifierOf(session, options)
  const [source, { target, finish }] = [await openCopySource(session, ends[0]), await openCopyTarget(session, ends[1])]
  session.advice = await adviceOnSource(session, ends[0])
  const plan = stored ?? (await planCopy(source, target, { platform, referrers, tags, signal }))
  session.advice = undefined
  if (options.plan) return session.result(formatPlan(plan), plan)
  const result = await session.transfer(
    onProgress =>
      runCopy(plan, {
        from: source,
        to: target,
        ifChanged,
        verifyDiffIds,
        verify,
        concurrency: session.jobs,
        onProgress,
        signal,
      }),
    // The blobs of an archive wait in a temporary store, which does not outlive the command.
    { keeps: finish === undefined, plan },
  )
  await finish?.(plan)
  noteChanges(session, result.changes)
  noteLayers(session, plan, result.unverified)
  const mounted = result.blobsMounted > 0 ? `, ${result.blobsMounted} blobs mounted` : ''
  const moved = `${formatBytes(result.bytesMoved)} moved${mounted}, ${formatBytes(stored ? result.bytesSaved : plan.bytesPresent)} already there`
  // An archive is written from a temporary store, whose name for the image means nothing to the user.
  const name = finish ? ends[1] : result.name
  session.note(`${name}: ${moved}${session.pace(result.bytesMoved)}`)
  session.result(result.digest, { ...result, name })
}

/** For a failure of a source without prefix and registry: it means Docker Hub, even if the store has that name. */
async function adviceOnSource(session: Session, text: string): Promise<string | undefined> {
  const isPlain = !/^(oci|docker)-archive:/.test(text) && splitPlace(text).rest === text && !namesRegistry(text)
  if (!isPlain || !(await session.isStored(text))) return undefined
  return `for the image in the store write store:${text}`
}
