import { FormatError } from '../errors/index.ts'
import type { RegistryClient } from '../registry/index.ts'
import type { Store } from '../store/index.ts'

/** Between whom a plan moves bytes, and the documents that were read while planning. */
export interface Parties {
  readonly registry: RegistryClient
  readonly store: Store
  readonly documents?: ReadonlyMap<string, Uint8Array>
}

const PARTIES = Symbol('layerstore.parties')

/** Lets a plan remember who it was made for. Not enumerable: the plan stays plain JSON, and a stored copy forgets it. */
export function bindParties<T extends object>(plan: T, parties: Parties): T {
  return Object.defineProperty(plan, PARTIES, { value: parties })
}

/**
 * The parties of a plan: those given, else those it was made for.
 *
 * @throws {@link FormatError} `ERR_INVALID_ARGUMENT` for a plan from elsewhere without both being given.
 */
export function partiesOf(
  plan: object,
  given: { readonly registry?: RegistryClient | undefined; readonly store?: Store | undefined },
): Parties {
  const bound: Partial<Parties> = (plan as { [PARTIES]?: Parties })[PARTIES] ?? {}
  const registry = given.registry ?? bound.registry
  const store = given.store ?? bound.store
  if (registry && store) return { registry, store, ...(bound.documents ? { documents: bound.documents } : {}) }
  throw new FormatError('ERR_INVALID_ARGUMENT', 'a plan that was stored needs the options registry and store to run')
}
