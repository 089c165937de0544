import type { RegistryClient } from '../../registry/index.ts'
import type { Store } from '../../store/index.ts'

const PARTIES = Symbol('layerstore.parties')

/** Lets a plan remember who it was made for. Not enumerable: the plan stays plain JSON, and a stored copy forgets it. */
export function bindParties<T extends object>(plan: T, parties: object): T {
  return Object.defineProperty(plan, PARTIES, { value: parties })
}

/** Whom a plan was made for; nobody for one that was stored meanwhile. */
export function boundParties<P extends object>(plan: object): Partial<P> {
  return (plan as { [PARTIES]?: P })[PARTIES] ?? {}
}

/** The parties of pulls and pushes, and the documents that were read while planning. */
export interface RegistryAndStore {
  readonly registry: RegistryClient
  readonly store: Store
  readonly documents: ReadonlyMap<string, Uint8Array>
}
