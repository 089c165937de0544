import { formatBytes } from '../format-bytes.ts'
import { formatPlan } from '../format-plan.ts'
import { openCopySource, openCopyTarget } from '../image-place.ts'
import { platformsIn } from '../platforms-in.ts'
import type { Session } from '../session.ts'

/** Options of `copy`. */
export interface CopyCommandOptions {
  readonly platform?: readonly string[]
  readonly allPlatforms?: boolean
  readonly referrers?: boolean
  readonly tag?: readonly string[]
  readonly verifyDiffIds?: boolean
  readonly plan?: boolean
}

/** `copy SRC DST`: copies an image between registries, stores and layouts, and prints its digest. */
export async function copy(session: Session, from: string, to: string, options: CopyCommandOptions): Promise<void> {
  const platform = platformsIn(options)
  const { planCopy, runCopy } = await import('../../transfer/index.ts')
  const { signal } = session
  const { referrers, tag: tags, verifyDiffIds } = options
  const [source, { target, finish }] = [await openCopySource(session, from), await openCopyTarget(session, to)]
  const plan = await planCopy(source, target, { platform, referrers, tags, signal })
  if (options.plan) return session.result(formatPlan(plan), plan)
  const result = await session.transfer(onProgress =>
    runCopy(plan, { concurrency: session.jobs, verifyDiffIds, onProgress, signal }),
  )
  await finish?.()
  const mounted = result.blobsMounted > 0 ? `, ${result.blobsMounted} blobs mounted` : ''
  const moved = `${formatBytes(result.bytesMoved)} moved${mounted}, ${formatBytes(plan.bytesPresent)} already there`
  session.note(`${result.name}: ${moved}`)
  session.result(result.digest, result)
}
