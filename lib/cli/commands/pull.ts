import { formatBytes } from '../format-bytes.ts'
import { formatPlan } from '../format-plan.ts'
import { platformsIn } from '../platforms-in.ts'
import type { Session } from '../session.ts'

/** Options of `pull`. */
export interface PullOptions {
  readonly platform?: readonly string[]
  readonly allPlatforms?: boolean
  readonly verifyDiffIds?: boolean
  readonly plan?: boolean
  readonly tag?: string
}

/** `pull REF`: brings an image into the store and prints its digest. */
export async function pull(session: Session, reference: string, options: PullOptions): Promise<void> {
  const platform = platformsIn(options)
  const { planPull, runPull } = await import('../../transfer/index.ts')
  const { signal } = session
  const { allPlatforms, tag, verifyDiffIds } = options
  const [store, registry] = [await session.store(), await session.registry()]
  const plan = await planPull(registry, store, reference, { platform, allPlatforms, name: tag, signal })
  if (options.plan) return session.result(formatPlan(plan), plan)
  const result = await session.transfer(onProgress =>
    runPull(plan, { concurrency: session.jobs, verifyDiffIds, onProgress, signal }),
  )
  const again = result.bytesFetchedAgain > 0 ? ` (${formatBytes(result.bytesFetchedAgain)} of it again)` : ''
  const fetched = `${formatBytes(result.bytesFetched)} fetched${again}`
  session.note(`${result.name}: ${fetched}, ${formatBytes(plan.bytesPresent)} already there`)
  session.result(result.digest, result)
}
