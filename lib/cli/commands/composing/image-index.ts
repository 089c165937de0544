import { platformsIn } from '../../arguments/platforms-in.ts'
import { UsageError } from '../../failing/usage-error.ts'
import { findToCompose } from '../../places/find-to-compose.ts'
import { checkResult, keepResult, type ResultOptions } from '../../results/keep-result.ts'
import type { Session } from '../../session/session.ts'
import { checkPolicyFile, type PolicyOption } from '../../signing/policy-of.ts'
import { pairsOf } from './run-config.ts'

/** Options of `index`. */
export interface IndexOptions extends ResultOptions, PolicyOption {
  readonly platform?: readonly string[]
}

/** `index create IMAGE…`, `index append INDEX IMAGE…`, `index filter INDEX --platform P`: composes an index. */
export async function imageIndex(
  session: Session,
  act: string,
  names: readonly string[],
  options: IndexOptions,
): Promise<void> {
  const platforms = platformsIn(options)
  const [first, ...rest] = names
  if (act !== 'create' && act !== 'append' && act !== 'filter') {
    throw new UsageError(`index takes create, append or filter, not ${JSON.stringify(act)}`)
  }
  await checkResult('index', options)
  await checkPolicyFile(options)
  if (act === 'append' && rest.length === 0) throw new UsageError('index append takes an index and images to add')
  if (act === 'filter' && (rest.length > 0 || !platforms)) {
    throw new UsageError('index filter takes one index, and the platforms to keep: --platform P')
  }
  const { composeIndex } = await import('../../../image/index.ts')
  const store = await session.store()
  const { signal } = session
  await using _lease = await store.leases.hold({ label: 'index', signal })
  const extend = act === 'create' ? undefined : await findToCompose(session, store, first!, options)
  const images = []
  for (const name of act === 'create' ? names : rest) images.push(await findToCompose(session, store, name, options))
  const annotations = pairsOf('--annotation', options.annotation ?? [])
  const composed = await composeIndex(store, { extend, images, platforms, annotations, signal })
  await keepResult(session, store, composed, options, { manifests: composed.index.manifests })
}
