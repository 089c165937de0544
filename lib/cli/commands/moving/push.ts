import { settleAll } from '../../../internal/settle-all.ts'
import { platformsIn } from '../../arguments/platforms-in.ts'
import { ifChangedOf, needed, noteChanges, type StoredPlanOptions, storedPlan } from '../../arguments/stored-plan.ts'
import { nameInStore, referenceIn } from '../../places/name-place.ts'
import { formatBytes } from '../../printing/format-bytes.ts'
import { formatPlan } from '../../printing/format-plan.ts'
import type { Session } from '../../session/session.ts'

/** Options of `push`. */
export interface PushOptions extends StoredPlanOptions {
  readonly platform?: readonly string[]
  readonly allPlatforms?: boolean
  readonly tag?: readonly string[]
}

/** `push NAME [REF]`, or `push --from-plan FILE`: uploads a stored image and prints its digest. */
export async function push(
  session: Session,
  name: string | undefined,
  reference: string | undefined,
  options: PushOptions,
): Promise<void> {
  const platform = platformsIn(options)
  const { tag: tags, allPlatforms } = options
  const others = { NAME: name, '--platform': platform, '--all-platforms': allPlatforms, '--tag': tags }
  const stored = await storedPlan(session, 'push', options, others)
  const [from, ifChanged] = [stored?.name ?? nameInStore(needed(name, 'NAME')), ifChangedOf(options)]
  const to = reference === undefined ? from : referenceIn(reference)
  const { signal } = session
  const [store, registry, { planPush, runPush }] = await settleAll([
    session.store({ create: false }),
    session.registry(),
    import('../../../transfer/index.ts'),
  ])
  const plan = stored ?? (await planPush(store, registry, from, to, { platform, tags, signal }))
  if (options.plan) return session.result(formatPlan(plan), plan)
  const result = await session.transfer(
    onProgress => runPush(plan, { registry, store, ifChanged, concurrency: session.jobs, onProgress, signal }),
    { plan },
  )
  noteChanges(session, result.changes)
  const again = result.bytesUploadedAgain > 0 ? ` (${formatBytes(result.bytesUploadedAgain)} of it again)` : ''
  const uploaded = `${formatBytes(result.bytesUploaded)} uploaded${again}`
  const mounted = result.blobsMounted > 0 ? `, ${result.blobsMounted} blobs mounted` : ''
  const there = formatBytes(stored ? result.bytesSaved : plan.bytesPresent)
  session.note(
    `${result.reference}: ${uploaded}${mounted}, ${there} already there${session.pace(result.bytesUploaded)}`,
  )
  session.result(result.digest, result)
}
