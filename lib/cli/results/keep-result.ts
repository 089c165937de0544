import type { Descriptor } from '../../oci/index.ts'
import type { Store } from '../../store/index.ts'
import { UsageError } from '../failing/usage-error.ts'
import type { Session } from '../session/session.ts'
import { pushComposed } from './push-composed.ts'

/** Options of a command that composes something: where the result goes. */
export interface ResultOptions {
  readonly tag?: string
  readonly push?: string
  readonly annotation?: readonly string[]
}

/**
 * Reports a missing or invalid place for the result before the work starts.
 *
 * @throws {@link UsageError}, {@link FormatError} `ERR_INVALID_REFERENCE`.
 */
export async function checkResult(command: string, { tag, push }: ResultOptions): Promise<void> {
  if (!tag && !push) {
    throw new UsageError(`${command} needs a name for the result, -t NAME, or a place for it, --push REF`)
  }
  const { parseReference } = await import('../../oci/index.ts')
  for (const name of [tag, push]) if (name) parseReference(name)
}

/** Names the result, pushes it, and prints its digest. */
export async function keepResult(
  session: Session,
  store: Store,
  composed: { readonly descriptor: Descriptor },
  { tag, push }: ResultOptions,
  details: object = {},
): Promise<void> {
  const { signal } = session
  const { descriptor } = composed
  const name = tag && (await store.references.set(tag, descriptor, { signal }))
  if (push) await pushComposed(session, store, composed, push)
  const places = { ...(name ? { name } : {}), ...(push ? { pushed: push } : {}) }
  session.result(descriptor.digest, { ...places, ...descriptor, ...details })
}
