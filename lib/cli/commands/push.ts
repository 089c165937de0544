import { formatBytes } from '../format-bytes.ts'
import { formatPlan } from '../format-plan.ts'
import { platformsIn } from '../platforms-in.ts'
import type { Session } from '../session.ts'

/** Options of `push`. */
export interface PushOptions {
  readonly platform?: readonly string[]
  readonly allPlatforms?: boolean
  readonly tag?: readonly string[]
  readonly plan?: boolean
}

/** `push NAME [REF]`: uploads a stored image and prints its digest. */
export async function push(
  session: Session,
  name: string,
  reference: string | undefined,
  options: PushOptions,
): Promise<void> {
  const platform = platformsIn(options)
  const { planPush, runPush } = await import('../../transfer/index.ts')
  const { signal } = session
  const [store, registry] = [await session.store(), await session.registry()]
  const plan = await planPush(store, registry, name, reference ?? name, { platform, tags: options.tag, signal })
  if (options.plan) return session.result(formatPlan(plan), plan)
  const result = await session.transfer(onProgress => runPush(plan, { concurrency: session.jobs, onProgress, signal }))
  const again = result.bytesUploadedAgain > 0 ? ` (${formatBytes(result.bytesUploadedAgain)} of it again)` : ''
  const uploaded = `${formatBytes(result.bytesUploaded)} uploaded${again}`
  session.note(`${result.reference}: ${uploaded}, ${formatBytes(plan.bytesPresent)} already there`)
  session.result(result.digest, result)
}
