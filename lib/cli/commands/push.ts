import { formatBytes } from '../format-bytes.ts'
import { formatPlan } from '../format-plan.ts'
import type { Session } from '../session.ts'

/** Options of `push`. */
export interface PushOptions {
  readonly plan?: boolean
}

/** `push NAME [REF]`: uploads a stored image and prints its digest. */
export async function push(
  session: Session,
  name: string,
  reference: string | undefined,
  options: PushOptions,
): Promise<void> {
  const { planPush, runPush } = await import('../../transfer/index.ts')
  const { signal } = session
  const [store, registry] = [await session.store(), await session.registry()]
  const plan = await planPush(store, registry, name, reference ?? name, { signal })
  if (options.plan) return session.result(formatPlan(plan), plan)
  const display = session.progress()
  try {
    const result = await runPush(plan, {
      concurrency: session.jobs,
      onProgress: display.onProgress.bind(display),
      signal,
    })
    display.close()
    const saved = `${formatBytes(result.bytesUploaded)} uploaded, ${formatBytes(plan.bytesPresent)} already there`
    session.note(`${result.reference}: ${saved}`)
    session.result(result.digest, result)
  } finally {
    display.close()
  }
}
