import { formatBytes } from '../format-bytes.ts'
import { formatPlan } from '../format-plan.ts'
import type { Session } from '../session.ts'
import { UsageError } from '../usage-error.ts'

/** Options of `pull`. */
export interface PullOptions {
  readonly platform?: string
  readonly allPlatforms?: boolean
  readonly plan?: boolean
  readonly tag?: string
}

/** `pull REF`: brings an image into the store and prints its digest. */
export async function pull(session: Session, reference: string, options: PullOptions): Promise<void> {
  if (options.platform && options.allPlatforms) {
    throw new UsageError('--platform and --all-platforms exclude each other')
  }
  const { planPull, runPull } = await import('../../transfer/index.ts')
  const { signal } = session
  const { platform, allPlatforms, tag } = options
  const [store, registry] = [await session.store(), await session.registry()]
  const plan = await planPull(registry, store, reference, { platform, allPlatforms, name: tag, signal })
  if (options.plan) return session.result(formatPlan(plan), plan)
  const display = session.progress()
  try {
    const result = await runPull(plan, {
      concurrency: session.jobs,
      onProgress: display.onProgress.bind(display),
      signal,
    })
    display.close()
    const saved = `${formatBytes(result.bytesFetched)} fetched, ${formatBytes(plan.bytesPresent)} already there`
    session.note(`${result.name}: ${saved}`)
    session.result(result.digest, result)
  } finally {
    display.close()
  }
}
